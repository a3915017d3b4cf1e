"""The audit of a release, which looks for anything that students must not get.

The audit reads everything that students get: the zip, every file in it, the notebook's cells,
outputs, metadata and attachments, and the wheel. The release fails if it finds any of these:

- **Solutions, hidden tests and mark schemes** of the source notebook. Every line of the released
  notebook must be in the visible part of the same source cell, or be nbgrader's stub. Other files,
  and the whole JSON of the notebook, must not contain a fingerprint of a secret line (see
  `autograder.releasing.fingerprints`), unless that line is also visible in the source notebook.
- **Reference modules** that are not unlocked, recognised by their path or by their fingerprints;
  anything from the `autograder` package; and other assignments' parts of `helpers.assignments`.
- **Reference values**: measured numbers from the frozen references that have five digits or more,
  also when rounded to five digits or more, as fractions or as percentages. Integers (counts, seeds)
  are not measurements. Also whole files of the references, and single tensors of their networks.
- **Trained networks** other than the starting networks, and **outputs**, because solutions
  produce them.
- **Unreadable files**: the audit does not pass what it cannot understand.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zipfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
import safetensors
import safetensors.torch
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions
from torch import Tensor

from autograder.errors import UserError
from autograder.notebook.source import Part, cell_name, lines, visible_text
from autograder.references import FROZEN
from autograder.releasing.fingerprints import (
    Fingerprints,
    Origin,
    Secret,
    code_secrets,
    prose_secret,
)
from autograder.releasing.student_build import data_files, reference_modules, reference_source
from helpers.measurements import MEASUREMENTS
from helpers.pretrained import shipped_file
from helpers.profile import PROFILES

STARTING_NETWORKS = tuple(shipped_file(profile) for profile in PROFILES)
"""The trained networks that students get."""

SECRET_PARTS = (Part.SOLUTION, Part.HIDDEN_TEST, Part.MARK_SCHEME)
ARCHIVES = {".zip", ".whl"}
IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}

DIGITS = 5
"""A number with at least this many significant digits reveals its origin.

Reported accuracies have four digits.
"""

DOUBLE_DIGITS = 17
"""The largest number of significant digits that a double can have."""

NUMBER = re.compile(r"(?<![\w.])(?:\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE]-\d+)(?!\w|\.\d)")

TENSOR_BYTES = 64
"""Tensors with fewer bytes, such as counters, may be equal by chance."""


@dataclass(frozen=True)
class Leak:
    """Something in a release that students must not get.

    Attributes
    ----------
    file
        Path of the file in the release. For a file in an archive, it begins with the path of the
        archive.
    cell
        In a notebook, the grade_id of the cell, or else its id; otherwise None.
    line
        Number of the line in the file or in the cell, counted from 1; None if lines do not apply.
    kind
        ``solution``, ``hidden test``, ``mark scheme``, ``reference module``, ``autograder``,
        ``other assignment``, ``reference value``, ``trained network``, ``output``,
        ``unknown line`` or ``unreadable file``.
    text
        What was found.
    """

    file: str
    cell: str | None
    line: int | None
    kind: str
    text: str

    def __str__(self) -> str:
        cell = f", cell {self.cell}" if self.cell else ""
        line = f", line {self.line}" if self.line else ""
        return f"{self.file}{cell}{line}: {self.kind}: {self.text}"


class AuditFailed(UserError):
    """A release was not made; the message says what to fix, and where.

    Attributes
    ----------
    findings
        The leaks in the release, or the faults in the source notebook.
    """

    def __init__(self, assignment: str, findings: Sequence[object]) -> None:
        self.findings = list(findings)
        listed = "\n".join(f"  {finding}" for finding in findings)
        super().__init__(
            f"{assignment} was not released; an earlier release stays as it was. "
            f"Fix this first:\n{listed}"
        )


def audit(
    release: Path,
    source: Path,
    *,
    unlocks: Iterable[str] = (),
    added: Iterable[str] = (),
    references: Path = FROZEN,
) -> list[Leak]:
    """Search a release for anything that students must not get.

    Parameters
    ----------
    release
        The folder or the zip that students get.
    source
        The source notebook.
    unlocks
        Names of the reference modules that the release may contain. By default none.
    added
        Lines of the students' notebook that the source notebook need not have, such as an address.
    references
        The folder of the frozen references.

    Returns
    -------
    list of Leak
        Empty if the release gives nothing away.

    Raises
    ------
    FileNotFoundError
        If there is no such release.
    """
    secrets = _Secrets(source, frozenset(unlocks), frozenset(added), references)
    found: dict[tuple, Leak] = {}
    for path, content in _files(release):
        for leak in secrets.in_file(path, content):
            # A line that two searches find is one leak; the first search names its origin best.
            found.setdefault((leak.file, leak.cell, leak.line or leak.text, leak.kind), leak)
    return list(found.values())


def _files(release: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    if not release.is_dir():
        yield PurePosixPath(release.name), release.read_bytes()
        return
    for path in sorted(release.rglob("*")):
        if path.is_file():
            yield PurePosixPath(path.relative_to(release).as_posix()), path.read_bytes()


class _Secrets:
    """Everything about one assignment that students must not get, and the search for it."""

    def __init__(
        self, source: Path, unlocks: frozenset[str], added: frozenset[str], references: Path
    ) -> None:
        notebook = nbformat.read(source, as_version=4)
        self._cells = {cell.get("id"): cell for cell in notebook.cells}
        self._assignment = source.stem
        self._unlocks = unlocks
        self._added = added
        self._references = _read_references(references)
        self._given = _digests([*STARTING_NETWORKS, *(f for n in unlocks for f in data_files(n))])
        seen = "\n".join(visible_text(cell) for cell in notebook.cells)
        unlocked = [reference_source(name) for name in sorted(unlocks)]
        self._public_numbers = set(NUMBER.findall(seen))
        self._fingerprints = Fingerprints(
            [*_notebook_secrets(notebook), *_reference_secrets(unlocks)],
            public="\n".join([seen, *unlocked]),
        )

    def in_file(self, path: PurePosixPath, content: bytes) -> Iterator[Leak]:
        """Yield the leaks in a file and, if it is an archive, in the files that it contains."""
        digest = hashlib.sha256(content).digest()
        if digest in self._given:
            return
        yield from self._in_path(path)
        if name := self._references.files.get(digest):
            yield Leak(str(path), None, None, "reference value", f"this is a copy of {name}")
        suffix = path.suffix.lower()
        try:
            if suffix in ARCHIVES:
                yield from self._in_archive(path, content)
            elif suffix == ".safetensors":
                yield from self._in_tensors(path, content)
            elif suffix == ".ipynb":
                yield from self._in_notebook(path, content.decode())
            elif suffix == ".json":
                yield from self._in_json(path, content.decode())
            else:
                # An image can contain text as well.
                text = content.decode("latin-1" if suffix in IMAGES else "utf-8")
                yield from self._in_text(str(path), None, text)
        except _UNREADABLE:
            yield Leak(str(path), None, None, "unreadable file", "the audit cannot read it")

    def _in_path(self, path: PurePosixPath) -> Iterator[Leak]:
        *folders, file = path.parts
        if "reference" in folders and PurePosixPath(file).stem != "__init__":
            below = path.with_suffix("").parts[folders.index("reference") + 1 :]
            if ".".join(below) not in self._unlocks:
                yield Leak(str(path), None, None, "reference module", f"{file} is not unlocked")
        if "autograder" in folders:
            yield Leak(str(path), None, None, "autograder", "this belongs to the grader")
        if "assignments" in folders[:-1]:
            name = folders[folders.index("assignments") + 1]
            if name != self._assignment:
                yield Leak(str(path), None, None, "other assignment", f"this belongs to {name}")

    def _in_archive(self, path: PurePosixPath, content: bytes) -> Iterator[Leak]:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield from self.in_file(path / info.filename, archive.read(info))

    def _in_tensors(self, path: PurePosixPath, content: bytes) -> Iterator[Leak]:
        tensors = safetensors.torch.load(content)
        yield Leak(str(path), None, None, "trained network", "this is not a starting network")
        for name, tensor in tensors.items():
            if origin := self._references.tensors.get(_tensor_digest(tensor)):
                yield Leak(str(path), None, None, "reference value", f"{name} is {origin}")

    def _in_notebook(self, path: PurePosixPath, content: str) -> Iterator[Leak]:
        try:
            notebook = nbformat.reads(content, as_version=4)
        except Exception as error:
            # Given arbitrary JSON, nbformat may raise any exception.
            raise ValueError("not a notebook") from error
        for cell in notebook.cells:
            name = cell_name(cell)
            yield from self._in_text(str(path), name, cell.source)
            yield from self._unknown_lines(str(path), cell)
            if cell.get("outputs"):
                yield Leak(str(path), name, None, "output", "clear the outputs of this cell")
            for attached, forms in cell.get("attachments", {}).items():
                for form in forms.values():
                    place = path / f"attachment of {name}" / attached
                    yield from self.in_file(place, base64.b64decode(form))
            rest = {key: cell[key] for key in cell if key not in ("source", "attachments")}
            yield from self._in_values(str(path), name, rest)
        yield from self._in_values(str(path), None, notebook.metadata)

    def _unknown_lines(self, file: str, cell: NotebookNode) -> Iterator[Leak]:
        """Yield the lines of a released cell that are not visible in its source cell."""
        source = self._cells.get(cell.get("id"))
        parts: dict[str, Part] = {}
        for line in lines(source) if source else []:
            if parts.get(line.text.strip()) is not Part.VISIBLE:
                parts[line.text.strip()] = line.part
        for number, text in enumerate(cell.source.split("\n"), start=1):
            part = parts.get(text.strip())
            known = text.strip() in _stubs() or text.strip() in self._added
            if text.strip() and part is not Part.VISIBLE and not known:
                kind = part.value if part in SECRET_PARTS else "unknown line"
                yield Leak(file, cell_name(cell), number, kind, text.strip())

    def _in_json(self, path: PurePosixPath, content: str) -> Iterator[Leak]:
        yield from self._in_text(str(path), None, content)
        # Once more without JSON's quoting, which changes the words of a text.
        yield from self._in_values(str(path), None, json.loads(content))

    def _in_values(self, file: str, cell: str | None, value: Any) -> Iterator[Leak]:
        """Search every string and every number in JSON data."""
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from self._in_values(file, cell, key)
                yield from self._in_values(file, cell, inner)
        elif isinstance(value, list):
            for inner in value:
                yield from self._in_values(file, cell, inner)
        elif isinstance(value, str | float):
            for leak in self._in_text(file, cell, str(value)):
                yield Leak(file, cell, None, leak.kind, leak.text)

    def _in_text(self, file: str, cell: str | None, text: str) -> Iterator[Leak]:
        for number, fingerprint in self._fingerprints.find(text):
            kind, name = fingerprint.origin
            yield Leak(file, cell, number, kind, f"{fingerprint.text} (of {name})")
        for number, line in enumerate(text.split("\n"), start=1):
            for token in NUMBER.findall(line):
                if token not in self._public_numbers and self._references.measured(token):
                    yield Leak(file, cell, number, "reference value", token)


_UNREADABLE = (
    ValueError,  # not UTF-8, JSON, base64 or a notebook
    zipfile.BadZipFile,
    NotImplementedError,  # a compression method that zipfile does not know
    RuntimeError,  # an encrypted archive
    safetensors.SafetensorError,
)


class _References:
    """The content of the frozen references, in a form that can be compared."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[bytes, str] = {}
        self.tensors: dict[bytes | None, str] = {}
        numbers: set[Decimal] = set()
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.suffix == ".json":
                content = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
                if path.name == MEASUREMENTS:
                    # These scores identify a network. They tell nobody anything, and there are so
                    # many of them that one looks like any other number.
                    content = [{**entry, "scores": []} for entry in content]
                numbers.update(_decimals(content))
            elif path.suffix == ".safetensors":
                for tensor_name, tensor in safetensors.torch.load_file(path).items():
                    self.tensors[_tensor_digest(tensor)] = f"{tensor_name} of {name}"
            else:
                continue
            self.files[hashlib.sha256(path.read_bytes()).digest()] = name
        self.tensors.pop(None, None)
        self._numbers = sorted(numbers)

    def measured(self, token: str) -> bool:
        """Return whether a number in a text is a measured number, rounded or not."""
        number = Decimal(token)
        if len(number.as_tuple().digits) < DIGITS:
            return False
        form = number.normalize()
        for near in (form, form.scaleb(-2)):  # it may be a percentage
            unit = Decimal(1).scaleb(int(near.as_tuple().exponent))
            first = bisect_left(self._numbers, near - unit)
            last = bisect_right(self._numbers, near + unit)
            if any(form in _roundings(each) for each in self._numbers[first:last]):
                return True
        return False


@cache
def _read_references(folder: Path) -> _References:
    """Return the content of a folder, which is read once: it takes seconds and does not change."""
    return _References(folder)


def _notebook_secrets(notebook: NotebookNode) -> Iterator[Secret]:
    for cell in notebook.cells:
        for part in SECRET_PARTS:
            secret = [line for line in lines(cell) if line.part is part]
            origin = Origin(part.value, cell_name(cell))
            if cell.cell_type == "code":
                yield from code_secrets(cell.source, [line.number for line in secret], origin)
            else:
                yield prose_secret([line.text for line in secret], origin)


def _reference_secrets(unlocks: frozenset[str]) -> Iterator[Secret]:
    for name in reference_modules():
        if name not in unlocks:
            source = reference_source(name)
            numbers = range(1, source.count("\n") + 2)
            yield from code_secrets(source, numbers, Origin("reference module", f"{name}.py"))


def _decimals(content: Any) -> Iterator[Decimal]:
    """Yield the numbers in JSON data that are not integers."""
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list):
        for value in content:
            yield from _decimals(value)
    elif isinstance(content, Decimal):
        yield content


def _roundings(number: Decimal) -> Iterator[Decimal]:
    """Yield the forms in which a measured fraction may be written, down to five digits.

    A form that has fewer than five digits without its final zeros is left out, because many other
    numbers could be rounded to it.
    """
    for digits in range(DIGITS, min(len(number.as_tuple().digits), DOUBLE_DIGITS) + 1):
        for rounding in (ROUND_HALF_EVEN, ROUND_DOWN):
            form = Context(prec=digits, rounding=rounding).plus(number).normalize()
            if len(form.as_tuple().digits) >= DIGITS:
                yield form
                yield form.scaleb(2).normalize()  # as a percentage


def _tensor_digest(tensor: Tensor) -> bytes | None:
    """Return a digest of a tensor's values; None if they are too few, or all the same."""
    if tensor.nbytes < TENSOR_BYTES or (tensor == tensor.flatten()[0]).all():
        return None
    return hashlib.sha256(safetensors.torch.save({"": tensor.flatten()})).digest()


def _digests(files: Iterable[Path]) -> frozenset[bytes]:
    """Return the digests of those files that exist."""
    return frozenset(hashlib.sha256(path.read_bytes()).digest() for path in files if path.exists())


@cache
def _stubs() -> frozenset[str]:
    """Return the lines that nbgrader puts in place of solutions."""
    nbgrader = ClearSolutions()
    stubs = f"{nbgrader.code_stub['python']}\n{nbgrader.text_stub}"
    return frozenset(line.strip() for line in stubs.split("\n"))
