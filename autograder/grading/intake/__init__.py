"""Bring hand-ins into the course: whatever came in, within limits, and nothing opened."""
