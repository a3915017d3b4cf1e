"""The instructor's and TA's side of the assignment on pruning."""
