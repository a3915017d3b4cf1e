"""What is not collected on a machine that has only the packages of students, such as a lent GPU."""

from importlib import import_module

try:
    for package in ("IPython.core.interactiveshell", "nbformat"):
        import_module(package)
except ImportError:
    collect_ignore = ["test_provenance.py", "test_submission.py"]
