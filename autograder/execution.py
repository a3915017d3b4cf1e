"""Run one submitted notebook: its cells in a sandbox, the hidden tests out here.

The notebook comes in sanitized (hidden tests from the gradebook, in the right places) and goes out
with outputs that nbgrader reads as scores. The order of the cells is kept, so that a hidden test
sees the notebook as it stands at that point, just as in plain nbgrader.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.hidden.score import Score
from autograder.hidden.student import StudentError, Submission, asking
from autograder.panel import Line, panel
from autograder.sandbox.inside.responder import silenced
from autograder.sandbox.session import KernelEnded, Session
from autograder.source import nbgrader_marks

MAX_RESTARTS = 5
"""Kernels that a submission may lose before the rest of it gets no verdict."""

SAFE_MIME_TYPES = ("text/plain", "text/html", "text/latex", "image/png", "image/jpeg")
"""What a student's output may hold. HTML is sanitized again wherever it is shown."""


@dataclass
class Verdict:
    """What one question got, and why."""

    score: float
    points: float
    messages: list[str] = field(default_factory=list)
    misconceptions: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Record:
    """What the grader noted about one submission; stored in the graded notebook's metadata.

    Attributes
    ----------
    seconds : float
        Wall time.
    sandbox : {"bubblewrap", "none"}
    flags : list of str
        Reasons for a person to look at the submission.
    questions : dict of str to Verdict
    """

    seconds: float = 0.0
    sandbox: str = "bubblewrap"
    flags: list[str] = field(default_factory=list)
    questions: dict[str, Verdict] = field(default_factory=dict)


def is_hidden_test(cell: NotebookNode) -> bool:
    """Tell whether `cell` decides a score: a graded code cell that holds no solution."""
    marks = nbgrader_marks(cell)
    return cell.cell_type == "code" and bool(marks.get("grade")) and not marks.get("solution")


class Runner:
    """Runs the cells of one submission, through as many kernels as it wears out.

    Parameters
    ----------
    start : callable
        Starts a fresh kernel.

    Attributes
    ----------
    gave_up : str or None
        Why no further kernel is started.
    """

    def __init__(self, start: Callable[[], Session]) -> None:
        self._start = start
        self._session: Session | None = None
        self._restarts = 0
        self._done: list[str] = []
        self.gave_up: str | None = None

    def run(self, source: str) -> list[NotebookNode]:
        """Run one cell of the student's; return its outputs.

        A kernel that dies in it is replaced, and the cells before it are run again, so that what
        follows is graded as if the fatal cell had failed in an ordinary way.

        Raises
        ------
        KernelEnded
            If the cell ended the kernel; say so and go on with the next.
        """
        session = self._kernel()
        try:
            outputs = [_clean(output) for output in session.run(source)]
        except KernelEnded:
            self._session = None
            raise
        self._done.append(source)
        return [output for output in outputs if output is not None]

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Put a hidden test's request to the student's code."""
        try:
            return self._kernel().ask(request)
        except KernelEnded as ended:
            self._session = None
            return {"error": {"type": "KernelEnded", "text": str(ended)}}

    def close(self) -> None:
        """End the kernel."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _kernel(self) -> Session:
        if self.gave_up is not None:
            raise KernelEnded(self.gave_up)
        if self._session is None:
            if self._restarts > MAX_RESTARTS:
                self.gave_up = f"the kernel was lost {MAX_RESTARTS + 1} times before"
                raise KernelEnded(self.gave_up)
            self._restarts += 1
            session = self._start()
            try:
                for source in self._done:
                    session.run(source)
            except KernelEnded as ended:
                self.gave_up = f"running the earlier cells again failed: {ended}"
                raise KernelEnded(self.gave_up) from ended
            self._session = session
        return self._session


def grade_notebook(nb: NotebookNode, *, start: Callable[[], Session], files: Path) -> Record:
    """Run `nb` in place and return what the questions got.

    Parameters
    ----------
    nb : NotebookNode
        Sanitized submission; its cells get outputs, its metadata the record.
    start : callable
        Starts a fresh kernel for this submission.
    files : Path
        The submitted files, as the grader keeps them.

    Returns
    -------
    Record
        Without flags of earlier steps.
    """
    began = time.monotonic()
    record = Record()
    runner = Runner(start)
    submission = Submission(runner.ask, files)
    try:
        for number, cell in enumerate(nb.cells, start=1):
            if cell.cell_type != "code":
                continue
            cell.execution_count = number
            if is_hidden_test(cell):
                marks = cell.metadata.nbgrader
                verdict, cell.outputs = _judge(cell, submission, record)
                record.questions[marks.grade_id] = verdict
            elif cell.source.strip():
                try:
                    cell.outputs = runner.run(cell.source)
                except KernelEnded as ended:
                    cell.outputs = [_error("KernelEnded", f"Stopped by the grader: {ended}.")]
                    if not runner.gave_up:
                        record.flags.append(f"cell {number}: {ended}")
        if runner.gave_up:
            record.flags.append(f"the rest of the notebook was not run: {runner.gave_up}")
    finally:
        runner.close()
    record.seconds = time.monotonic() - began
    return record


def _judge(
    cell: NotebookNode, submission: Submission, record: Record
) -> tuple[Verdict, list[NotebookNode]]:
    """Run a hidden test on this side; return the verdict and the cell's output."""
    points = float(cell.metadata.nbgrader.points)
    grade_id = cell.metadata.nbgrader.grade_id
    try:
        # A warning about a strange answer is for nobody.
        with asking(submission), silenced():
            result = evaluate_test(cell.source, grade_id)
        if not isinstance(result, Score):
            raise TypeError("a hidden test must end with `score(...)`")
        if result.of != points:
            raise ValueError(f"`score(of={result.of:g})` in a cell of {points:g} points")
    except StudentError as error:
        return _no_credit(points, str(error))
    except Exception as error:
        # A hidden test that breaks is the course's fault, or an answer nobody thought of: a person
        # must look. The text goes to the instructor only; it may quote the test.
        record.flags.append(
            f"the hidden test of {grade_id} failed: {type(error).__name__}: {error}"
        )
        return _no_credit(points, "The test could not judge this answer; the instructor is told.")
    misconceptions = {
        c.misconception.name: c.misconception.explanation for c in result.checks if c.misconception
    }
    verdict = Verdict(
        score=result.points,
        points=points,
        messages=result.messages,
        misconceptions=[{"name": n, "explanation": e} for n, e in misconceptions.items()],
    )
    return verdict, [_result(result.points, result._repr_html_())]


def evaluate_test(source: str, name: str) -> Any:
    """Run `source` in a fresh namespace; return the value of its last expression."""
    tree = ast.parse(source)
    filename = f"<hidden test {name}>"
    last = tree.body[-1] if tree.body else None
    value = None
    if isinstance(last, ast.Expr):
        value = last.value
        del tree.body[-1]
    namespace: dict[str, Any] = {"__name__": "hidden_test"}
    exec(compile(tree, filename, "exec"), namespace)
    if value is None:
        return None
    return eval(compile(ast.Expression(value), filename, "eval"), namespace)


def _no_credit(points: float, reason: str) -> tuple[Verdict, list[NotebookNode]]:
    html = panel(0.0, points, [Line("no verdict", 0.0, reason)])
    return Verdict(0.0, points, [reason]), [_result(0.0, html)]


def _result(points: float, html: str) -> NotebookNode:
    # nbgrader reads the number in text/plain as the points reached.
    data = {"text/plain": repr(points), "text/html": html}
    return nbformat.v4.new_output("execute_result", data=data)


def _error(name: str, text: str) -> NotebookNode:
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])


def _clean(output: Any) -> NotebookNode | None:
    """Rebuild an output of the student's from its harmless parts; None if it is none."""
    if not isinstance(output, dict):
        return None
    match output.get("output_type"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return nbformat.v4.new_output("stream", name=name, text=str(output.get("text", "")))
        case "error":
            lines = output.get("traceback")
            return nbformat.v4.new_output(
                "error",
                ename=str(output.get("ename")),
                evalue=str(output.get("evalue")),
                traceback=[str(line) for line in lines] if isinstance(lines, list) else [],
            )
        case "display_data" | "execute_result":
            data = output.get("data")
            kept = (
                {k: data[k] for k in SAFE_MIME_TYPES if k in data} if isinstance(data, dict) else {}
            )
            kept = {k: v for k, v in kept.items() if isinstance(v, str)}
            return nbformat.v4.new_output("display_data", data=kept) if kept else None
    return None
