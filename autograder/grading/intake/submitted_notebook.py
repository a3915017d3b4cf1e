"""Read a submitted notebook, which is not trusted: it may not be a notebook at all."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.grading.intake.hand_in_files import regular_file
from autograder.grading.intake.repaired_notebook import repaired
from autograder.grading.limited import LimitReached, limited
from autograder.sandbox.inside.wire import parsed_bytes, well_formed

MAX_NOTEBOOK_BYTES = 160 * 2**20
"""Limit on the size of a notebook. Nearly all of a large one is outputs, which are left out."""

MAX_MEMORY_BYTES = 2 * 2**30
"""Limit on the memory for reading a notebook.

By the estimate of `parsed_bytes`, each byte of text takes at most 12 bytes in memory. 12 x 160 MB
is less than this limit, so no notebook of text and figures is refused.
"""

MAX_SECONDS = 30.0
"""Limit on the processor time for reading a notebook; 56 MB of figures take 1 s, 10,000 cells 2 s.
"""

MAX_KEPT_BYTES = 32 * 2**20
"""Limit on a notebook without its outputs and metadata.

The grader writes the notebook in this form, with the tests put back, and reads it again. Half of
what may be read leaves room for the tests.
"""

LINE_BYTES = 10
"""What writing a line of a cell as an entry of a list adds."""

MAX_CELLS = 5_000
"""Limit on the number of cells; the longest notebook of the course has 211.

Each cell takes two milliseconds to put on a page.
"""


class UnreadableNotebook(ValueError):
    """The submitted file is not a readable notebook; the message says why."""


def read_notebook(path: Path, *, submitted: bool = True) -> NotebookNode:
    """Read a submitted notebook.

    Characters that are not valid Unicode (half of a surrogate pair) become U+FFFD. The text may be
    in UTF-8, with or without a byte order mark, UTF-16 or UTF-32.

    Parameters
    ----------
    path
        The file.
    submitted
        Whether a student's editor wrote the file. Then faults in its form are repaired, and outputs
        and the notebook's own metadata are left out; see `repaired_notebook.repaired`. Otherwise
        the grader wrote it, and it must be valid.

    Returns
    -------
    NotebookNode
        A valid notebook in version 4 of the format.

    Raises
    ------
    UnreadableNotebook
        If it is not a regular file (a link, for instance), not a notebook, or takes more than
        `MAX_NOTEBOOK_BYTES`, `MAX_KEPT_BYTES`, `MAX_CELLS`, `MAX_MEMORY_BYTES` or `MAX_SECONDS`.
    FileNotFoundError
        If there is no such file.
    """
    with within_limits():
        return _parsed(submitted_json(path), submitted=submitted)


@contextmanager
def within_limits() -> Iterator[None]:
    """Limit the time and memory that reading a notebook takes in the block.

    Raises
    ------
    UnreadableNotebook
        If it takes more.
    """
    try:
        with limited(processor_seconds=MAX_SECONDS, memory_bytes=MAX_MEMORY_BYTES):
            yield
    except LimitReached as error:
        raise UnreadableNotebook(str(error)) from error


def submitted_json(path: Path) -> bytes:
    """Read a file that should hold JSON, and return it in UTF-8; call it in `within_limits`.

    Raises
    ------
    UnreadableNotebook
        If it is not a regular file, not text, or so large that parsing it would take too much.
    FileNotFoundError
        If there is no such file.
    """
    try:
        with regular_file(path) as file:
            payload = file.read(MAX_NOTEBOOK_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableNotebook(error.strerror) from error
    if len(payload) > MAX_NOTEBOOK_BYTES:
        raise UnreadableNotebook(f"larger than {MAX_NOTEBOOK_BYTES // 2**20} MB")
    text = _utf8(payload)
    if parsed_bytes(text) > MAX_MEMORY_BYTES:
        raise UnreadableNotebook(f"it takes more than {MAX_MEMORY_BYTES // 2**30} GB of memory")
    return text


def _utf8(payload: bytes) -> bytes:
    """Return JSON in UTF-8 without a byte order mark, whichever encoding of Unicode it has."""
    encoding = json.detect_encoding(payload)
    try:
        text = payload.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableNotebook("not a text file") from error
    return payload if encoding == "utf-8" else text.encode()


def _parsed(text: bytes, *, submitted: bool) -> NotebookNode:
    try:
        data = well_formed(json.loads(text))
    except ValueError as error:
        raise UnreadableNotebook("not JSON") from error
    except RecursionError as error:
        raise UnreadableNotebook("nested too deeply") from error
    try:
        nb = repaired(data) if submitted else _notebook(data)
        kept = _kept_bytes(nb)
    except (LimitReached, MemoryError):
        raise
    except Exception as error:
        # Given arbitrary JSON, nbformat may raise any exception, as it does for older versions.
        raise UnreadableNotebook(f"not in the notebook format ({type(error).__name__})") from error
    if len(nb.cells) > MAX_CELLS:
        raise UnreadableNotebook(f"more than {MAX_CELLS:,} cells")
    if kept > MAX_KEPT_BYTES:
        raise UnreadableNotebook(f"more than {MAX_KEPT_BYTES // 2**20} MB without its outputs")
    return nb


def _notebook(data: Any) -> NotebookNode:
    """Do what `nbformat.read` does, but without printing warnings about faults."""
    major, minor = nbformat.reader.get_version(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are about faults that are repaired
        nb = nbformat.convert(nbformat.versions[major].to_notebook_json(data, minor=minor), 4)
        _, nb = nbformat.validator.normalize(nb)
        nbformat.validate(nb)
    return nb


def _kept_bytes(nb: NotebookNode) -> int:
    """Return about how large the parts of a notebook are that the grader keeps, once written."""
    parts = ("cell_type", "source", "attachments")
    cells = [{key: cell[key] for key in parts if key in cell} for cell in nb.cells]
    text = json.dumps(cells, ensure_ascii=False)
    return len(text.encode()) + LINE_BYTES * text.count("\\n")
