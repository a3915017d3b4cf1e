"""Read a source notebook: its markers, its questions, and the faults in its form."""
