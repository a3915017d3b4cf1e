"""Which version of `helpers` this kernel uses: every release of an assignment has its own."""

import re
from importlib.metadata import distributions, requires
from urllib.parse import unquote

import helpers

__all__ = ["VersionError", "check_version"]


class VersionError(Exception):
    """The kernel does not use the version that it should; the message says what to do."""


def check_version(wheel: str) -> None:
    """Check that this kernel uses the version of `helpers` that the setup cell has installed.

    Parameters
    ----------
    wheel
        Name of the wheel beside the notebook, or its address.

    Raises
    ------
    VersionError
        If the kernel imported another version before, or if a package that it needs is missing.
    """
    name = unquote(wheel).partition("#")[0].rpartition("/")[2]
    if f"-{helpers.__version__}-" not in name:
        raise VersionError(
            f"This kernel uses helpers {helpers.__version__}, but this notebook belongs to {name}, "
            "which is installed now. Restart the kernel, and run this cell again."
        )
    needed = [re.split(r"[^\w.-]", needed)[0] for needed in requires("efficient-dl-course") or []]
    if missing := [package for package in needed if not any(distributions(name=package))]:
        raise VersionError(
            "Packages that this notebook needs are not installed. Run this in a cell of its own, "
            f"and then this cell again: %pip install {' '.join(missing)}"
        )
