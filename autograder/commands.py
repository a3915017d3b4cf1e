"""What the commands of `autograder` do: functions from parsed options to an exit status.

The functions import what they need only when they run. Loading nbgrader takes seconds, and `--help`
should appear at once.
"""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from collections.abc import Sized
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from autograder.errors import UserError

if TYPE_CHECKING:
    from autograder.course import Course

LOOK_AT_IT = 3
"""The exit status of `grade` if all submissions are graded, but a hand-in was left out."""


def _course(options: argparse.Namespace) -> Course:
    """Return the course; it must have the assignment."""
    from autograder.course import Course

    course = Course(options.course)
    course.require(options.assignment)
    return course


def init(options: argparse.Namespace) -> int:
    """Make a course folder."""
    from autograder import settings
    from autograder.course import Course
    from autograder.new_course import new_course

    course = Course(options.course)
    written = new_course(course)
    for path in written:
        print(f"written: {path}")
    if not written:
        print(f"{course.folder} has its settings already; they are as they were.")
    print(
        f"Next, put the settings right in {course.folder / settings.NAME}; then give "
        "`autograder release NAME` in that folder, or with the same --course."
    )
    return 0


def new(options: argparse.Namespace) -> int:
    """Write the files of a new assignment."""
    from autograder.new_assignment import new_assignment

    for path in new_assignment(options.name):
        print(f"written: {path}")
    print(
        f"Edit the notebook in JupyterLab. `autograder release {options.name}` makes the students' "
        f"version, and `autograder selftest {options.name}` says what its hidden tests let through."
    )
    return 0


def release(options: argparse.Namespace) -> int:
    """Make the students' version of an assignment."""
    from autograder.releasing.release import make_release

    released = make_release(options.assignment, _course(options))
    print(f"released: {released.archive}")
    if released.changed:
        print(
            f"It differs from the last one: `autograder changes {options.assignment}`, with the "
            "same --course, says what has changed, in a text for students."
        )
    return 0


def changes(options: argparse.Namespace) -> int:
    """Print what has changed between the last two releases."""
    from autograder.releasing.changes import release_notes

    print(release_notes(options.assignment, _course(options)))
    return 0


def grade(options: argparse.Namespace) -> int:
    """Grade the submissions of an assignment."""
    from traitlets.config import Config

    from autograder.grading.grade import grade
    from autograder.grading.intake.collecting import Collected
    from autograder.grading.unfinished import unfinished

    course = _course(options)
    students = options.student
    if options.unfinished:
        if options.source is not None:
            raise UserError("--unfinished continues with what is in submitted/: leave out --from.")
        students = list(unfinished(options.assignment, course))
    settings = Config()
    if options.cell_seconds is not None:
        settings.GradeInSandbox.cell_seconds = options.cell_seconds
    if options.scheduler:
        settings.GradeInSandbox.scheduler = options.scheduler
    if options.no_sandbox:
        settings.GradeInSandbox.sandbox = False
    imports: list[Collected] = []
    outcomes = grade(
        options.assignment,
        course,
        source=options.source,
        students=students,
        jobs=options.jobs,
        settings=settings,
        on_import=imports.append,
        again=options.again or bool(options.student),
    )
    failed = [outcome for outcome in outcomes if outcome.problem]
    for outcome in failed:
        print(f"no grade for {outcome.student}: {outcome.problem}", file=sys.stderr)
    line = f"graded: {len(outcomes) - len(failed)} of {len(outcomes)} submissions"
    if unchanged := sum(outcome.unchanged for outcome in outcomes):
        line += f" ({unchanged} of them before, and nothing has changed since)"
    ledger = imports[0].ledger
    if options.source is not None:
        line += f"; {ledger.summary(course.hand_ins(options.assignment))}"
    print(line)
    return 1 if failed else LOOK_AT_IT if ledger.needs_a_person else 0


def regrade(options: argparse.Namespace) -> int:
    """Print whose grades would change, and write them if that is asked for."""
    from autograder.grading.grade import grade
    from autograder.grading.regrade import regrade, require_question

    course = _course(options)
    if options.question is not None:
        require_question(options.question, options.assignment, course)
    found = regrade(options.assignment, course, students=options.student, jobs=options.jobs)
    for student, problem in found.problems.items():
        print(f"{student} cannot be graded: {problem}", file=sys.stderr)
    changes, students = found.changes, options.student
    if options.question is not None:
        changes, others = found.only(options.question)
        students = sorted({change.student for change in changes} - set(others))
        if others:
            print(
                f"other questions would change, too, for {', '.join(others)}: regrade them without "
                "--question.",
                file=sys.stderr,
            )
    for change in changes:
        print(change)
    changed = len({change.student for change in changes})
    print(f"{found.students} submissions depend on a change; the grades of {changed} would change.")
    if options.write:
        outcomes = grade(options.assignment, course, students=students, jobs=options.jobs)
        graded = sum(outcome.problem is None for outcome in outcomes)
        print(f"graded: {graded} of {len(outcomes)} submissions")
    elif found.students:
        print(
            "Nothing is written. The same command with --write takes over these grades, from the "
            "results just computed."
        )
    return 1 if found.problems else 0


def mark(options: argparse.Namespace) -> int:
    """Serve the pages on which written answers are marked."""
    from autograder.marking.server import serve

    def ready(address: str) -> None:
        print(
            f"Open {address} in a browser. Ctrl-C ends this; every mark is saved at once.",
            flush=True,
        )

    serve(options.assignment, _course(options), options.port, ready)
    print(
        f"\nMarks are in the gradebook. `autograder feedback {options.assignment}`, with the same "
        "--course, writes feedback, report and grades anew."
    )
    return 0


def feedback(options: argparse.Namespace) -> int:
    """Write the feedback pages anew."""
    from autograder.grading.renew import renew_feedback

    problems = renew_feedback(options.assignment, _course(options), options.jobs)
    failed = {student: problem for student, problem in problems.items() if problem}
    for student, problem in failed.items():
        print(f"no feedback for {student}: {problem}", file=sys.stderr)
    print(f"feedback:     {len(problems) - len(failed)} of {len(problems)} pages")
    return max(report(options), 1 if failed else 0)


def report(options: argparse.Namespace) -> int:
    """Write the class report and the table of points."""
    from autograder.reporting.report import class_report, grades_csv

    course = _course(options)
    print(f"class report: {class_report(options.assignment, course)}")
    print(f"grades:       {grades_csv(options.assignment, course)}")
    return 0


def export(options: argparse.Namespace) -> int:
    """Write what a learning management system takes."""
    course = _course(options)
    statuses = []
    if options.into is not None:
        statuses.append(_export_points(options, course))
    if options.feedback is not None:
        statuses.append(_export_feedback(options, course))
    if options.gradescope is not None:
        statuses.append(_export_autograder(options, course))
    if not statuses:
        raise UserError(
            "Name what to export: --into TABLE for points, --feedback ZIP for feedback pages, or "
            "--gradescope ZIP for an autograder."
        )
    return max(statuses)


def _export_points(options: argparse.Namespace, course: Course) -> int:
    from autograder.reporting.grade_tables import fill_grade_table

    filled = fill_grade_table(options.assignment, course, options.into, options.column)
    if filled.without:
        names = ", ".join(filled.without)
        print(f"left as they were, because they handed nothing in: {names}", file=sys.stderr)
    if filled.not_listed:
        names = ", ".join(filled.not_listed)
        print(f"not in the table: {names}. Enter their points by hand.", file=sys.stderr)
    if filled.waiting:
        count = len(filled.waiting)
        have = "has" if count == 1 else "have"
        print(f"{count} of them {have} answers that wait for a person.", file=sys.stderr)
    print(f"points of {_students(filled.filled)}, for {filled.system}: {filled.path}")
    return LOOK_AT_IT if filled.not_listed else 0


def _students(names: Sized) -> str:
    return f"{len(names)} {'student' if len(names) == 1 else 'students'}"


def _export_feedback(options: argparse.Namespace, course: Course) -> int:
    from autograder.reporting.feedback_zip import pack_feedback

    packed = pack_feedback(options.assignment, course, options.feedback)
    if packed.without:
        names = ", ".join(packed.without)
        print(f"without a feedback page, because they are not graded: {names}", file=sys.stderr)
    if packed.unnamed:
        names = ", ".join(packed.unnamed)
        print(
            f"left out, because their hand-ins came in without the names that {packed.system} "
            f"gives: {names}. Give them their pages by hand.",
            file=sys.stderr,
        )
    print(f"feedback of {_students(packed.packed)}, for {packed.system}: {packed.path}")
    return LOOK_AT_IT if packed.without or packed.unnamed else 0


def _export_autograder(options: argparse.Namespace, course: Course) -> int:
    from autograder.gradescope.archive import write_autograder
    from autograder.grading.question_box import in_points

    made = write_autograder(
        options.assignment, course, options.gradescope, visibility=options.visibility
    )
    print(f"autograder for Gradescope: {made.path}. It holds the solutions: do not hand it out.")
    automatic = in_points(made.points, "autograder point")
    print(
        f"On Gradescope, choose Ubuntu 24.04 or newer, and {automatic}; "
        f"written answers earn up to {in_points(made.by_hand)}, in manually graded questions."
    )
    return 0


def samples(options: argparse.Namespace) -> int:
    """Write the sample class into the submissions."""
    from autograder.course import NotReleased
    from autograder.grading.submission_profile import grading_in
    from autograder.samples import sample_class

    course = _course(options)
    release = course.released_notebook(options.assignment)
    if not release.is_file():
        raise NotReleased(options.assignment, course)
    with grading_in(course.settings.profile, course.settings):
        names = sample_class(options.assignment, release, course.submitted, few=options.few)
    print(f"{len(names)} sample submissions in {course.submitted}")
    return 0


def reference_run(options: argparse.Namespace) -> int:
    """Run experiments, and freeze what they gave."""
    os.environ["COURSE_PROFILE"] = options.profile
    from autograder.runs.page import write_page
    from autograder.runs.run import plan, run

    how = plan(
        options.seeds,
        options.device,
        options.share,
        options.jobs,
        missing=options.missing,
        update=options.update,
        minutes=options.minutes,
    )
    for path in run(options.only, how, options.work):
        print(f"manifest: {path}")
    page = write_page(options.profile)
    print(f"page:     {page}")
    if options.open:
        from autograder.runs.html_page import html_page

        webbrowser.open(html_page(page, options.work).as_uri())
    return 0


def reference_reproduce(options: argparse.Namespace) -> int:
    """Run an experiment again, and compare it with what is frozen."""
    os.environ["COURSE_PROFILE"] = options.profile
    from autograder.runs.reproduce import reproduce
    from autograder.runs.run import plan

    how = plan(options.seeds, options.device, jobs=options.jobs)
    found = reproduce(options.name, how, options.scratch)
    print(f"\n{found}")
    return 0 if found.agrees else 1


def reference_notebooks(options: argparse.Namespace) -> int:
    """Measure again what the notebooks ask of frozen networks."""
    os.environ["COURSE_PROFILE"] = options.profile
    from autograder.assignments import assignments
    from autograder.runs.notebooks import measure_notebooks

    for path in measure_notebooks(options.only or assignments()):
        print(f"measured: {path}")
    return 0


def reference_page(options: argparse.Namespace) -> int:
    """Write the results page anew."""
    os.environ["COURSE_PROFILE"] = options.profile
    from autograder.runs.page import write_page

    print(f"page:     {write_page(options.profile)}")
    return 0


def reference_show(options: argparse.Namespace) -> int:
    """Print the frozen figures."""
    os.environ["COURSE_PROFILE"] = options.profile
    from autograder.runs.show import shown

    print(shown(options.profile, get_terminal_size().columns))
    return 0


def selftest(options: argparse.Namespace) -> int:
    """Judge answers whose right verdict is known."""
    from autograder.assignments import assignments
    from autograder.selftest.command import run

    return run(
        options.assignment or assignments(),
        options.question,
        options.kind,
        most=options.most,
        jobs=options.jobs,
        seed=options.secret.encode(),
        kept=options.keep,
    )


def demo(options: argparse.Namespace) -> int:
    """Release, grade and report the sample class."""
    from autograder.demo import MISTAKEN, demo

    mistaken = None if options.every_mistake else MISTAKEN
    demo(options.course, options.jobs, mistaken=mistaken)
    return 0
