"""What runs inside the sandbox, where no other folder of the grader is visible or imported."""
