"""Wrong solutions of `lora_transfer`, as students write them.

Each makes one mistake and is otherwise right.
"""
