"""The instructor's and TA's side of the assignment on sparse linear models."""

PLACE = 1
"""The position of the assignment in the course."""
