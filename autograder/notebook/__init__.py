"""Read a source notebook: its marks, its questions, and what is wrong with its form."""
