"""The instructor's and TA's side of the assignment on transfer and low-rank adaptation."""

PLACE = 7
"""The position of the assignment in the course."""
