"""The two profiles of the course: `quick` runs on any computer, `full` needs a GPU."""

import os
from typing import TypeVar

T = TypeVar("T")

PROFILES = ("quick", "full")


def profile() -> str:
    """Return the profile that the environment variable COURSE_PROFILE chooses.

    Returns
    -------
    str
        ``"quick"`` (handwritten digits, minutes on a CPU; the default) or ``"full"`` (CIFAR-10).

    Raises
    ------
    ValueError
        If COURSE_PROFILE has any other value.
    """
    chosen = os.environ.get("COURSE_PROFILE") or "quick"
    if chosen not in PROFILES:
        raise ValueError(
            f"COURSE_PROFILE is {chosen!r}, but there is no such profile: set it to 'quick' "
            "(handwritten digits, runs on a CPU) or 'full' (CIFAR-10)."
        )
    return chosen


def pick(*, quick: T, full: T) -> T:
    """Return the argument named after the current profile.

    Examples
    --------
    >>> epochs = pick(quick=3, full=20)
    """
    return quick if profile() == "quick" else full
