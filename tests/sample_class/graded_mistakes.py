"""How many of the submissions with misconceptions the tests grade."""

import os

MISTAKEN = None if "EVERY_MISTAKE" in os.environ else 1
"""Per assignment. The first holds the most. All of them, which take a quarter of an hour, are for
`make selftest`; `tests/notebooks` asks the hidden tests about every misconception in process."""
