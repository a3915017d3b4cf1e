"""Errors that a user can mend: the command shows their text and no traceback."""

from __future__ import annotations

from autograder.audit import AuditFailed
from autograder.grade import NotReleased
from autograder.references import NoReference
from autograder.release import ReleaseError
from autograder.results import NothingGraded
from autograder.sandbox.bubblewrap import SandboxUnavailable

USER_ERRORS = (
    AuditFailed,
    FileExistsError,
    FileNotFoundError,
    NoReference,
    NotReleased,
    NothingGraded,
    ReleaseError,
    SandboxUnavailable,
)
