"""The corpus of hostile submissions, to which each of its modules adds its own."""

import curious  # noqa: F401
import forged_artifacts  # noqa: F401
import forged_notebooks  # noqa: F401
import forged_replies  # noqa: F401
import forged_scores  # noqa: F401
import greedy  # noqa: F401
import scripted
from hand_ins import CORPUS

__all__ = ["CORPUS", "SCRIPTED"]

SCRIPTED = [entry for entry in CORPUS.values() if entry.hand_in.__module__ == scripted.__name__]
"""The submissions that attack the pages on which they are shown."""
