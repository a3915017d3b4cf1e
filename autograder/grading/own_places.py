"""Where the course kit itself lies, and what the sandbox must not show on any machine."""

from __future__ import annotations

from pathlib import Path

import autograder
import helpers
from autograder.sandbox.shown import homes

PACKAGES = [Path(module.__path__[0]) for module in (autograder, helpers)]
"""Our own packages. After `pip install` they lie in the Python environment, which is visible in the
sandbox."""


def private_places() -> dict[str, Path]:
    """Return the homes and the checkout of the course kit, by the names that messages use."""
    places = homes()
    checkout = PACKAGES[0].parent
    if (checkout / "notebooks").is_dir():
        places["the checkout of the course kit"] = checkout
    return places
