"""The package that the notebooks import: data, models, training, artifacts, plots, checks."""

__version__ = "0.1.0"
