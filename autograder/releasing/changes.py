"""Release notes: what has changed between two releases of an assignment, in a text for students.

A short description of each release is kept in the course folder. Titles and points are in it as
they are, and everything else as digests, so that notes can say that a hidden test has changed, and
never what it is. Solutions are not described at all.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.question_box import in_points, points_text
from autograder.notebook.questions import headings, is_bonus, title, words
from autograder.notebook.source import hidden_test, nbgrader_marks
from helpers.files import replacing

_HEADING = re.compile(r"^#{1,6}[ \t].*$", re.MULTILINE)
_CHECK = re.compile(r"\bchecks\.(\w+)\(")


@dataclass(frozen=True)
class Question:
    """A question in a release.

    Attributes
    ----------
    title
        Its heading.
    points
        What it is worth.
    text, code, check, test
        Digests of the text that asks it, of the code that students start from, of its public
        checks, and of its hidden test.
    """

    title: str
    points: float
    text: str
    code: str
    check: str
    test: str


@dataclass(frozen=True)
class Description:
    """What is remembered of a release.

    Attributes
    ----------
    title
        The title of the assignment.
    questions
        By their ``grade_id``, in the order of the notebook.
    around
        A digest of what belongs to no question.
    package
        A digest of the `helpers` that students get.
    """

    title: str
    questions: Mapping[str, Question]
    around: str
    package: str

    @property
    def points(self) -> float:
        """The points of all questions, without the bonus."""
        return sum(q.points for name, q in self.questions.items() if not is_bonus(name))


def describe(folder: Path, source: Path) -> Description:
    """Describe a release.

    Parameters
    ----------
    folder
        The folder of the release: the students' notebook and a wheel.
    source
        The source notebook, which has the hidden tests.
    """
    notebook = nbformat.read(folder / source.name, as_version=4)
    tests = {
        nbgrader_marks(cell).grade_id: hidden_test(cell)
        for cell in nbformat.read(source, as_version=4).cells
        if nbgrader_marks(cell).get("grade_id")
    }
    [wheel] = folder.glob("*.whl")
    files = _package(wheel)
    checks = _definitions(files.get(f"helpers/assignments/{source.stem}/checks.py", ""))
    under = headings(notebook)
    questions: dict[str, Question] = {}
    around: list[str] = []
    waiting: list[NotebookNode] = []
    for cell in notebook.cells:
        marks = nbgrader_marks(cell)
        if cell.cell_type == "markdown" and not marks and _HEADING.search(cell.source):
            around += [each.source for each in waiting]  # of no question, or of a whole section
            waiting = []
        waiting.append(cell)
        if marks.get("grade") or marks.get("task"):
            name = marks.grade_id
            questions[name] = Question(
                title=under[name] or words(name),
                points=float(marks.points),
                text=_digest(
                    _HEADING.sub("", each.source)
                    for each in waiting
                    if each.cell_type == "markdown"
                ),
                code=_digest(
                    each.source
                    for each in waiting
                    if each.cell_type == "code" and nbgrader_marks(each).get("solution")
                ),
                check=_digest(_checked_by(waiting, checks)),
                test=_digest([_without_comments(tests.get(name, ""))]),
            )
            waiting = []
    around += [each.source for each in waiting]
    package = _digest(text for file in sorted(files.items()) for text in file)
    return Description(title(notebook) or words(source.stem), questions, _digest(around), package)


def remember(now: Description, assignment: str, course: Course) -> bool:
    """Keep the description of a new release, and that of the release before if that was another.

    Returns
    -------
    bool
        Whether there was an earlier release, and it was another one.
    """
    _, last = _known(assignment, course)
    if last == now:
        return False
    kept = {"before": last and asdict(last), "now": asdict(now)}
    with replacing(course.releases(assignment)) as path:
        path.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    return last is not None


def release_notes(assignment: str, course: Course) -> str:
    """Return what has changed between the last two releases, as Markdown for students.

    Raises
    ------
    UserError
        If there have not been two different releases.
    """
    before, now = _known(assignment, course)
    if before is None or now is None:
        raise UserError(
            f"There is nothing to compare: {assignment} was not released twice, with a change in "
            f"between, in {course.folder}. The next `autograder release {assignment}` notes what "
            "has changed."
        )
    lines = [f"- {change}" for change in changes(before, now)]
    return "\n".join([f"# What has changed in {now.title}", "", *lines])


def changes(before: Description, now: Description) -> list[str]:
    """Return a sentence for each change, in Markdown."""
    found = []
    names, old_names = _names(now.questions), _names(before.questions)
    for name, question in now.questions.items():
        called, old = f"**{names[name]}**", before.questions.get(name)
        if old is None:
            found.append(f"{called} is a new question, worth {in_points(question.points)}.")
            continue
        if old.title != question.title:
            found.append(f"**{old_names[name]}** is now called {called}.")
        if old.points != question.points:
            was = points_text(old.points)
            found.append(f"{called} is worth {in_points(question.points)}; it was worth {was}.")
        parts = [
            part
            for part, same in (
                ("text", old.text == question.text),
                ("code to start from", old.code == question.code),
                ("public check", old.check == question.check),
                ("hidden test", old.test == question.test),
            )
            if not same
        ]
        if parts:
            verb = "was" if len(parts) == 1 else "were"
            found.append(f"{called}: the {_listed(parts)} {verb} changed.")
    for name, question in before.questions.items():
        if name not in now.questions:
            found.append(
                f"**{old_names[name]}**, which was worth {in_points(question.points)}, was removed."
            )
    if before.around != now.around:
        found.append("The text or the code outside of the questions was changed.")
    if before.package != now.package:
        found.append("The package `helpers` was changed: the first cell installs the new one.")
    if before.points != now.points:
        was = points_text(before.points)
        found.append(f"All questions together are worth {in_points(now.points)}; it was {was}.")
    return found or ["Nothing that concerns a question was changed."]


def _known(assignment: str, course: Course) -> tuple[Description | None, Description | None]:
    """Return what is known of the release before the last, and of the last."""
    try:
        kept = json.loads(course.releases(assignment).read_text(encoding="utf-8"))
        return _read(kept["before"]), _read(kept["now"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None, None  # or those of another version of this program


def _read(found: dict[str, Any] | None) -> Description | None:
    if found is None:
        return None
    questions = {name: Question(**question) for name, question in found["questions"].items()}
    return Description(**found | {"questions": questions})


def _package(wheel: Path) -> dict[str, str]:
    """Return the files of `helpers` in a wheel, without the version, which is always another."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith("helpers/")]
        files = {name: archive.read(name).decode("utf-8", "backslashreplace") for name in names}
    own = "helpers/__init__.py"
    files[own] = re.sub(r"^__version__ = .*$", "", files[own], flags=re.MULTILINE)
    return files


def _definitions(module: str) -> dict[str, ast.stmt]:
    """Return what a module defines, by name."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found |= {n.id: node for n in ast.walk(target) if isinstance(n, ast.Name)}
    return found


def _checked_by(cells: Iterable[NotebookNode], checks: Mapping[str, ast.stmt]) -> list[str]:
    """Return the calls of public checks in some cells, and the code of these checks."""
    calling = [
        cell.source
        for cell in cells
        if cell.cell_type == "code" and not _is_answered(cell) and _CHECK.search(cell.source)
    ]
    waiting = sorted({name for source in calling for name in _CHECK.findall(source)})
    used: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in checks and name not in used:
            used[name] = ast.unparse(checks[name])
            nodes = ast.walk(checks[name])
            waiting += [node.id for node in nodes if isinstance(node, ast.Name)]
    return calling + [code for _, code in sorted(used.items())]


def _is_answered(cell: NotebookNode) -> bool:
    """Return whether a cell is an answer or a hidden test; a locked check is neither."""
    marks = nbgrader_marks(cell)
    return bool(marks.get("grade") or marks.get("solution"))


def _without_comments(code: str) -> str:
    try:
        return ast.unparse(ast.parse(code))
    except SyntaxError:  # a magic of IPython
        return code


def _names(questions: Mapping[str, Question]) -> dict[str, str]:
    """Return a name for each question; those under one heading are told apart."""
    count = Counter(question.title for question in questions.values())
    return {
        name: question.title if count[question.title] == 1 else f"{question.title} ({words(name)})"
        for name, question in questions.items()
    }


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        content = text.encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()
