"""The right answers of the assignment on transformers."""
