"""Public checks and figures of the assignment on sparse linear models."""
