"""The instructor's and TA's side of the assignment on transformers."""

PLACE = 8
"""The position of the assignment in the course."""
