"""The instructor's and TA's side of the assignment on structured pruning."""

PLACE = 3
"""The position of the assignment in the course."""
