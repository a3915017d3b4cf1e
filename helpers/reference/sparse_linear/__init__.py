"""The right answers of the assignment on sparse linear models."""
