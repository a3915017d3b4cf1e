"""Grading on Gradescope: the zip that is uploaded there, and what runs there for each submission.

Gradescope unpacks the zip into ``/autograder/source`` and runs ``setup.sh`` once. For each hand-in,
it puts the files into ``/autograder/submission``, runs ``run_autograder``, and takes the points
from ``/autograder/results/results.json`` (https://gradescope-autograders.readthedocs.io/en/latest/specs/).
"""
