"""The instructor's and TA's side of the assignment on deep compression."""

PLACE = 5
"""The position of the assignment in the course."""
