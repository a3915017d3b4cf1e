"""The right answers of the assignment on deep compression."""
