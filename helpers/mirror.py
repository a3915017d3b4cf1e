"""The folder from which data sets and pretrained weights are downloaded instead of their homes."""

import os
from importlib.resources import files

MIRROR_FILE = "mirror.txt"
"""A file of the package with the address that the course has set; a release may contain it."""


def mirror() -> str:
    """Return the address of the folder, without a slash at the end; empty if there is none.

    The environment variable COURSE_MIRROR comes first, and then what the course has set.
    """
    chosen = os.environ.get("COURSE_MIRROR")
    file = files("helpers").joinpath(MIRROR_FILE)
    if not chosen and file.is_file():
        chosen = file.read_text(encoding="utf-8").strip()
    return (chosen or "").rstrip("/")
