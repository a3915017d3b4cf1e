"""`make demo`: release, grade and report every assignment for a class of sample submissions."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from traitlets.config import Config

from autograder.assignments import assignments
from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.grade import grade
from autograder.new_course import new_course
from autograder.releasing.release import make_release
from autograder.reporting.report import class_report, grades_csv
from autograder.samples import sample_class

TROUBLE_IN = "sparse_linear"
"""The assignment whose class includes the samples that solve nothing, attack or break the grader.

They are much the same for every assignment, and this one is the quickest to grade.
"""

TROUBLE_CELL_SECONDS = 20.0
"""Limit of a cell in that assignment: less than the default, because the sample with the endless
loop always uses all of it. Honest cells of other assignments take as long on a busy machine.
"""

MISTAKEN = 1
"""Submissions with misconceptions per assignment.

The first one holds the most misconceptions, and grading all of them takes long.
"""


def demo(
    folder: Path, jobs: int, *, mistaken: int | None = MISTAKEN, unsolved: bool = False
) -> None:
    """Release, grade and report a sample class for every assignment; print where everything is.

    Parameters
    ----------
    folder
        The demo's own course folder. What an earlier demo left there is removed.
    jobs
        How many submissions to grade in parallel.
    mistaken
        Submissions with misconceptions per assignment. None shows all known misconceptions, in
        about fifty submissions.
    unsolved
        Whether the class of every assignment includes the samples that solve nothing, and not only
        that of `TROUBLE_IN`. It takes about twice as long.
    """
    course = Course(folder)
    if folder.exists() and not course.database.exists() and any(folder.iterdir()):
        raise UserError(
            f"{folder} is not from an earlier demo and not empty; give an empty folder."
        )
    shutil.rmtree(folder, ignore_errors=True)
    new_course(course)
    for assignment in assignments():
        began = time.monotonic()
        trouble = assignment == TROUBLE_IN
        settings = Config()
        if trouble:
            settings.GradeInSandbox.cell_seconds = TROUBLE_CELL_SECONDS
        released = make_release(assignment, course)
        print(f"{assignment}: released, without any solution, hidden test or reference")
        names = sample_class(
            assignment,
            released.notebook,
            course.submitted,
            trouble=trouble,
            unsolved=unsolved or trouble,
            mistakes=mistaken,
        )
        print(f"{assignment}: {len(names)} sample submissions")
        outcomes = grade(assignment, course, jobs=jobs, settings=settings)
        report = class_report(assignment, course)
        grades = grades_csv(assignment, course)
        graded = sum(outcome.problem is None for outcome in outcomes)
        minutes, seconds = divmod(round(time.monotonic() - began), 60)
        print(
            f"""
{assignment}: {graded} of {len(outcomes)} submissions graded in {minutes} min {seconds} s
  release        {released.archive}
  gradebook      {course.database}
  feedback       {course.feedback_page("<student>", assignment)}
  class report   {report}
  grades         {grades}
"""
        )
    print(f"To look at it in the formgrader: cd {folder} && jupyter lab")
