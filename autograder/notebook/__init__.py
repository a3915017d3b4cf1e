"""Read a source notebook: its marks, its questions, and the faults in its form."""
