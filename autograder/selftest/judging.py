"""Judge answers in the place where they stand: in the solved notebook, all else being right.

The notebook is run in this process, and before each solution cell the process is forked for every
answer to it. So an answer finds everything defined as a student does, and costs only itself.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.interactiveshell import InteractiveShell
from matplotlib import pyplot as plt
from nbformat import NotebookNode
from traitlets.config import Config

from autograder.assignments import NOTEBOOKS
from autograder.errors import UserError
from autograder.grading.execution import evaluate_test, is_hidden_test
from autograder.hidden.score import Score
from autograder.hidden.student import StudentError, Submission, asking
from autograder.notebook.source import nbgrader_marks
from autograder.samples import copy_reference_artifacts
from autograder.sandbox.inside.responder import Responder, silenced
from autograder.selftest.answers import Answer
from autograder.temporary import sweep, temporary_folder
from helpers.checks.result import CheckResult
from helpers.profile import profile

FORK = multiprocessing.get_context("fork")

TIMES_AS_LONG = 5.0
"""An answer that takes this many times as long as the solution, and `AT_LEAST` seconds, is stopped.

In a course it is stopped by the limits of the sandbox, so it counts as one that loses every point.
"""

AT_LEAST = 10.0


@dataclass(frozen=True)
class Judgement:
    """What became of an answer.

    Attributes
    ----------
    question
        The question whose hidden test judged it.
    points, of
        The points that it got, and the most that it could get.
    passes
        Whether all public checks between the answer and the hidden test passed. None: there are
        none.
    messages
        What the feedback says, a text for each check that lost points.
    named
        The misconceptions that the feedback names.
    problem
        What ended it, if it has no score: a limit, or an error in the hidden test.
    """

    question: str
    points: float
    of: float
    passes: bool | None = None
    messages: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def loses(self) -> bool:
        """Whether the answer lost points."""
        return self.points < self.of


class SolvedNotebook:
    """A source notebook whose cells are run one after the other, its solutions included.

    Parameters
    ----------
    assignment
        Name of the assignment.
    notebooks
        The folder of the source notebooks. By default, those of the project.
    seed
        What the random inputs of the hidden tests depend on; see `autograder.hidden.fresh`. By
        default, they are those that an instructor sees who runs the notebook.
    """

    def __init__(self, assignment: str, notebooks: Path = NOTEBOOKS, seed: bytes = b"") -> None:
        self.assignment = assignment
        self.seed = seed
        path = notebooks / assignment / f"{assignment}.ipynb"
        cells = nbformat.read(path, as_version=4).cells
        code: list[NotebookNode] = [cell for cell in cells if cell.cell_type == "code"]
        last = max(place for place, cell in enumerate(code) if is_hidden_test(cell))
        self.cells = code[: last + 1]

    @property
    def solutions(self) -> list[NotebookNode]:
        """The solution cells of questions that a hidden test judges, in order."""
        return [cell for cell in self.cells if nbgrader_marks(cell).get("solution")]

    def judge(
        self, answers: Sequence[Answer], *, jobs: int = 1
    ) -> Iterator[tuple[Answer, Judgement]]:
        """Judge answers in the order of the notebook.

        The hidden tests judge the solutions first, so that what they measure of the references is
        known when they judge the answers.

        Parameters
        ----------
        answers
            The answers.
        jobs
            How many to judge at a time.

        Yields
        ------
        Answer, Judgement
            An answer and what became of it.

        Raises
        ------
        autograder.errors.UserError
            If a solution does not get every point, or an answer is to a cell that is not there.
        """
        by_cell = self._by_cell(answers)
        with temporary_folder("selftest-") as folder, _in(folder):
            copy_reference_artifacts(
                self.assignment, folder / "artifacts" / profile(), networks=True
            )
            here = {*folder.iterdir()}
            seconds = self._seconds_of_solutions({self._test_after(name) for name in by_cell})
            # An answer that writes no file must not find that of the solution.
            for path in {*folder.iterdir()} - here:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            shell = _new_shell()
            for cell in self.cells:
                name = nbgrader_marks(cell).get("grade_id", "")
                if name in by_cell:
                    limit = AT_LEAST + TIMES_AS_LONG * seconds[self._test_after(name)]
                    yield from self._in_children(shell, by_cell[name], limit, jobs)
                if not is_hidden_test(cell):
                    _run(shell, cell.source)
        InteractiveShell.clear_instance()
        sweep()  # an answer that was stopped has left its folder

    def _by_cell(self, answers: Sequence[Answer]) -> Mapping[str, list[Answer]]:
        cells = [nbgrader_marks(cell).grade_id for cell in self.solutions]
        found: dict[str, list[Answer]] = {}
        for answer in answers:
            if answer.cell not in cells:
                raise UserError(
                    f"{self.assignment} has no solution cell {answer.cell!r} whose question a "
                    f"hidden test judges. It has {', '.join(cells)}."
                )
            found.setdefault(answer.cell, []).append(answer)
        return found

    def _seconds_of_solutions(self, tests: set[int]) -> dict[int, float]:
        """Let hidden tests judge the solution; return what each took, with the cells before it."""
        shell = _new_shell()
        seconds: dict[int, float] = {}
        began = time.monotonic()
        for place, cell in enumerate(self.cells):
            if not is_hidden_test(cell):
                _run(shell, cell.source)
                continue
            if place in tests:
                judgement = self._judged(cell, shell)
                if judgement.loses:
                    what = judgement.problem or "\n".join(judgement.messages)
                    raise UserError(
                        f"{self.assignment}: the solution of {judgement.question} loses:\n{what}"
                    )
            seconds[place] = time.monotonic() - began
            began = time.monotonic()
        return seconds

    def _place(self, name: str) -> int:
        names = [nbgrader_marks(cell).get("grade_id") for cell in self.cells]
        return names.index(name)

    def _test_after(self, name: str) -> int:
        """Return the place of the hidden test that judges a solution cell."""
        places = range(self._place(name), len(self.cells))
        return next(place for place in places if is_hidden_test(self.cells[place]))

    def test_of(self, name: str) -> NotebookNode:
        """Return the hidden test that judges a solution cell."""
        return self.cells[self._test_after(name)]

    def _in_children(
        self, shell: InteractiveShell, answers: Sequence[Answer], limit: float, jobs: int
    ) -> Iterator[tuple[Answer, Judgement]]:
        """Judge answers to one cell, each in a process of its own."""
        left = list(reversed(answers))
        running: dict[Connection, tuple[Answer, ForkProcess, float]] = {}
        while left or running:
            while left and len(running) < jobs:
                answer = left.pop()
                receiver, sender = FORK.Pipe(duplex=False)
                process = FORK.Process(target=self._child, args=(shell, answer, sender))
                process.start()
                sender.close()
                running[receiver] = answer, process, time.monotonic() + limit
            ready = wait(list(running), timeout=0.1)
            for receiver, (answer, process, deadline) in list(running.items()):
                late = time.monotonic() > deadline
                if receiver not in ready and not late:
                    continue
                problem = f"it took longer than {limit:.0f} s" if late else "its process ended"
                judgement = self._no_score(answer, problem)
                if receiver in ready:
                    with contextlib.suppress(EOFError):
                        judgement = receiver.recv()
                process.kill()
                process.join()
                receiver.close()
                del running[receiver]
                yield answer, judgement

    def _no_score(self, answer: Answer, problem: str) -> Judgement:
        marks = nbgrader_marks(self.test_of(answer.cell))
        return Judgement(marks.grade_id, 0.0, float(marks.points), problem=problem)

    def _child(self, shell: InteractiveShell, answer: Answer, sender: Connection) -> None:
        """Run an answer, the cells after it, and the hidden test; send what became of it."""
        place, test = self._place(answer.cell), self._test_after(answer.cell)
        with temporary_folder("answer-") as folder:
            # An answer may save other networks; links let it replace files without harm.
            shutil.copytree(Path.cwd(), folder, copy_function=os.link, dirs_exist_ok=True)
            os.chdir(folder)
            if not answer.replaces:
                _run(shell, self.cells[place].source)
            _try(shell, answer.source)
            checked = [_try(shell, cell.source) for cell in self.cells[place + 1 : test]]
            results = [bool(result) for result in checked if isinstance(result, CheckResult)]
            judgement = self._judged(self.cells[test], shell)
            sender.send(replace(judgement, passes=all(results) if results else None))

    def _judged(self, test: NotebookNode, shell: InteractiveShell) -> Judgement:
        """Ask a hidden test about the answers in a shell."""
        submission = Submission(Responder(shell.user_ns).answer, Path.cwd(), self.seed)
        question, points = test.metadata.nbgrader.grade_id, float(test.metadata.nbgrader.points)
        problem = ""
        try:
            with asking(submission), silenced():
                result = evaluate_test(test.source, question)
            assert isinstance(result, Score)
        except StudentError as error:
            return Judgement(question, 0.0, points, messages=[str(error)])
        except UserError:
            raise
        except Exception as error:
            problem = f"the hidden test failed: {type(error).__name__}: {error}"
            return Judgement(question, 0.0, points, problem=problem)
        named = [check.misconception.name for check in result.checks if check.misconception]
        return Judgement(
            question, result.points, result.of, messages=result.messages, named=sorted({*named})
        )


def _run(shell: InteractiveShell, source: str) -> None:
    """Run a cell of the course, which must succeed."""
    with silenced():
        shell.run_cell(source).raise_error()
    plt.close("all")


def _try(shell: InteractiveShell, source: str) -> Any:
    """Run a cell that may fail; return the value of its last line."""
    with silenced():
        result = shell.run_cell(source).result
    plt.close("all")
    return result


def _new_shell() -> InteractiveShell:
    """Return a shell with an empty namespace; it becomes the one that `get_ipython` returns."""
    InteractiveShell.clear_instance()
    return InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))


@contextlib.contextmanager
def _in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
