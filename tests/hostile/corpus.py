"""The corpus of hostile submissions: every module of it adds its own to the list."""

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
"""Those that are about pages."""
