"""Which profile a submission belongs to, and how to grade in that profile.

`helpers` takes the profile and the folder of the data from the environment, because students choose
them there. When the grader works, the course and the submission decide, whatever the environment of
the grader's own process says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbformat import NotebookNode

from autograder.settings import Settings
from helpers.profile import PROFILES

_CHOICE = re.compile(r"""^os\.environ\[["']COURSE_PROFILE["']\] *= *["'](\w+)["']""", re.MULTILINE)
"""The line of the setup cell with which a student chooses a profile."""


def profile_of(nb: NotebookNode, files: Path, settings: Settings) -> tuple[str, list[str]]:
    """Return the profile in which a submission is graded, and what the instructor should know.

    Parameters
    ----------
    nb
        The submitted notebook.
    files
        The submitted files.
    settings
        Those of the course. Where networks were handed in for both profiles, or for none and the
        notebook chooses none either, the course decides.
    """
    trained = [name for name in PROFILES if _has_networks(files / "artifacts" / name)]
    chosen = [
        name
        for cell in nb.cells
        if cell.cell_type == "code"
        for name in _CHOICE.findall(cell.source)
        if name in PROFILES
    ]
    own = trained or chosen[-1:]
    if not own or settings.profile in own:
        return settings.profile, []
    what = "its networks were trained" if trained else "its notebook was written"
    found = f"{what} in the profile {own[0]!r}, and the course's is {settings.profile!r}"
    if settings.other_profile == "grade":
        return own[0], [f"{found}: it was graded in its own"]
    return settings.profile, [f"{found}, in which it was graded"]


@contextmanager
def grading_in(profile: str, settings: Settings) -> Iterator[None]:
    """Let `helpers` use a profile, and the course's folder of data, for the block."""
    chosen = {"COURSE_PROFILE": profile}
    if settings.data is not None:
        chosen["COURSE_DATA"] = str(settings.data)
    before = {name: os.environ.get(name) for name in chosen}
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _has_networks(folder: Path) -> bool:
    return any(folder.glob("*.safetensors"))
