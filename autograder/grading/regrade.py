"""Say what grading again would change, and for whom, before anything is written.

Submissions are graded into a copy of the gradebook. What is computed for that is kept, so that
grading afterwards takes over the same results instead of running every submission once more.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.configuration import add_scripts_to_path, full_config
from autograder.course import Course
from autograder.errors import UserError
from autograder.gradebook_settings import apply_settings
from autograder.grading.apart import config_apart, folder_apart
from autograder.grading.converting import convert
from autograder.grading.grade import chosen, released_answers
from autograder.grading.nbgrader_steps import require_sandbox
from autograder.grading.outcomes import Outcome, outcome_of, outcomes
from autograder.grading.record import Record
from autograder.grading.trouble import DiskTrouble, disk_trouble_explained
from autograder.grading.unchanged import Unchanged
from autograder.notebook.questions import headings, words

APART = ".regrade"
"""The folder in the course folder in which submissions are graded again."""


@dataclass(frozen=True)
class Change:
    """A question of which a student's result would change.

    Attributes
    ----------
    student
    name
        The ``grade_id`` of the question.
    question
        Its heading in the notebook.
    before, after
        The points that the hidden test gives; None if a person has to look.
    reasons
        What the student would be told.
    """

    student: str
    name: str
    question: str
    before: float | None
    after: float | None
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return a line such as ``ada: 1.1 Rounding: 8 -> 6 points (the steps are too wide)``."""
        reasons = f" ({' '.join(self.reasons)})" if self.reasons else ""
        before, after = _points(self.before), _points(self.after)
        return f"{self.student}: {self.question}: {before} -> {after}{reasons}"


def _points(score: float | None) -> str:
    return "no points yet" if score is None else f"{score:g} {'point' if score == 1 else 'points'}"


@dataclass(frozen=True)
class Regraded:
    """What grading again would give.

    Attributes
    ----------
    students
        How many submissions depend on something that has changed since they were graded.
    changes
        The results that would change.
    problems
        The students whose submissions cannot be graded, and why.
    """

    students: int
    changes: list[Change]
    problems: dict[str, str]

    def only(self, question: str) -> tuple[list[Change], list[str]]:
        """Return the changes of one question, and the students for whom others would change."""
        changes = [change for change in self.changes if change.name == question]
        others = {change.student for change in self.changes if change.name != question}
        return changes, sorted(others)


@disk_trouble_explained()
def regrade(
    assignment: str,
    course: Course,
    *,
    students: Sequence[str] | None = None,
    jobs: int | None = None,
    settings: Config | None = None,
) -> Regraded:
    """Grade all submissions apart from the gradebook whose grade depends on a change.

    Parameters
    ----------
    assignment
    course
        Where the best of several attempts counts, only the one that counts now is graded.
    students
        Grade only these students. By default, all.
    jobs
        How many submissions to grade in parallel; by default the number of processors.
    settings
        Changes to the course's configuration.

    Raises
    ------
    NotReleased
        If the assignment was not released in this course.
    NoHandIns
        If there is no submission of one of the students.
    autograder.grading.trouble.DiskTrouble
        If the gradebook is locked or damaged, or the disk full or read-only. Nothing has changed
        then.
    autograder.errors.UserError
        If student code cannot be sandboxed.
    KeyboardInterrupt
        If Ctrl-C or a signal stopped the run. Nothing has changed then.
    """
    config = full_config(course)
    config.merge(settings or Config())
    if config.GradeInSandbox.get("sandbox", True):
        require_sandbox(CourseDirectory(config=config))
    add_scripts_to_path()
    released_answers(assignment, course)
    apply_settings(course)
    graded_before = Unchanged(assignment, course, config)
    config.GradeInSandbox.cache = str(graded_before.cache_folder())
    names = sorted(place.parent.name for place in course.submitted.glob(f"*/{assignment}"))
    names = [name for name in names if not name.startswith(".")]
    if students is not None:
        names = chosen(students, names)
    unchanged = set(graded_before.among(names))
    changed = [name for name in names if name not in unchanged]
    problems: dict[str, str] = {}
    with folder_apart(course.folder / APART) as folder:
        config = config_apart(course, config, folder)
        work = partial(_grade_apart, assignment, course, config)
        jobs = jobs or os.cpu_count() or 1
        with closing(outcomes(work, assignment, course, config, changed, jobs)) as results:
            for outcome in results:
                if outcome.for_everybody:
                    problem = str(outcome.problem)
                    raise DiskTrouble(f"{problem[0].upper()}{problem[1:]}.")
                if outcome.problem is not None:
                    problems[outcome.student] = outcome.problem
        graded = [name for name in changed if name not in problems]
        return Regraded(len(changed), _changes(assignment, course, config, graded), problems)


def require_question(name: str, assignment: str, course: Course) -> None:
    """Make sure that a question belongs to an assignment.

    Raises
    ------
    NotReleased
        If the assignment was not released in this course.
    UserError
        If the question does not belong to it; the message lists those that do.
    """
    released_answers(assignment, course)
    with course.gradebook() as gradebook:
        notebook = gradebook.find_notebook(assignment, assignment)
        names = sorted(cell.name for cell in [*notebook.grade_cells, *notebook.task_cells])
    if name not in names:
        raise UserError(
            f"{name!r} is not a question of {assignment}. Its questions are: {', '.join(names)}."
        )


def _graded_apart(course: Course, config: Config, student: str, assignment: str) -> Path:
    place = course.folder / config.CourseDirectory.autograded_directory / student / assignment
    return place / f"{assignment}.ipynb"


def _grade_apart(assignment: str, course: Course, config: Config, student: str) -> Outcome:
    """Grade a submission apart."""

    def steps() -> None:
        # The graded notebook says to which answers the points belong that a person gave.
        graded = course.graded_notebook(student, assignment)
        if graded.is_file():
            place = _graded_apart(course, config, student, assignment)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(graded, place)
        convert(Autograde, assignment, student, config)

    return outcome_of(student, f"`autograder regrade {assignment}`", steps)


def _changes(
    assignment: str, course: Course, config: Config, students: Sequence[str]
) -> list[Change]:
    """Compare what was graded apart with the gradebook."""
    found = []
    with course.gradebook() as gradebook, Gradebook(config.CourseDirectory.db_url) as copy:
        for student in students:
            before = _scores(gradebook, assignment, student)
            after = _scores(copy, assignment, student)
            if before == after:
                continue
            path = _graded_apart(course, config, student, assignment)
            graded = nbformat.read(path, as_version=nbformat.NO_CONVERT)
            questions, under = Record.read(graded).questions, headings(graded)
            for name, score in after.items():
                if name in before and before[name] == score:
                    continue
                told = questions[name].messages if name in questions else []
                heading = under.get(name) or words(name)
                found.append(Change(student, name, heading, before.get(name), score, tuple(told)))
    return found


def _scores(gradebook: Gradebook, assignment: str, student: str) -> dict[str, float | None]:
    """Return the automatic points of each question; None where a person has to look."""
    try:
        notebook = gradebook.find_submission_notebook(assignment, assignment, student)
    except MissingEntry:
        return {}
    return {
        grade.name: None if grade.needs_manual_grade else grade.auto_score
        for grade in notebook.grades
    }
