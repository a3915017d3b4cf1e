"""What some courses ask for beside the notebook: a write-up, and logs of AI tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCUMENTS", "Document", "DocumentError", "ai_logs", "written_up"]

DOCUMENTS = "documents"
"""The folder in a submission for what no program reads."""
MAX_BYTES = 50 << 20
WRITE_UPS = (".pdf", ".html")
LOGS = (".txt", ".md", ".pdf", ".html", ".json")


class DocumentError(Exception):
    """A document cannot be packed; the message says what to do."""


@dataclass(frozen=True)
class Document:
    """A file that is packed for a person to read.

    Attributes
    ----------
    name
        Its name in the submission.
    said
        What it is, in words.
    content
        The content.
    """

    name: str
    said: str
    content: bytes


def written_up(path: Path) -> Document:
    """Read a write-up that the student has made.

    Raises
    ------
    DocumentError
        If there is no such file, or if it is not what its name says.
    """
    content = _content(path, WRITE_UPS)
    return Document(f"write_up{path.suffix.lower()}", f"the write-up {path.name}", content)


def ai_logs(paths: Sequence[Path]) -> list[Document]:
    """Read the logs of AI tools.

    Raises
    ------
    DocumentError
        As for `written_up`.
    """
    found = []
    for number, path in enumerate(paths, start=1):
        name = f"ai_log_{number}" if len(paths) > 1 else "ai_log"
        said = f"the AI log {path.name}"
        found.append(Document(f"{name}{path.suffix.lower()}", said, _content(path, LOGS)))
    return found


def _content(path: Path, endings: Sequence[str]) -> bytes:
    if not path.is_file():
        raise DocumentError(
            f"There is no file {path}: put it beside the notebook, and give its name with its "
            "ending."
        )
    if path.suffix.lower() not in endings:
        raise DocumentError(f"{path.name} is not of a kind that is taken: {', '.join(endings)}.")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DocumentError(
            f"{path.name} has {size >> 20} MB, but the limit is {MAX_BYTES >> 20} MB: make its "
            "pictures smaller."
        )
    content = path.read_bytes()
    if not content.strip():
        raise DocumentError(f"{path.name} is empty.")
    if path.suffix.lower() == ".pdf" and b"%PDF-" not in content[:1024]:
        raise DocumentError(f"{path.name} is not a PDF, in spite of its name: export it again.")
    return content
