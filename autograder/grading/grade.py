"""Grade a class: every submission in its own sandbox, several at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from nbgrader.api import MissingEntry
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.configuration import add_scripts_to_path, full_config
from autograder.course import Course, NoGradebook, NotReleased
from autograder.gradebook_settings import apply_settings
from autograder.grading import unfinished
from autograder.grading.attempt_choice import Choice, attempts_of
from autograder.grading.backup import backup
from autograder.grading.best_attempt import grade_best
from autograder.grading.converting import convert
from autograder.grading.intake.collecting import Collected, NoHandIns, collect
from autograder.grading.intake.hand_in_files import shortened
from autograder.grading.intake.names import safe_name
from autograder.grading.nbgrader_steps import require_sandbox
from autograder.grading.outcomes import Outcome, outcome_of, outcomes
from autograder.grading.trouble import DiskTrouble, disk_trouble_explained
from autograder.grading.unchanged import Unchanged

SHOWN_NAMES = 10
"""How many of the submissions that a stopped run did not grade its message names.

The class report lists all of them.
"""


class GradingStopped(KeyboardInterrupt):
    """Ctrl-C or a signal ended the run; the message says what is graded and how to continue."""


def grade(
    assignment: str,
    course: Course,
    *,
    source: Path | None = None,
    students: Sequence[str] | None = None,
    jobs: int | None = None,
    settings: Config | None = None,
    on_import: Callable[[Collected], None] | None = None,
    again: bool = False,
) -> list[Outcome]:
    """Grade submissions into the gradebook, and write the graded notebooks and feedback pages.

    Parameters
    ----------
    assignment
    course
    source
        Folder or archive of submissions to import first; what became of every file is written to
        `Course.hand_ins`. By default, the submissions that are in ``submitted/`` are graded.
    students
        Grade only these students. By default, all whose grade depends on something that has changed
        since they were graded; see `autograder.grading.unchanged`.
    jobs
        How many submissions to grade in parallel; by default the number of processors, of this
        machine or of the cluster.
    settings
        Changes to the course's configuration, such as ``GradeInSandbox.sandbox``.
    on_import
        Called with what was imported, before it is graded.
    again
        Grade all submissions, whether something has changed or not.

    Returns
    -------
    list of Outcome
        One per submission, in the order of `students` if given, and of the names otherwise.

    Raises
    ------
    NotReleased
        If the assignment was not released in this course.
    autograder.errors.UserError
        If student code cannot be sandboxed and `settings` does not turn the sandbox off; see
        `autograder.grading.nbgrader_steps.require_sandbox`.
    NoHandIns
        If there is nothing to grade, or no submission of one of the students.
    autograder.grading.trouble.DiskTrouble
        If the gradebook is locked or damaged, or the disk full or read-only. Grades that were saved
        before are kept.
    GradingStopped
        If Ctrl-C, SIGTERM or SIGHUP stopped the run. Grades that were saved before are kept.
    """
    config = full_config(course)
    config.merge(settings or Config())
    config.GradeInSandbox.reuse = not again
    scheduler = config.GradeInSandbox.get("scheduler", "")
    at_a_time = _cluster_size(scheduler) if scheduler else os.cpu_count()
    if not scheduler and config.GradeInSandbox.get("sandbox", True):
        require_sandbox(CourseDirectory(config=config))
    add_scripts_to_path()
    with disk_trouble_explained():
        if course.gradebook_in_file and course.database.is_file():
            backup(course)
        answers = released_answers(assignment, course)
        apply_settings(course)
        config.SubmissionExporter.settings_applied = True  # once is enough for all submissions
        collected = _imported(assignment, course, source, answers)
        if on_import is not None:
            on_import(collected)
        names = collected.students
        if students is not None:
            names = chosen(students, names)
        graded_before = Unchanged(assignment, course, config)
        # This computes the digest of what all submissions have in common, once for all workers.
        config.GradeInSandbox.cache = str(graded_before.cache_folder())
        one = partial(_grade_one, assignment, config, graded_before)
        unchanged: set[str] = set()
        if best := course.settings.attempts == "best":
            one = partial(_grade_best, assignment, config, course, source is None)
        elif students is None and not again:
            unchanged = set(graded_before.among(names))
        found = {name: _left_as_it_is(assignment, course, name) for name in unchanged}
        changed = [name for name in names if name not in unchanged]
        if changed:
            found |= _grade_all(assignment, course, config, changed, jobs or at_a_time or 1, one)
        if best:
            _settle(assignment, course, collected, names, source)
    return [found[name] for name in names]


def _cluster_size(scheduler: str) -> int:
    from autograder.grading.cluster import cluster_size  # which loads torch

    return cluster_size(scheduler)


def _left_as_it_is(assignment: str, course: Course, student: str) -> Outcome:
    unfinished.finish(assignment, course, student, None)
    return Outcome(student, unchanged=True)


def _imported(
    assignment: str, course: Course, source: Path | None, answers: Mapping[str, str]
) -> Collected:
    """Import hand-ins, and print what was left out."""
    course.submitted.mkdir(exist_ok=True)
    collected = collect(
        source or course.submitted,
        assignment,
        course.submitted,
        answers=answers,
        keep_attempts=course.settings.attempts == "best",
    )
    for line in shortened(collected.left_out):
        print(line, file=sys.stderr)
    if source is not None:
        collected.ledger.write(course.hand_ins(assignment))
    return collected


def _settle(
    assignment: str,
    course: Course,
    collected: Collected,
    students: Sequence[str],
    source: Path | None,
) -> None:
    """Enter which attempts count into the ledger of an import, and print which do not."""
    lines = []
    for student in students:
        choice = Choice.read(attempts_of(course, assignment, student).folder)
        if choice is None:
            continue
        for attempt in choice.attempts:
            counts = attempt.key == choice.counts
            why = choice.why(attempt.key)
            entries = collected.ledger.settle(student, attempt.key, why, counts=counts)
            lines += [] if counts else [entry.line for entry in entries]
    for line in shortened(lines):
        print(line, file=sys.stderr)
    if source is not None:
        collected.ledger.write(course.hand_ins(assignment))


def chosen(students: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the names in the course of the students that were asked for, once each."""
    wanted = {name if name in names else safe_name(name): name for name in students}
    if unknown := [called for name, called in wanted.items() if name not in names]:
        raise NoHandIns(f"There is no submission of {', '.join(sorted(unknown))}.")
    return list(wanted)


def released_answers(assignment: str, course: Course) -> dict[str, str]:
    """Return the text of each cell for an answer in the release, by its ``grade_id``."""
    try:
        with course.gradebook() as gradebook:
            notebook = gradebook.find_notebook(assignment, assignment)
            answers = {cell.name for cell in notebook.solution_cells}
            return {
                cell.name: cell.source for cell in notebook.source_cells if cell.name in answers
            }
    except (NoGradebook, MissingEntry):
        raise NotReleased(assignment, course) from None


def _grade_all(
    assignment: str,
    course: Course,
    config: Config,
    students: Sequence[str],
    jobs: int,
    work: Callable[[str], Outcome],
) -> dict[str, Outcome]:
    """Grade in worker processes, and keep a record of which submissions are not finished."""
    found: dict[str, Outcome] = {}
    unfinished.begin(assignment, course, students)
    try:
        with closing(outcomes(work, assignment, course, config, students, jobs)) as results:
            for outcome in results:
                if outcome.for_everybody:
                    # Each of the others would fail in the same way, some of them after a minute.
                    text = f"{outcome.problem}. {_how_to_go_on(assignment, students, found)}"
                    raise DiskTrouble(f"{text[0].upper()}{text[1:]}")
                unfinished.finish(assignment, course, outcome.student, outcome.problem)
                found[outcome.student] = outcome
    except KeyboardInterrupt:
        raise GradingStopped(_how_to_go_on(assignment, students, found)) from None
    return found


def _how_to_go_on(assignment: str, students: Sequence[str], found: Mapping[str, Outcome]) -> str:
    graded = [name for name, outcome in found.items() if outcome.problem is None]
    missing = [name for name in students if name not in graded]
    text = (
        f"stopped: {len(graded)} of {len(students)} submissions are graded; their grades are kept."
    )
    if missing:
        names = ", ".join(missing[:SHOWN_NAMES])
        more = f" and {len(missing) - SHOWN_NAMES} more" if len(missing) > SHOWN_NAMES else ""
        text += (
            f" Not graded: {names}{more}. {_going_on(assignment)}, with the same --course, "
            "continues with them."
        )
    return text


def _going_on(assignment: str) -> str:
    return f"`autograder grade {assignment} --unfinished`"


def _grade_one(assignment: str, config: Config, graded_before: Unchanged, student: str) -> Outcome:
    def steps() -> None:
        inputs = graded_before.inputs(student)
        convert(Autograde, assignment, student, config)
        convert(GenerateFeedback, assignment, student, config)
        graded_before.keep(student, inputs)

    return outcome_of(student, _going_on(assignment), steps)


def _grade_best(
    assignment: str, config: Config, course: Course, again: bool, student: str
) -> Outcome:
    def steps() -> None:
        grade_best(assignment, student, course, config, again=again)
        convert(GenerateFeedback, assignment, student, config)

    return outcome_of(student, _going_on(assignment), steps)
