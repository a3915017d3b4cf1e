"""Run the self-test of an assignment: try every answer, and keep what became of it."""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from autograder.assignments import NOTEBOOKS
from autograder.errors import UserError
from autograder.misconceptions import misconceptions_in
from autograder.notebook.source import nbgrader_marks
from autograder.samples.dependencies import asked_names
from autograder.selftest.answers import Answer, Kind, read_answers
from autograder.selftest.judging import Judgement, SolvedNotebook
from autograder.selftest.mutants import mutants

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
"""The kept results, a file for each assignment, from which the page in the docs is made."""


@dataclass
class QuestionResult:
    """What the self-test found out about a question.

    Attributes
    ----------
    points
        The points of the question.
    tried
        The number of answers of each kind.
    equivalent
        The mutants that do the same as the solution, each with the reason.
    survived
        The wrong answers that got every point, as ``kind: label``.
    lost
        The right answers that lost points.
    misnamed
        The answers for which the feedback named a misconception that is not theirs, and the
        misconceptions that it did not name.
    silent
        The wrong answers that passed the public checks and lost points without a message.
    """

    points: float
    tried: dict[Kind, int] = field(default_factory=dict)
    equivalent: dict[str, str] = field(default_factory=dict)
    survived: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    @property
    def findings(self) -> dict[str, list[str]]:
        """What has to be mended, by what is wrong with it."""
        return {
            "gets every point": self.survived,
            "is right and loses points": self.lost,
            "is called by a wrong name": self.misnamed,
            "loses points without a word": self.silent,
        }

    def add(self, answer: Answer, judgement: Judgement, equivalent: dict[str, str]) -> None:
        """Take in an answer and what became of it."""
        self.tried[answer.kind] = self.tried.get(answer.kind, 0) + 1
        text = f"{answer.kind}: {answer.label}"
        if answer.kind == "right":
            if judgement.loses:
                self.lost.append(text)
        elif not judgement.loses:
            if answer.kind == "mutant" and answer.label in equivalent:
                self.equivalent[answer.label] = equivalent[answer.label]
            else:
                self.survived.append(text)
        elif judgement.passes and not (judgement.messages or judgement.problem):
            self.silent.append(text)
        allowed = {answer.name} if answer.name else set()
        if answer.kind == "misconception" and set(judgement.named) != allowed:
            self.misnamed.append(f"{text}: {', '.join(judgement.named) or 'not named'}")
        if answer.kind in ("wrong", "right") and not set(judgement.named) <= allowed:
            self.misnamed.append(f"{text}: {', '.join(judgement.named)}")


def all_answers(notebook: SolvedNotebook) -> Iterator[Answer]:
    """Yield every answer to the questions of an assignment that there is."""
    defining = {name: cell for cell in notebook.solutions for name in _defined(cell.source)}
    for cell in notebook.solutions:
        name = nbgrader_marks(cell).grade_id
        yield Answer(name, "solution", cell.source, "right", replaces=True)
        # A network that is handed in was trained before: nothing is learnt from a mutant of its
        # cell, if the hidden test asks no code.
        if asked_names([notebook.test_of(name)]):
            yield from mutants(cell)
    for m in misconceptions_in(notebook.assignment):
        cell = nbgrader_marks(defining[m.of.__name__]).grade_id
        yield Answer(cell, m.name, m.source, "misconception", name=m.name)
    kinds: tuple[Kind, ...] = ("wrong", "right")
    for kind in kinds:
        path = FOLDER / "answers" / f"{notebook.assignment}_{kind}.txt"
        if path.exists():
            yield from read_answers(path, kind)


def _defined(code: str) -> set[str]:
    """Return the names of the functions and classes that a cell defines."""
    definitions = ast.FunctionDef | ast.ClassDef
    return {node.name for node in ast.parse(code).body if isinstance(node, definitions)}


def equivalents(assignment: str) -> dict[str, dict[str, str]]:
    """Return for each solution cell the labels of mutants that are no mistakes, with the reason."""
    path = FOLDER / "equivalent" / f"{assignment}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


class Selftest:
    """The self-test of an assignment.

    Parameters
    ----------
    assignment
        Name of the assignment.
    questions
        The questions, as their solution cells are named, with or without ``_solution``. By default
        all of them.
    kinds
        The kinds of answers. By default all of them.
    most
        The largest number of mutants per solution cell; which ones is decided by chance, but always
        in the same way. By default all of them.
    notebooks, seed
        See `SolvedNotebook`.

    Attributes
    ----------
    answers
        The answers to judge.

    Raises
    ------
    autograder.errors.UserError
        If there is no such question.
    """

    def __init__(
        self,
        assignment: str,
        questions: Iterable[str] = (),
        kinds: Iterable[Kind] = (),
        *,
        most: int | None = None,
        notebooks: Path = NOTEBOOKS,
        seed: bytes = b"",
    ) -> None:
        self._notebook = SolvedNotebook(assignment, notebooks, seed)
        self._equivalent = equivalents(assignment)
        cells = [nbgrader_marks(cell).grade_id for cell in self._notebook.solutions]
        asked = {q if q.endswith("_solution") else f"{q}_solution" for q in questions}
        if unknown := asked - set(cells):
            raise UserError(f"{assignment} has no solution cell {sorted(unknown)[0]}.")
        chosen = [
            answer
            for answer in all_answers(self._notebook)
            if (not asked or answer.cell in asked) and (not kinds or answer.kind in kinds)
        ]
        self.answers = chosen if most is None else _sample(chosen, most)

    def judged(self, *, jobs: int = 1) -> Iterator[tuple[Answer, Judgement]]:
        """Judge the answers, `jobs` at a time; see `SolvedNotebook.judge`."""
        return self._notebook.judge(self.answers, jobs=jobs)

    def results(self, judged: Iterable[tuple[Answer, Judgement]]) -> dict[str, QuestionResult]:
        """Return what was found out about each question."""
        found: dict[str, QuestionResult] = {}
        for answer, judgement in judged:
            result = found.setdefault(judgement.question, QuestionResult(judgement.of))
            result.add(answer, judgement, self._equivalent.get(answer.cell, {}))
        return found


def _sample(answers: list[Answer], most: int) -> list[Answer]:
    kept = [answer for answer in answers if answer.kind != "mutant"]
    for cell in dict.fromkeys(answer.cell for answer in answers):
        found = [a for a in answers if a.cell == cell and a.kind == "mutant"]
        kept += random.Random(cell).sample(found, min(most, len(found)))
    return kept


def keep(assignment: str, found: dict[str, QuestionResult]) -> Path:
    """Write what was found out about an assignment's questions; return the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{assignment}.json"
    content = {question: asdict(result) for question, result in found.items()}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
