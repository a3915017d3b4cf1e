"""What the assignment notebooks import: data, models, training, artifacts, plots, public checks."""

__version__ = "0.1.0"
