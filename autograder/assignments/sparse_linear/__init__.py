"""The instructor's and TA's side of the assignment on sparse linear models."""

PLACE = 1
"""Where the assignment stands in the course."""
