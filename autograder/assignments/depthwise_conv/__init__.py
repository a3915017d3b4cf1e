"""The instructor's and TA's side of the assignment on depthwise separable convolutions."""

PLACE = 9
"""The position of the assignment in the course."""
