"""What students get for the assignment on transfer and low-rank adaptation."""
