"""What ships with one assignment only: its public checks and its figures."""
