"""`autograder feedback`: write anew what depends on the points that a person gives."""

from __future__ import annotations

import os
from contextlib import closing
from functools import partial

from nbgrader.converters import GenerateFeedback
from tqdm.auto import tqdm
from traitlets.config import Config

from autograder.configuration import full_config
from autograder.course import Course
from autograder.errors import UserError
from autograder.gradebook_settings import apply_settings
from autograder.grading.converting import convert
from autograder.grading.late import assign_penalty
from autograder.grading.trouble import disk_trouble_explained, explained
from autograder.grading.unchanged import Unchanged
from autograder.grading.workers import WorkerLost, in_workers

SECONDS = 300.0
"""Limit on the wall time for one page, which takes a second or two."""


@disk_trouble_explained()
def renew_feedback(assignment: str, course: Course, jobs: int | None = None) -> dict[str, str]:
    """Write the feedback pages of all graded submissions anew, and set late penalties anew.

    A late penalty may be a share of the points, and so changes when a person grades an answer.

    Parameters
    ----------
    assignment
    course
    jobs
        How many pages to write in parallel; by default the number of processors.

    Returns
    -------
    dict of str to str
        For each student an empty text or, if there is no new page, the reason.

    Raises
    ------
    UserError
        If nothing has been graded yet.
    autograder.course.NoGradebook
        If there is no gradebook.
    """
    config = full_config(course)
    apply_settings(course)
    with course.gradebook() as gradebook:
        students = sorted(
            submission.student.id
            for submission in gradebook.assignment_submissions(assignment)
            if course.graded_notebook(submission.student.id, assignment).is_file()
        )
    if not students:
        raise UserError(
            f"No submission of {assignment} is graded in {course.folder}: run "
            f"`autograder grade {assignment}` first."
        )
    problems = {}
    work = partial(_renew_one, assignment, config, Unchanged(assignment, course, config))
    workers = jobs or os.cpu_count() or 1
    with (
        tqdm(total=len(students), desc=f"feedback on {assignment}", unit="page") as bar,
        closing(in_workers(work, students, workers=workers, seconds=SECONDS)) as results,
    ):
        for name, result in results:
            problems[name] = str(result) if isinstance(result, WorkerLost) else result
            bar.update()
    return problems


def _renew_one(assignment: str, config: Config, graded: Unchanged, student: str) -> str:
    try:
        with graded.rewriting(student):
            assign_penalty(assignment, student, config)
            convert(GenerateFeedback, assignment, student, config)
    except Exception as error:
        command = f"`autograder feedback {assignment}`"
        return explained(f"{type(error).__name__}: {error}", command)
    return ""
