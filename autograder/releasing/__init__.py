"""Make what students get, and prove that it gives nothing away."""
