"""The instructor's and TA's side of the assignment on pruning."""

PLACE = 2
"""Where the assignment stands in the course."""
