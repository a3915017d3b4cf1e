"""Reference implementations for the assignment on sparse linear models."""
