"""Functions that start a kernel for the tests of the sandbox, and that read its answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.sandbox.limits import Limits
from autograder.sandbox.session import Session
from autograder.sandbox.template import Template

template: Template | None = None
"""What `start` forks kernels from; None: each kernel is started by itself."""


def write_folders(place: Path) -> Path:
    """Make a student build, a submission and a course in `place`."""
    for name in ("build/helpers", "submission", "course/autograded"):
        (place / name).mkdir(parents=True)
    (place / "build/helpers/__init__.py").write_text("name = 'student build'\n")
    (place / "submission/artifact.json").write_text("{}")
    (place / "course/gradebook.db").write_text("all the scores")
    for name in ("build", "submission"):
        (place / name).chmod(0o755)
    return place


def start(folders: Path, **limits: Any) -> Session:
    """Start a kernel with the given limits, and otherwise the usual ones."""
    return Session(
        build=folders / "build",
        submission=folders / "submission",
        limits=Limits(**{"cell_seconds": 20, **limits}),
        template=template,
    )


def printed(session: Session, source: str) -> str:
    """Return what a cell prints, followed by its error if there is one."""
    outputs = session.run(source)
    errors = [f"{o['ename']}: {o['evalue']}" for o in outputs if o["output_type"] == "error"]
    return "".join([*(o.get("text", "") for o in outputs), *errors])


def error(session: Session, source: str) -> str:
    """Return the one error that a cell ends with."""
    (found,) = [o for o in session.run(source) if o["output_type"] == "error"]
    return f"{found['ename']}: {found['evalue']}"
