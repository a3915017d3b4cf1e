"""Reference implementations for the assignment on deep compression."""
