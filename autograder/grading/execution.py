"""Run one submitted notebook: its cells in a sandbox, its hidden tests in the grader's process.

The notebook has already been repaired: its hidden tests come from the gradebook and are in the
right places. Running it adds the outputs that nbgrader reads as scores. Cells run in order, so that
a hidden test sees the state of the notebook at that point, just as in plain nbgrader.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import nbformat
import torch
from nbformat import NotebookNode

from autograder.errors import UserError
from autograder.grading.intake.names import printable
from autograder.grading.intake.pictures import Pictures, with_pictures
from autograder.grading.limited import LimitReached, lifted, limited
from autograder.grading.question_box import GradedCheck, question_box, waiting_box
from autograder.grading.record import NamedMisconception, QuestionRecord, Record
from autograder.grading.rest_of_cell import rest_of_cell
from autograder.hidden.score import Score
from autograder.hidden.student import StudentError, Submission, asking
from autograder.notebook.source import nbgrader_marks
from autograder.sandbox.inside.responder import silenced
from autograder.sandbox.session import KernelEnded, Session

MAX_RESTARTS = 5
"""How often a lost kernel is replaced; when the last one is lost too, the rest is not run."""

TEST_SECONDS = 900.0
"""Limit on the processor time of a hidden test in the grader's process.

For a correct submission, the longest tests measure 21 networks on the 10,000 test images of
CIFAR-10, at 19 s each on one processor; the limit is twice that, for slower machines.
"""
TEST_BYTES = 2 * 2**30
"""Limit on the memory of a hidden test, in addition to what the grader uses already.

CIFAR-10 takes 0.2 GB, and the largest answer that `wire` accepts takes 0.3 GB while it is decoded.
"""

MAX_OUTPUT = 2 * 2**20
"""Limit on the characters of one output. A figure of the course has 20,000 to 200,000."""
MAX_CELL_OUTPUT = 2 * MAX_OUTPUT
MAX_NOTEBOOK_OUTPUT = 4 * MAX_OUTPUT
"""Limit on the characters of all outputs of a notebook: enough for 40 large figures."""
OUTPUT_COST = MAX_NOTEBOOK_OUTPUT // 1000
"""The fewest characters that an output counts as, so that a notebook has at most 1,000 outputs.

Even an empty output takes 2 ms to put on a page.
"""
TRIES = 3
"""How often a cell or a hidden test is run if the kernel is killed, perhaps from outside."""
RUN_AGAIN = "its Python process was killed, but not by the grader; it was run again"
"""The flag of a cell or a hidden test that was killed and then succeeded."""

MAX_TEXT = 2000
"""Limit on the characters of a message, a flag or an error's text; ours have at most 500."""

Answer = TypeVar("Answer")

SAFE_MIME_TYPES = ("text/plain", "text/html", "text/latex", "image/png", "image/jpeg")
"""The kinds of data that a student's output may contain. HTML is sanitized wherever it is shown."""


def is_hidden_test(cell: NotebookNode) -> bool:
    """Return whether `cell` is a hidden test: a graded code cell that holds no solution."""
    marks = nbgrader_marks(cell)
    return cell.cell_type == "code" and bool(marks.get("grade")) and not marks.get("solution")


class Runner:
    """Runs the cells of one submission, replacing its kernel when a cell ends it.

    If the kernel is killed, and not by the grader, nobody knows whether student code did it or
    something outside the sandbox. So what it was doing is done again, in a new kernel; only what is
    killed `TRIES` times counts as student code that kills itself.

    Parameters
    ----------
    start
        Starts a fresh kernel.
    pictures
        The figures that were handed in; see `autograder.grading.intake.pictures`.

    Attributes
    ----------
    gave_up
        Why no more kernels are started; None if they still are.
    killed
        How often the kernel was killed, and what it was doing was then done again.
    """

    def __init__(self, start: Callable[[], Session], pictures: Pictures) -> None:
        self._start = start
        self._pictures = pictures
        self._session: Session | None = None
        self._starts = 0
        self._done: list[str] = []
        self._room = MAX_NOTEBOOK_OUTPUT
        self.gave_up: str | None = None
        self.killed = 0

    def run(self, source: str) -> list[NotebookNode]:
        """Run one of the student's cells; return its outputs.

        If the cell ends the kernel, the next cell gets a new one, in which the earlier cells are
        run again, so that the rest is graded as if the fatal cell had raised an ordinary exception.

        Raises
        ------
        KernelEnded
            If the cell ended the kernel. The caller may go on with the next cell.
        """
        outputs = self._again_if_killed(lambda: self._run(source))
        self._done.append(source)
        outputs = with_pictures(outputs, self._pictures.get(source, ()))
        shown = shown_outputs(outputs, min(self._room, MAX_CELL_OUTPUT))
        self._room -= sum(map(_size, shown))
        return shown

    def forgive(self) -> None:
        """Do not count the last kernel as lost: it was killed, perhaps from outside."""
        self.killed += 1
        self._starts -= 1

    def _again_if_killed(self, work: Callable[[], Answer]) -> Answer:
        """Do some work in the kernel; if the kernel is killed, do it again.

        Raises
        ------
        KernelEnded
            If the work ended the kernel, or the kernel was killed every time.
        """
        for _ in range(TRIES - 1):
            try:
                return work()
            except KernelEnded as ended:
                if not ended.killed:
                    raise
                self.forgive()
        try:
            return work()
        except KernelEnded as ended:
            raise KernelEnded(_every_time(ended)) from ended

    def _run(self, source: str) -> list[dict[str, Any]]:
        session = self._kernel()
        try:
            return session.run(source)
        except KernelEnded:
            self._session = None
            raise

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a hidden test's request to the student's code.

        Raises
        ------
        KernelEnded
            If the code ended the kernel.
        """
        session = self._kernel()
        try:
            return session.ask(request)
        except KernelEnded:
            self._session = None
            raise
        except BaseException:
            # A limit was reached in the middle of a reply. The next request needs a new kernel: the
            # old one would first send the rest of that reply.
            self.close()
            raise

    def close(self) -> None:
        """End the kernel."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _kernel(self) -> Session:
        if self.gave_up is not None:
            raise KernelEnded(self.gave_up)
        if self._session is None:
            if self._starts > MAX_RESTARTS:
                self.gave_up = f"the kernel had already been lost {MAX_RESTARTS + 1} times"
                raise KernelEnded(self.gave_up)
            try:
                self._session = self._again_if_killed(self._prepared)
            except KernelEnded as ended:
                if not self._done:
                    raise
                self.gave_up = f"running the earlier cells again failed: {ended}"
                raise KernelEnded(self.gave_up) from ended
        return self._session

    def _prepared(self) -> Session:
        """Return a new kernel in which the earlier cells have been run."""
        self._starts += 1
        with lifted():  # the kernel must not inherit the limits of a hidden test that asks
            session = self._start()
        for source in self._done:
            session.run(source)
        return session


def grade_notebook(
    nb: NotebookNode,
    *,
    start: Callable[[], Session],
    files: Path,
    given: Collection[str] | None = None,
    pictures: Pictures = MappingProxyType({}),
    seed: bytes = b"",
) -> Record:
    """Run `nb` in place and return the results of its questions.

    Parameters
    ----------
    nb
        The repaired submission; the outputs are added to its cells.
    start
        Starts a fresh kernel for this submission.
    files
        The grader's copy of the submitted files.
    given
        The texts of the cells without marks that the course has released. If another cell without
        marks fails, it is flagged, and what follows the line that failed is run as well. By
        default they are not known, and nothing is flagged.
    pictures
        The figures that were handed in, by the texts of their cells; the kernel draws none.
    seed
        What the random inputs of the hidden tests depend on; see `autograder.hidden.fresh`.

    Returns
    -------
    Record
        The results, without the flags of earlier steps.

    Raises
    ------
    autograder.errors.UserError
        If the submission cannot be graded, through no fault of its student.
    """
    began = time.monotonic()
    record = Record()
    runner = Runner(start, pictures)
    try:
        for number, cell in enumerate(nb.cells, start=1):
            if cell.cell_type != "code":
                continue
            cell.execution_count = number
            if is_hidden_test(cell):
                name = cell.metadata.nbgrader.grade_id
                record.questions[name], cell.outputs = _judge(cell, runner, files, seed, record)
            elif cell.source.strip():
                name = _name(number, cell)
                killed = runner.killed
                theirs = given is not None and not nbgrader_marks(cell) and cell.source not in given
                try:
                    cell.outputs = runner.run(cell.source)
                    if theirs and (failed := _failure(cell.outputs)):
                        record.flags.append(_run_the_rest(cell, name, failed, runner))
                except KernelEnded as ended:
                    text = f"Stopped by the grader in {name}: {ended}."
                    cell.outputs = [_error("KernelEnded", text, f"KernelEnded: {text}")]
                    if not runner.gave_up:
                        record.flags.append(f"{name}: {ended}")
                else:
                    if runner.killed > killed:
                        record.flags.append(f"{name}: {RUN_AGAIN}")
        if runner.gave_up:
            record.flags.append(f"the rest of the notebook was not run: {runner.gave_up}")
    finally:
        runner.close()
    record.flags = [_cut(flag, MAX_TEXT) for flag in record.flags]
    record.seconds = time.monotonic() - began
    return record


def _failure(outputs: list[NotebookNode]) -> NotebookNode | None:
    """Return the error with which a cell ended, if it did."""
    return next((output for output in outputs if output.output_type == "error"), None)


def _run_the_rest(cell: NotebookNode, name: str, failed: NotebookNode, runner: Runner) -> str:
    """Run what comes after the line of a cell that failed; return a flag that says so.

    Raises
    ------
    KernelEnded
        If that ended the kernel.
    """
    line, statements = rest_of_cell(cell.source, "\n".join(failed.traceback))
    for statement in statements:
        cell.outputs += runner.run(statement)
    after = "; what comes after it was run all the same" if statements else ""
    return f"{name} failed at `{printable(line[:100])}` ({printable(failed.ename[:50])}){after}"


def _name(number: int, cell: NotebookNode) -> str:
    """Name a cell so that people can find it: ``cell 7 (quantize_solution)``, or its first line."""
    if grade_id := nbgrader_marks(cell).get("grade_id"):
        return f"cell {number} ({grade_id})"
    line = cell.source.strip().splitlines()[0][:50]
    return f"cell {number} (`{''.join(c if c.isprintable() else ' ' for c in line)}`)"


def _judge(
    cell: NotebookNode, runner: Runner, files: Path, seed: bytes, record: Record
) -> tuple[QuestionRecord, list[NotebookNode]]:
    """Run a hidden test in this process; return the question's record and the cell's output.

    If the kernel is killed meanwhile, and not by the grader, the test is run again from its
    beginning: it may hold handles to objects of the kernel that is gone.
    """
    for attempt in range(1, TRIES + 1):
        tried = Record()
        killed = runner.killed
        judged = _judge_once(cell, runner, files, seed, tried, forgiving=attempt < TRIES)
        if runner.killed == killed:
            break
    if attempt > 1 and not tried.flags:
        tried.flags = [f"the hidden test of {cell.metadata.nbgrader.grade_id}: {RUN_AGAIN}"]
    record.flags += [flag for flag in tried.flags if flag not in record.flags]
    return judged


def _judge_once(
    cell: NotebookNode,
    runner: Runner,
    files: Path,
    seed: bytes,
    record: Record,
    *,
    forgiving: bool,
) -> tuple[QuestionRecord, list[NotebookNode]]:
    """Run a hidden test; if `forgiving`, a killed kernel does not count as lost."""
    points = float(cell.metadata.nbgrader.points)
    grade_id = cell.metadata.nbgrader.grade_id

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        try:
            return runner.ask(request)
        except KernelEnded as ended:
            if ended.killed and forgiving:
                runner.forgive()
            reason = _every_time(ended)
            flag = f"a call in the hidden test of {grade_id}: {reason}"
            if not runner.gave_up and flag not in record.flags:
                record.flags.append(flag)
            return {"error": {"type": "KernelEnded", "text": reason}}

    try:
        # Silenced, because nobody would read a warning that a strange answer causes here.
        with asking(Submission(ask, files, seed)), silenced(), _within_limits():
            result = evaluate_test(cell.source, grade_id)
        if not isinstance(result, Score):
            raise TypeError("a hidden test must end with `score(...)`")
        if result.of != points:
            raise ValueError(f"`score(of={result.of:g})` in a cell of {points:g} points")
    except StudentError as error:
        return _no_credit(points, str(error))
    except LimitReached as reached:
        record.flags.append(f"the hidden test of {grade_id} was stopped: {reached}")
        reason = f"The test of this answer was stopped: {reached}."
        return _no_verdict(points, reason)
    except UserError:
        raise
    except Exception as error:
        # Either the hidden test has a bug, or nobody expected such an answer: the instructor must
        # look. Only the instructor sees the error's text, because it may quote the test.
        record.flags.append(
            f"the hidden test of {grade_id} failed: {type(error).__name__}: {error}"
        )
        return _no_verdict(points, "The test could not judge this answer.")
    # A message may quote the answer, which can be very long (a dictionary key of 60 MB, say).
    checks = tuple(replace(check, message=_cut(check.message, MAX_TEXT)) for check in result.checks)
    result = replace(result, checks=checks)
    named = [
        NamedMisconception(c.misconception.name, c.misconception.explanation)
        for c in checks
        if c.misconception
    ]
    question = QuestionRecord(
        score=result.points,
        points=points,
        messages=result.messages,
        misconceptions=list(dict.fromkeys(named)),
    )
    return question, [_result(result.points, result._repr_html_())]


def _every_time(ended: KernelEnded) -> str:
    """Return why a kernel ended when it was tried for the last time."""
    return f"{ended} {TRIES} times" if ended.killed else str(ended)


def _within_limits() -> AbstractContextManager[None]:
    # CUDA is started first, so that the memory it takes on the host does not count as the test's.
    if torch.cuda.is_available():
        with suppress(RuntimeError):
            torch.zeros((), device="cuda")
    return limited(processor_seconds=TEST_SECONDS, memory_bytes=TEST_BYTES)


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


def _no_credit(points: float, reason: str) -> tuple[QuestionRecord, list[NotebookNode]]:
    reason = _cut(reason, MAX_TEXT)
    html = question_box(0.0, points, [GradedCheck("no answer", 0.0, reason)])
    return QuestionRecord(0.0, points, [reason]), [_result(0.0, html)]


def _no_verdict(points: float, reason: str) -> tuple[QuestionRecord, list[NotebookNode]]:
    """Leave a question to a person, which counts as zero until then.

    It is not a zero of the student's, because the test may be wrong; and if the student provoked it
    on purpose, a person sees that.
    """
    reason = f"{_cut(reason, MAX_TEXT)} A person will look at it."
    question = QuestionRecord(0.0, points, [reason], judged=False)
    return question, [_result(0.0, waiting_box(points, reason))]


def _result(points: float, html: str) -> NotebookNode:
    # nbgrader reads the number in text/plain as the score.
    data = {"text/plain": repr(points), "text/html": html}
    return nbformat.v4.new_output("execute_result", data=data)


def shown_outputs(outputs: list[Any], room: int) -> list[NotebookNode]:
    """Rebuild the outputs of a cell from their harmless parts, as far as the limits allow.

    Parameters
    ----------
    outputs
        The outputs as the kernel sent them; they are not trusted in any way.
    room
        The number of characters that the result may have in total.

    Returns
    -------
    list of NotebookNode
        Outputs that are too large, or that come after these characters are used up, are replaced by
        a line that says so.
    """
    shown: list[NotebookNode] = []
    for place, sent in enumerate(outputs):
        if room < OUTPUT_COST:
            shown.append(_note(f"{len(outputs) - place:,} outputs"))
            break
        if output := _harmless(sent, min(room, MAX_OUTPUT)):
            room -= _size(output)
            shown.append(output)
    return shown


def _size(output: NotebookNode) -> int:
    """Return how many characters an output counts as."""
    match output.output_type:
        case "stream":
            characters = len(output.text)
        case "error":
            characters = sum(map(len, [output.ename, output.evalue, *output.traceback]))
        case _:
            characters = sum(map(len, output.data.values()))
    return max(OUTPUT_COST, characters)


def _harmless(output: Any, most: int) -> NotebookNode | None:
    """Rebuild an output from its harmless parts; return None if it is not an output at all.

    The result has at most `most` characters: text is cut, and anything else that is longer is
    replaced by a line that says so.
    """
    if not isinstance(output, dict):
        return None
    match output.get("output_type"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            text = _cut(_text(output.get("text")), most)
            return nbformat.v4.new_output("stream", name=name, text=text)
        case "error":
            lines = output.get("traceback")
            text = "\n".join(map(_text, lines)) if isinstance(lines, list) else ""
            ename, evalue = (_cut(_text(output.get(key)), MAX_TEXT) for key in ("ename", "evalue"))
            return _error(ename, evalue, _cut(text, most))
        case "display_data" | "execute_result":
            data = output.get("data")
            data = data if isinstance(data, dict) else {}
            kept = {k: data[k] for k in SAFE_MIME_TYPES if isinstance(data.get(k), str)}
            size = sum(map(len, kept.values()))
            if size > most:
                return _note(f"an output of {size:,} characters")
            return nbformat.v4.new_output("display_data", data=kept) if kept else None
    return None


def _error(name: str, text: str, traceback: str) -> NotebookNode:
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[traceback])


def _note(what: str) -> NotebookNode:
    text = f"[The grader left out {what} here, because there is too much output.]\n"
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[:most]}\n[The grader left out {len(text) - most:,} more characters here.]\n"
