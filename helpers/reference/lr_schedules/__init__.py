"""The right answers of the assignment on learning rates."""
