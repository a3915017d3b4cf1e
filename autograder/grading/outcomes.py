"""Grade the submissions of a class in worker processes, each of which has an outcome."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from tqdm.auto import tqdm
from traitlets.config import Config

from autograder.course import Course
from autograder.grading.best_attempt import attempts_at_most
from autograder.grading.limited import GRADER_SECONDS
from autograder.grading.nursery import nursery
from autograder.grading.trouble import concerns_everybody, explained
from autograder.grading.warm import warm_kernels
from autograder.grading.workers import WorkerLost, in_workers
from autograder.sandbox import cgroup
from autograder.sandbox.limits import Limits
from autograder.temporary import sweep


@dataclass(frozen=True)
class Outcome:
    """The outcome of grading one submission.

    Attributes
    ----------
    student
    problem
        Why there is no grade; None if there is one.
    for_everybody
        Whether no other submission could be graded either, because the gradebook or the disk
        refuses.
    unchanged
        Whether it was graded by an earlier run, and nothing has changed since.
    """

    student: str
    problem: str | None = None
    for_everybody: bool = False
    unchanged: bool = False


def outcome_of(student: str, command: str, steps: Callable[[], None]) -> Outcome:
    """Take the steps in which a submission is graded; return the outcome.

    Parameters
    ----------
    student
    command
        The command that goes on where this one has ended, for the message.
    steps
        What is done, in a worker.
    """
    import torch  # only in the workers, as it takes a second

    torch.set_num_threads(1)
    try:
        steps()
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        return Outcome(student, explained(problem, command), concerns_everybody(problem))
    return Outcome(student)


def outcomes(
    work: Callable[[str], Outcome],
    assignment: str,
    course: Course,
    config: Config,
    students: Sequence[str],
    jobs: int,
) -> Generator[Outcome, None, None]:
    """Do some work for each student in worker processes, while a bar shows how far it is.

    Parameters
    ----------
    work
        Grades the submission of a student.
    assignment, course
    config
        The configuration of the workers.
    students
    jobs
        How many submissions to grade in parallel.

    Yields
    ------
    Outcome
        One for each student, as soon as it is known.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C, SIGTERM or SIGHUP stopped the work.
    """
    limit = config.GradeInSandbox.get("total_seconds", Limits.total_seconds) + GRADER_SECONDS
    if config.GradeInSandbox.get("scheduler", ""):
        limit = math.inf  # the cluster's workers keep the limit, and jobs may wait for one of them
    if course.settings.attempts == "best":  # all attempts of a student are graded one by one
        limit *= 1 + attempts_at_most(course, assignment, students)
    nursery()  # which imports the grader while the rest of the run is prepared
    sweep()
    cgroup.sweep()
    failed = 0
    try:
        with (
            stopped_by_signals(),
            warm_kernels(assignment, course, config) as inherited,
            tqdm(total=len(students), desc=f"grading {assignment}", unit="submission") as bar,
            closing(
                in_workers(work, students, workers=jobs, seconds=limit, inherited=inherited)
            ) as results,
        ):
            for name, result in results:
                if isinstance(result, WorkerLost):
                    result = Outcome(name, f"the grader failed in this submission: {result}")
                yield result
                if result.problem is not None:
                    failed += 1
                    bar.set_postfix_str(f"{failed} without a grade", refresh=False)
                bar.update()
    finally:
        sweep()  # removes what killed workers left behind


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP (which a closed terminal sends) end the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread only
        return
    # A signal that is ignored stays ignored: that is what `nohup` asks for.
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
