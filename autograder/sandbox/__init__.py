"""The sandbox for student code: a separate process from which nothing of value can be reached."""
