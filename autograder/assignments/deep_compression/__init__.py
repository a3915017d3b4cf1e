"""The instructor's and TA's side of the assignment on deep compression."""

PLACE = 4
"""Where the assignment stands in the course."""
