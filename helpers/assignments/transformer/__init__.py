"""Public checks and figures of the assignment on transformers."""
