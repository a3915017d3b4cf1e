"""Reference implementations for the assignment on pruning."""
