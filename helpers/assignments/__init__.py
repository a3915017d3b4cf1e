"""The public checks and the figures of each assignment, which ship with that assignment only."""
