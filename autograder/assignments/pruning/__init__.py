"""The instructor's and TA's side of the assignment on pruning."""

PLACE = 2
"""The position of the assignment in the course."""
