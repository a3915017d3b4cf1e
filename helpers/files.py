"""Write a file completely or not at all, and say when one was written."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and move the file there to `path` at the end.

    A reader sees either the old file or the new one, never a part of it, however the program ends.
    Parent folders are created if necessary. If the block raises, `path` is left unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def written_ago(path: Path) -> str:
    """Return how long ago a file was written, such as ``"12 min ago"``."""
    minutes = int((time.time() - path.stat().st_mtime) / 60)
    return f"{minutes} min ago" if minutes else "just now"
