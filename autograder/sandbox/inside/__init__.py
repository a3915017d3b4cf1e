"""What runs inside the sandbox. No other part of the grader is visible there, or imported here."""
