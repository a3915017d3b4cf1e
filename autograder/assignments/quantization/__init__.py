"""The instructor's and TA's side of the assignment on quantization."""

PLACE = 3
"""Where the assignment stands in the course."""
