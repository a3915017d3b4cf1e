"""Import hand-ins into the course: within limits, and without trusting anything in them."""
