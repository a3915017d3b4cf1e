"""The end of the installation: which version of `helpers` a kernel uses, and what that needs.

Every release of an assignment has a version of its own.
"""

import importlib
import re
import subprocess
import sys
from importlib.metadata import distributions, requires
from urllib.parse import unquote

import helpers

__all__ = ["VersionError", "check_version", "install_missing"]

_NAME = re.compile(r"[\w.-]+")
"""The name at the beginning of a requirement such as ``latex2mathml>=3.77``."""


class VersionError(Exception):
    """The kernel does not have the packages that it should; the message says what to do."""


def check_version(wheel: str) -> None:
    """Check that this kernel uses the version of `helpers` that the setup cell has installed.

    Parameters
    ----------
    wheel
        Name of the wheel beside the notebook, or its address.

    Raises
    ------
    VersionError
        If the kernel imported another version before.
    """
    name = unquote(wheel).partition("#")[0].rpartition("/")[2]
    if f"-{helpers.__version__}-" not in name:
        raise VersionError(
            f"This kernel uses helpers {helpers.__version__}, but this notebook belongs to {name}, "
            "which is installed now. Restart the kernel, and run this cell again."
        )


def install_missing() -> None:
    """Install what `helpers` needs and this environment does not have at all.

    What is there stays as it is. torch itself is not installed here: the setup cell installs it
    with `helpers` where there is none. None of the other packages needs torch, so pip does not
    look at what torch requires, which would be gigabytes that Colab does not have.

    Raises
    ------
    VersionError
        If something is still missing afterwards, for instance because there is no network.
    """
    missing = _missing()
    wanted = [needed for needed in missing if _name(needed) != "torch"]
    said = ""
    if wanted:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--retries=1", *wanted]
        said = subprocess.run(pip, capture_output=True, text=True).stderr
        importlib.invalidate_caches()
        missing = _missing()
    if missing:
        raise VersionError(
            "Packages that this notebook needs are not installed. Run this in a cell of its own, "
            f"and then this cell again: %pip install {' '.join(map(_name, missing))}"
            + (f"\n{said.strip()}" if said else "")
        )


def _missing() -> list[str]:
    """Return the requirements of `helpers` of which no version is there."""
    needed = requires("efficient-dl-course") or []
    return [each for each in needed if not any(distributions(name=_name(each)))]


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    return found[0] if found else requirement
