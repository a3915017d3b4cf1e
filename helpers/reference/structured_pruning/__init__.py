"""Reference implementations for the assignment on structured pruning."""
