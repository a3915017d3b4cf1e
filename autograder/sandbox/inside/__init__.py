"""What runs inside the sandbox. This folder alone is visible there; it imports nothing of ours."""
