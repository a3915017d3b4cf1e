"""The number of submissions with misconceptions that the tests grade."""

import os

MISTAKEN = None if "EVERY_MISTAKE" in os.environ else 1
"""The number for each assignment; the first submission has the most misconceptions. Grading all of
them takes a quarter of an hour and is left to `make mistakes`; `tests/notebooks` judges every
misconception in the process of the test."""
