"""Grade a class: every submission in its own sandbox, several at a time."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from tqdm.auto import tqdm
from traitlets.config import Config

from autograder.course import add_scripts_to_path, course_config
from autograder.errors import UserError
from autograder.sandbox import bubblewrap
from autograder.submitted import collect


class NotReleased(UserError):
    """The gradebook does not know the assignment; the message says what to do."""


@dataclass(frozen=True)
class Outcome:
    """How grading one submission went.

    Attributes
    ----------
    student : str
    problem : str or None
        Why there is no grade; None if there is one.
    """

    student: str
    problem: str | None = None


def grade(
    assignment: str,
    course: Path,
    *,
    source: Path | None = None,
    students: Sequence[str] | None = None,
    jobs: int | None = None,
    settings: Config | None = None,
) -> list[Outcome]:
    """Grade submissions into the gradebook, and write the graded notebooks and feedback pages.

    Parameters
    ----------
    assignment : str
    course : Path
        The course folder.
    source : Path, optional
        Folder or zip of submissions to bring in first; by default what lies in ``submitted/``.
    students : sequence of str, optional
        Grade these only.
    jobs : int, optional
        Submissions at a time; by default the number of processors.
    settings : traitlets.config.Config, optional
        Changes to the course's configuration, such as ``GradeInSandbox.sandbox``.

    Returns
    -------
    list of Outcome
        One per submission, in the students' order.

    Raises
    ------
    NotReleased
        If the assignment was not released in this course.
    autograder.sandbox.bubblewrap.SandboxUnavailable
        If student code cannot be locked in and `settings` does not waive it.
    FileNotFoundError
        If there is nothing to grade.
    """
    config = course_config(course)
    config.merge(settings or Config())
    if config.GradeInSandbox.get("sandbox", True):
        bubblewrap.require()
    add_scripts_to_path()
    _require_release(assignment, course, config)
    submitted = course / "submitted"
    submitted.mkdir(exist_ok=True)
    collected = collect(source or submitted, assignment, submitted)
    names = collected.students
    if students is not None:
        if unknown := sorted(set(students) - set(names)):
            raise FileNotFoundError(f"there is no submission of {', '.join(unknown)}")
        names = list(students)
    outcomes = {}
    with tqdm(total=len(names), desc=f"grading {assignment}", unit="submission") as bar:
        tasks = {name: _with_flags(config, collected.notes[name]) for name in names}
        for outcome in _grade_all(assignment, tasks, jobs or os.cpu_count() or 1):
            outcomes[outcome.student] = outcome
            bar.update()
    return [outcomes[name] for name in names]


def _require_release(assignment: str, course: Path, config: Config) -> None:
    # Opening a gradebook would make one, in a folder that may be the wrong one.
    if (course / "gradebook.db").exists():
        with Gradebook(config.CourseDirectory.db_url) as gradebook:
            try:
                gradebook.find_notebook(assignment, assignment)
                return
            except MissingEntry:
                pass
    raise NotReleased(
        f"{assignment} was not released in {course.resolve()}: run `autograder release "
        f"{assignment}` first, with the same --course."
    )


def _with_flags(config: Config, notes: list[str]) -> Config:
    own = copy.deepcopy(config)
    own.GradeInSandbox.flags = notes
    return own


def _grade_all(assignment: str, tasks: dict[str, Config], jobs: int) -> Iterator[Outcome]:
    """Grade in `jobs` processes. If one of them dies, grade the rest one process each."""
    left = dict(tasks)
    with _pool(min(jobs, max(1, len(tasks)))) as pool:
        futures: list[Future] = [
            pool.submit(_grade_one, assignment, name, config) for name, config in tasks.items()
        ]
        for future in as_completed(futures):
            try:
                outcome = future.result()
            except BrokenProcessPool:
                continue
            del left[outcome.student]
            yield outcome
    for name, config in left.items():
        with _pool(1) as pool:
            try:
                yield pool.submit(_grade_one, assignment, name, config).result()
            except BrokenProcessPool:
                yield Outcome(name, "the grader's own process died (out of memory?)")


def _pool(jobs: int) -> ProcessPoolExecutor:
    # A fresh interpreter each: forking a process that has used torch is not safe.
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_prepare_worker)


def _prepare_worker() -> None:
    torch.set_num_threads(1)
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)


def _grade_one(assignment: str, student: str, config: Config) -> Outcome:
    try:
        for step in (Autograde, GenerateFeedback):
            _convert(step, assignment, student, config)
    except Exception as error:
        return Outcome(student, f"{type(error).__name__}: {error}")
    return Outcome(student)


def _convert(step: Any, assignment: str, student: str, config: Config) -> None:
    coursedir = CourseDirectory(config=config)
    coursedir.assignment_id = assignment
    coursedir.student_id = student
    converter = step(coursedir=coursedir, config=config)
    converter.force = True
    converter.start()
