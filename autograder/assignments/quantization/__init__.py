"""The instructor's and TA's side of the assignment on quantization."""

PLACE = 4
"""The position of the assignment in the course."""
