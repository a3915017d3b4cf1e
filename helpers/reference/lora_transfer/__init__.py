"""Reference implementations for the assignment on transfer and low-rank adaptation."""
