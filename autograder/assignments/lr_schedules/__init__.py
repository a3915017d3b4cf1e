"""The instructor's and TA's side of the assignment on learning rates."""

PLACE = 6
"""The position of the assignment in the course."""
