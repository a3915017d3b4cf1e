"""Fill the points of an assignment into the table that a learning management system gives out.

Each system imports only tables like those that it exports, and tells students apart by its own
columns. So the instructor exports the table, and gets it back with one column filled in; everything
else in it stays as it is.

References
----------
Canvas
    *Grades > Export*: the columns Student, ID, SIS User ID, SIS Login ID and Section, then one for
    each assignment, named ``<name> (<number>)``. A row without an ID holds the points possible
    ("How do I import grades in the Gradebook?", Canvas Instructor Guide).
Moodle
    *Download grading worksheet* of an assignment: Identifier (``Participant <number>``), Full name,
    Grade, Maximum Grade and others (mod/assign/feedback/offline of moodle/moodle).
Sakai
    ``grades.csv`` in *Download All* of an assignment: two lines about the assignment, and then the
    columns Display ID, ID, Last Name, First Name and grade (`zipSubmissions` in
    AssignmentServiceImpl.java of sakaiproject/sakai).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.intake.known_users import known_users
from autograder.grading.intake.names import safe_name
from autograder.grading.question_box import points_text
from autograder.grading.unfinished import unfinished
from autograder.reporting.results import ClassResults, read_class
from helpers.files import replacing

Row = dict[str, str]


@dataclass(frozen=True)
class _System:
    """How a system's table is read.

    Attributes
    ----------
    name
        As in `autograder.grading.intake.systems`.
    columns
        Columns that only the tables of this system have.
    user
        Returns what the names of hand-ins tell students apart by; empty in a row of no student.
    names
        Returns what a student's hand-ins may be named after.
    column
        The column of the points; empty if there is one for each assignment.
    maximum
        The column of the largest number of points, if there is one.
    """

    name: str
    columns: frozenset[str]
    user: Callable[[Row], str]
    names: Callable[[Row], Sequence[str]]
    column: str = ""
    maximum: str = ""


def _canvas_names(row: Row) -> Sequence[str]:
    student = row["Student"]
    # In the names of hand-ins, "Doe, Jane" is "doejane".
    squeezed = re.sub(r"\W", "", student).casefold()
    return [row.get("SIS Login ID", ""), row.get("SIS User ID", ""), squeezed, student]


def _moodle_user(row: Row) -> str:
    return re.sub(r"\D", "", row["Identifier"])


def _sakai_names(row: Row) -> Sequence[str]:
    whole = f"{row.get('Last Name', '')}, {row.get('First Name', '')}"
    return [row["Display ID"], row.get("ID", ""), whole]


SYSTEMS = (
    _System(
        "Canvas",
        frozenset({"Student", "ID", "Section"}),
        lambda row: row["ID"].strip(),
        _canvas_names,
    ),
    _System(
        "Moodle",
        frozenset({"Identifier", "Full name", "Grade"}),
        _moodle_user,
        lambda row: [row["Full name"]],
        column="Grade",
        maximum="Maximum Grade",
    ),
    _System(
        "Sakai",
        frozenset({"Display ID", "grade"}),
        lambda row: row["Display ID"].strip(),
        _sakai_names,
        column="grade",
    ),
)
HEADER_ROWS = 5
"""How many rows from the top are searched for the names of the columns."""


@dataclass(frozen=True)
class FilledTable:
    """A table into which points were filled.

    Attributes
    ----------
    path
        The new file.
    system
        The name of the system that can import it.
    filled
        The students that got points.
    not_listed
        Students with a submission whom the table does not list.
    without
        Rows of the table, by the names in them, that were left as they were: nobody is known to
        have handed in under such a name.
    waiting
        Students of whom some answers still wait for a person; these count as zero.
    """

    path: Path
    system: str
    filled: tuple[str, ...]
    not_listed: tuple[str, ...]
    without: tuple[str, ...]
    waiting: tuple[str, ...]


def fill_grade_table(
    assignment: str, course: Course, table: Path, column: str | None = None
) -> FilledTable:
    """Fill the points of an assignment into the exported table of a learning management system.

    Parameters
    ----------
    assignment
    course
    table
        The table, as Canvas, Moodle or Sakai exports it. It is not changed.
    column
        The column of the assignment in a table of Canvas. By default the one whose name begins with
        the assignment's title or name.

    Returns
    -------
    FilledTable
        Its file is ``<course>/report/<assignment>-<system>.csv``.

    Raises
    ------
    UserError
        If the table cannot be read, is none of these, does not have the column, or is about another
        number of points than the assignment has.
    """
    rows, dialect = _read(table)
    top, system = _recognized(rows, table)
    header = rows[top]
    results = read_class(assignment, course)
    at = header.index(_column(system, header, results, column))
    students = _students(results, unfinished(assignment, course))
    known = known_users(course.submitted, assignment)
    filled, without = [], []
    for row in rows[top + 1 :]:
        row += [""] * (len(header) - len(row))
        entries = dict(zip(header, row, strict=False))
        _require_maximum(system, entries, header[at], results, table)
        user = system.user(entries)
        if not user:
            continue
        student = _student(system, user, entries, known, students)
        if student is None:
            without.append(next(name for name in [*system.names(entries)[::-1], user] if name))
        else:
            row[at] = students[student]
            filled.append(student)
    path = course.grades_file(assignment).with_name(f"{assignment}-{system.name.lower()}.csv")
    text = io.StringIO()
    csv.writer(text, dialect, lineterminator="\n").writerows(rows)
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as new:
        new.write_text(text.getvalue(), encoding="utf-8")
    return FilledTable(
        path=path,
        system=system.name,
        filled=tuple(filled),
        not_listed=tuple(sorted(set(students) - set(filled))),
        without=tuple(without),
        waiting=tuple(s.student for s in results.waiting if s.student in filled),
    )


def _read(table: Path) -> tuple[list[list[str]], type[csv.Dialect]]:
    try:
        text = table.read_text(encoding="utf-8-sig")
        dialect = csv.Sniffer().sniff(text[:10_000], delimiters=",;\t")
        dialect.quoting, dialect.doublequote = csv.QUOTE_MINIMAL, True
        return list(csv.reader(io.StringIO(text), dialect)), dialect
    except FileNotFoundError:
        raise UserError(f"There is no {table}.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{table} cannot be read as a table (CSV): {error}.") from error


def _recognized(rows: Sequence[list[str]], table: Path) -> tuple[int, _System]:
    for place, row in enumerate(rows[:HEADER_ROWS]):
        for system in SYSTEMS:
            if system.columns <= set(row):
                return place, system
    raise UserError(
        f"{table} is not a table of grades that Canvas (Grades > Export), Moodle (Download grading "
        "worksheet) or Sakai (grades.csv in Download All) gives out."
    )


def _column(
    system: _System, header: Sequence[str], results: ClassResults, asked: str | None
) -> str:
    if system.column:
        return system.column
    if asked is not None:
        if asked not in header:
            raise UserError(f"The table has no column {asked!r}. {_choose(header)}")
        return asked
    wanted = {_plain(results.title), _plain(results.assignment)}
    found = [name for name in header if _plain(re.sub(r"\(\d+\)\s*$", "", name)) in wanted]
    if len(found) != 1:
        raise UserError(
            f"Which column is that of {results.assignment}? Name it with --column. "
            f"{_choose(header)}"
        )
    return found[0]


def _choose(header: Sequence[str]) -> str:
    numbered = [name for name in header if re.search(r"\(\d+\)\s*$", name)]
    return f"Its columns are: {', '.join(map(repr, numbered or header))}."


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


def _students(results: ClassResults, left: Collection[str]) -> dict[str, str]:
    """Return the points of each student with a grade; no grade is not zero points."""
    return {
        submission.student: points_text(submission.score)
        for submission in results.submissions
        if submission.student not in left
    }


def _student(
    system: _System,
    user: str,
    row: Row,
    known: Mapping[str, str],
    students: Collection[str],
) -> str | None:
    """Return the student of a row: by the number in the names of hand-ins, or else by name."""
    if (named := known.get(f"{system.name} {user}")) is not None:
        name = safe_name(named)
        return name if name in students else None
    for name in [user, *system.names(row)]:
        if name and safe_name(name) in students:
            return safe_name(name)
    return None


def _require_maximum(
    system: _System, row: Row, column: str, results: ClassResults, table: Path
) -> None:
    said = row.get(system.maximum, "") if system.maximum else ""
    if system.name == "Canvas" and "points possible" in row["Student"].casefold():
        said = row[column]
    try:
        maximum = float(said.replace(",", "."))
    except ValueError:
        return  # it says nothing about that, or something like "(read only)"
    if maximum != results.maximum:
        unit = "point" if maximum == 1 else "points"
        raise UserError(
            f"{table} says that the assignment is worth {maximum:g} {unit}, and it is worth "
            f"{results.maximum:g}. Change that in {system.name}, and export the table again."
        )
