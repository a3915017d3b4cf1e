"""The ledger of an import: what became of every file that came in."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from autograder.grading.intake.hand_in_files import shown
from autograder.grading.intake.known_files import Parts, kind
from autograder.grading.intake.names import no_formula, printable
from autograder.grading.intake.untouched import UNTOUCHED
from helpers.files import replacing

SHOWN_EXAMPLES = 3
"""How many files of a kind a diagnosis names."""

UNDECIDED = "it is kept as an attempt, and which attempt counts is not decided yet"
"""Where the best attempt counts: what stands beside its notebook until all are graded."""

COLUMNS = ("file", "student", "what became of it", "why")


class What(StrEnum):
    """What became of a file."""

    NOTEBOOK = "graded"
    BESIDE = "beside the graded notebook"
    LEFT_OUT = "left out"
    PERSON = "left out: please look at it"
    TOOL = "made by a tool"


@dataclass
class Entry:
    """A line of the ledger.

    Attributes
    ----------
    parts
        The path at which the file came in. An archive that was unpacked counts as a folder.
    what
        What became of it.
    student
        Whose it is; empty if nothing says it.
    why
        Why it was left out, or what else there is to say.
    attempt
        The key of the attempt to which it belongs, where attempts are kept; otherwise empty.
    """

    parts: Parts
    what: What
    student: str = ""
    why: str = ""
    attempt: str = ""

    @property
    def line(self) -> str:
        """The entry as one line of text."""
        return f"{shown(self.parts)} was left out: {printable(self.why)}"


@dataclass
class Ledger:
    """What became of every file that came in."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, parts: Parts, what: What, student: str = "", why: str = "") -> None:
        """Add a line."""
        self.entries.append(Entry(parts, what, student, why))

    def keep(self, first: int, attempt: str) -> None:
        """Enter that the lines from number `first` on belong to an attempt."""
        for entry in self.entries[first:]:
            entry.attempt = attempt
            if entry.what == What.NOTEBOOK:
                entry.why = "; ".join(filter(None, [entry.why, UNDECIDED]))

    def settle(self, student: str, attempt: str, why: str, *, counts: bool) -> list[Entry]:
        """Enter whether an attempt counts, and why; return the lines of its notebook."""
        found = [e for e in self.entries if (e.student, e.attempt) == (student, attempt)]
        notebooks = [entry for entry in found if entry.what == What.NOTEBOOK]
        for entry in notebooks:
            entry.why = entry.why.replace(UNDECIDED, why).removesuffix("; ")
        for entry in found:
            if not counts and entry.what in (What.NOTEBOOK, What.BESIDE):
                entry.what, entry.why = What.LEFT_OUT, entry.why or why
        return notebooks

    def left_out(self) -> Iterator[Entry]:
        """Return the files that were left out; those that a person must look at come first."""
        for what in (What.PERSON, What.LEFT_OUT):
            yield from (entry for entry in self.entries if entry.what == what)

    @property
    def needs_a_person(self) -> bool:
        """Whether a person must look at something that was left out."""
        return any(entry.what == What.PERSON for entry in self.entries)

    def write(self, path: Path) -> None:
        """Write the ledger as a table (CSV, UTF-8)."""
        with (
            replacing(path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for entry in sorted(self.entries, key=lambda entry: entry.parts):
                row = (shown(entry.parts), entry.student, entry.what, printable(entry.why))
                table.writerow([no_formula(cell) for cell in row])

    def summary(self, path: Path) -> str:
        """Return the ledger in one sentence, which names the file that was written at `path`."""
        # The hand-in of a group is in the ledger once for each of its members.
        files = {entry.parts: entry.what for entry in self.entries}
        counts = Counter(files.values())
        taken = counts[What.NOTEBOOK] + counts[What.BESIDE]
        parts = [f"{_files(len(files))} came in: {taken} taken"]
        graded = [entry for entry in self.entries if entry.what == What.NOTEBOOK]
        if untouched := sum(entry.why.startswith(UNTOUCHED) for entry in graded):
            parts.append(f"{untouched} of them a notebook without any answer")
        if counts[What.TOOL]:
            parts.append(f"{counts[What.TOOL]} made by tools")
        if counts[What.LEFT_OUT]:
            parts.append(f"{counts[What.LEFT_OUT]} left out")
        if counts[What.PERSON]:
            parts.append(f"{counts[What.PERSON]} left out that you should look at")
        return f"{', '.join(parts)} (see {path})"

    def diagnosis(self) -> str:
        """Return what came in, by kind and reason, in a few lines."""
        groups: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.left_out():
            groups.setdefault((kind(entry.parts), entry.why), []).append(entry)
        lines = []
        for (what, why), entries in sorted(groups.items(), key=lambda group: -len(group[1])):
            names = ", ".join(shown(entry.parts) for entry in entries[:SHOWN_EXAMPLES])
            more = ", ..." if len(entries) > SHOWN_EXAMPLES else ""
            lines.append(f"  {len(entries)} x {what} ({names}{more}): {why}")
        return "\n".join(lines)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"
