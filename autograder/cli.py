"""The `autograder` command."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from autograder.errors import UserError
from helpers import __version__

if TYPE_CHECKING:  # loading nbgrader takes seconds, and `--help` should appear at once
    from autograder.course import Course

DEFAULT_JOBS = os.cpu_count() or 1
PROFILES = ["quick", "full"]

LOOK_AT_IT = 3
"""The exit status of `grade` if all submissions are graded, but a hand-in was left out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except UserError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        print(f"\nautograder: {stopped or 'stopped.'}", file=sys.stderr)
        return 130  # the exit status that shells report after Ctrl-C


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograder", description="Release, grade and report assignments."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        added.add_argument(
            "--course",
            type=Path,
            default=Path(),
            metavar="FOLDER",
            help="the course folder: gradebook, releases, submissions (default: this folder)",
        )
        return added

    command("init", _init, "make a course folder with its settings (course.toml)")

    text = "write the files of a new assignment of one question, to be changed"
    new = commands.add_parser("new", help=text, description=text)
    new.set_defaults(run=_new)
    new.add_argument("name", help="its name, such as low_rank")

    release = command("release", _release, "make the students' version and check it for leaks")
    release.add_argument("assignment")

    changes = command(
        "changes",
        _changes,
        "say what has changed between the last two releases, as a text for students (Markdown)",
    )
    changes.add_argument("assignment")

    grade = command("grade", _grade, "grade submissions, write feedback and the gradebook")
    grade.add_argument("assignment")
    grade.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="PATH",
        help="folder or archive of submissions to import first, such as the download of a learning "
        "management system (default: grade what is in submitted/). The exit status is 3 if files "
        "were left out that a person should look at",
    )
    only = grade.add_mutually_exclusive_group()
    only.add_argument("--student", action="append", help="grade this student only (repeatable)")
    only.add_argument(
        "--unfinished",
        action="store_true",
        help="grade only the submissions that an earlier run did not finish",
    )
    grade.add_argument(
        "--again",
        action="store_true",
        help="grade submissions again even if nothing has changed since they were graded "
        "(--student always does)",
    )
    grade.add_argument(
        "--jobs",
        type=int,
        help="number of submissions to grade in parallel (default: one per core)",
    )
    grade.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        default="",
        help="grade on the Dask cluster with this scheduler, such as tcp://10.0.0.1:8786 "
        "(default: on this machine); --jobs is then by default the size of the cluster",
    )
    grade.add_argument(
        "--cell-seconds",
        type=float,
        help="limit on the processor time of one cell, or of one call by a hidden test",
    )
    grade.add_argument(
        "--no-sandbox",
        action="store_true",
        help="run student code as you, unprotected: it can then change scores and read your files",
    )

    regrade = command(
        "regrade",
        _regrade,
        "show whose grades would change if all were graded again, after a change of hidden tests, "
        "say; nothing is written without --write",
    )
    regrade.add_argument("assignment")
    regrade.add_argument(
        "--write", action="store_true", help="then grade, from the results just computed"
    )
    regrade.add_argument("--student", action="append", help="only this student (repeatable)")
    regrade.add_argument(
        "--question",
        metavar="NAME",
        help="only this question, by its name (grade_id); --write then leaves submissions as they "
        "are in which the points of other questions would change, too",
    )
    regrade.add_argument("--jobs", type=int, default=DEFAULT_JOBS)

    mark = command(
        "mark",
        _mark,
        "mark written answers in a browser, all answers to a question on one page and without "
        "names; points and comments are in the gradebook at once",
    )
    mark.add_argument("assignment")
    mark.add_argument(
        "--port",
        type=int,
        default=0,
        help="where the pages are served, to this machine only (default: a free port)",
    )

    feedback = command(
        "feedback",
        _feedback,
        "write feedback, class report and grades anew, after answers were graded by hand",
    )
    feedback.add_argument("assignment")
    feedback.add_argument("--jobs", type=int, default=DEFAULT_JOBS)

    report = command("report", _report, "write the class report and the grades file")
    report.add_argument("assignment")

    export = command(
        "export",
        _export,
        "write points, pages or the grader itself as Canvas, Moodle, Sakai or Gradescope want it",
    )
    export.add_argument("assignment")
    export.add_argument(
        "--into",
        type=Path,
        metavar="TABLE",
        help="fill the points into this table, which is not changed: Grades > Export in Canvas, "
        "Download grading worksheet in Moodle, grades.csv in the Download All of Sakai",
    )
    export.add_argument(
        "--column", metavar="NAME", help="the column of the assignment in a table of Canvas"
    )
    export.add_argument(
        "--feedback",
        type=Path,
        metavar="ZIP",
        help="write all feedback pages into this zip: for Upload Submissions in Canvas, Upload "
        "multiple feedback files in a zip in Moodle, Upload All in Sakai",
    )
    export.add_argument(
        "--gradescope",
        type=Path,
        metavar="ZIP",
        help="write the grader of the assignment into this zip: for Configure Autograder in "
        "Gradescope. It holds the solutions",
    )
    export.add_argument(
        "--visibility",
        choices=["visible", "after_due_date", "after_published", "hidden"],
        default="after_due_date",
        help="when Gradescope shows students their results (default: after_due_date)",
    )

    samples = command("samples", _samples, "write the sample class into submitted/")
    samples.add_argument("assignment")

    text = "run the course's experiments and freeze the results as references, or show the results"
    reference = commands.add_parser("reference", help=text, description=text)
    verbs = reference.add_subparsers(required=True, metavar="VERB")
    text = "run experiments; those that an interrupted run has finished are not repeated"
    reference_run = verbs.add_parser("run", help=text, description=text)
    reference_run.set_defaults(run=_reference_run)
    reference_run.add_argument("--profile", choices=PROFILES, default="quick")
    reference_run.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help="experiments to run; an assignment's name means all of its own (default: all)",
    )
    reference_run.add_argument(
        "--seeds",
        type=int,
        help="seeds per experiment (default: 5 in quick, 3 in full, 2 in full on a CPU)",
    )
    reference_run.add_argument(
        "--device", help="where to train, such as cuda or cpu (default: a GPU if there is one)"
    )
    reference_run.add_argument(
        "--share",
        type=float,
        help="fraction of the full profile's epochs to train (default: 1, or 0.1 on a CPU)",
    )
    reference_run.add_argument(
        "--jobs",
        type=int,
        help="number of networks to train in parallel (default: depends on the cores)",
    )
    reference_run.add_argument(
        "--work", type=Path, default=Path("build", "reference"), help="folder for unfinished runs"
    )
    which = reference_run.add_mutually_exclusive_group()
    which.add_argument(
        "--missing",
        action="store_true",
        help="keep the frozen results, and run only the rows, epochs and seeds that they lack",
    )
    which.add_argument(
        "--update",
        action="store_true",
        help="run anew what is frozen already, replace it, and say what moved (default: keep it)",
    )
    reference_run.add_argument(
        "--minutes",
        type=float,
        help="stop after so many minutes; the same command continues from there",
    )
    reference_run.add_argument(
        "--open", action="store_true", help="open the results page in the browser at the end"
    )

    text = "run one experiment again and compare it with what is frozen, which does not change"
    reproduce = verbs.add_parser("reproduce", help=text, description=text)
    reproduce.set_defaults(run=_reference_reproduce)
    reproduce.add_argument("name", help="the experiment, as `reference show` names it")
    reproduce.add_argument("--profile", choices=PROFILES, default="quick")
    reproduce.add_argument(
        "--scratch",
        type=Path,
        default=Path("build", "reproduced"),
        help="folder for the new results (default: %(default)s)",
    )
    reproduce.add_argument("--seeds", type=int, default=1, help="(default: %(default)s)")
    reproduce.add_argument("--device", help="as for `reference run`")
    reproduce.add_argument("--jobs", type=int, help="as for `reference run`")

    text = "print the results of the reference runs beside the reported ones"
    reference_show = verbs.add_parser("show", help=text, description=text)
    reference_show.set_defaults(run=_reference_show)
    reference_show.add_argument("--profile", choices=PROFILES, default="quick")

    text = (
        "run the solved notebooks once with the frozen networks, and keep what they measure, so "
        "that the sample class hands it in as students do"
    )
    reference_notebooks = verbs.add_parser("notebooks", help=text, description=text)
    reference_notebooks.set_defaults(run=_reference_notebooks)
    reference_notebooks.add_argument("--profile", choices=PROFILES, default="quick")
    reference_notebooks.add_argument("--only", nargs="+", default=[], metavar="ASSIGNMENT")

    text = (
        "write the results page and the bars anew from the frozen results, without running anything"
    )
    reference_page = verbs.add_parser("page", help=text, description=text)
    reference_page.set_defaults(run=_reference_page)
    reference_page.add_argument("--profile", choices=PROFILES, default="quick")

    text = "judge answers whose right verdict is known, and show what the hidden tests let through"
    selftest = commands.add_parser("selftest", help=text, description=text)
    selftest.set_defaults(run=_selftest)
    selftest.add_argument("assignment", nargs="*", help="assignments (default: all)")
    selftest.add_argument("--question", nargs="+", default=[], help="only these questions")
    selftest.add_argument(
        "--kind",
        nargs="+",
        default=[],
        choices=["mutant", "misconception", "wrong", "right"],
        help="only these kinds of answers",
    )
    selftest.add_argument("--most", type=int, metavar="N", help="at most N mutants per question")
    selftest.add_argument("--jobs", type=int, default=DEFAULT_JOBS)
    selftest.add_argument(
        "--secret",
        default="",
        metavar="TEXT",
        help="draw the inputs of hidden tests as if this were the secret of a course",
    )
    selftest.add_argument(
        "--keep",
        action="store_true",
        help="keep the results, and write the page of the documentation anew",
    )

    demo = command("demo", _demo, "release, grade and report a class of sample submissions")
    demo.set_defaults(course=Path("build", "demo"))
    demo.add_argument("--jobs", type=int, default=DEFAULT_JOBS)
    demo.add_argument(
        "--every-mistake", action="store_true", help="show all known misconceptions, not just some"
    )
    return parser


# These functions import what they need only when they run, for the same reason.


def _course(options: argparse.Namespace) -> Course:
    """Return the course; it must have the assignment."""
    from autograder.course import Course

    course = Course(options.course)
    course.require(options.assignment)
    return course


def _init(options: argparse.Namespace) -> int:
    from autograder.course import Course
    from autograder.new_course import new_course

    course = Course(options.course)
    written = new_course(course)
    for path in written:
        print(f"written: {path}")
    if not written:
        print(f"{course.folder} has its settings already; they are as they were.")
    return 0


def _new(options: argparse.Namespace) -> int:
    from autograder.new_assignment import new_assignment

    for path in new_assignment(options.name):
        print(f"written: {path}")
    print(
        f"Edit the notebook in JupyterLab. `autograder release {options.name}` makes the students' "
        f"version, and `autograder selftest {options.name}` says what its hidden tests let through."
    )
    return 0


def _release(options: argparse.Namespace) -> int:
    from autograder.releasing.release import make_release

    released = make_release(options.assignment, _course(options))
    print(f"released: {released.archive}")
    if released.changed:
        print(
            f"It is another one than before: `autograder changes {options.assignment}`, with the "
            "same --course, says what has changed, in a text for students."
        )
    return 0


def _changes(options: argparse.Namespace) -> int:
    from autograder.releasing.changes import release_notes

    print(release_notes(options.assignment, _course(options)))
    return 0


def _grade(options: argparse.Namespace) -> int:
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


def _regrade(options: argparse.Namespace) -> int:
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


def _mark(options: argparse.Namespace) -> int:
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


def _feedback(options: argparse.Namespace) -> int:
    from autograder.grading.renew import renew_feedback

    problems = renew_feedback(options.assignment, _course(options), options.jobs)
    failed = {student: problem for student, problem in problems.items() if problem}
    for student, problem in failed.items():
        print(f"no feedback for {student}: {problem}", file=sys.stderr)
    print(f"feedback:     {len(problems) - len(failed)} of {len(problems)} pages")
    return max(_report(options), 1 if failed else 0)


def _report(options: argparse.Namespace) -> int:
    from autograder.reporting.report import class_report, grades_csv

    course = _course(options)
    print(f"class report: {class_report(options.assignment, course)}")
    print(f"grades:       {grades_csv(options.assignment, course)}")
    return 0


def _export(options: argparse.Namespace) -> int:
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
        print(f"{count} of them have answers that wait for a person.", file=sys.stderr)
    print(f"points of {len(filled.filled)} students, for {filled.system}: {filled.path}")
    return LOOK_AT_IT if filled.not_listed else 0


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
    print(f"feedback of {len(packed.packed)} students, for {packed.system}: {packed.path}")
    return LOOK_AT_IT if packed.without or packed.unnamed else 0


def _export_autograder(options: argparse.Namespace, course: Course) -> int:
    from autograder.gradescope.archive import write_autograder

    made = write_autograder(
        options.assignment, course, options.gradescope, visibility=options.visibility
    )
    print(f"autograder for Gradescope: {made.path}. It holds the solutions: do not hand it out.")
    print(
        f"On Gradescope, choose Ubuntu 24.04 or newer, and {made.points:g} autograder points; "
        f"written answers earn up to {made.by_hand:g} points, in manually graded questions."
    )
    return 0


def _samples(options: argparse.Namespace) -> int:
    from autograder.course import NotReleased
    from autograder.grading.submission_profile import grading_in
    from autograder.samples import sample_class

    course = _course(options)
    release = course.released_notebook(options.assignment)
    if not release.is_file():
        raise NotReleased(options.assignment, course)
    with grading_in(course.settings.profile, course.settings):
        names = sample_class(options.assignment, release, course.submitted)
    print(f"{len(names)} sample submissions in {course.submitted}")
    return 0


def _reference_run(options: argparse.Namespace) -> int:
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


def _reference_reproduce(options: argparse.Namespace) -> int:
    os.environ["COURSE_PROFILE"] = options.profile
    from autograder.runs.reproduce import reproduce
    from autograder.runs.run import plan

    how = plan(options.seeds, options.device, jobs=options.jobs)
    found = reproduce(options.name, how, options.scratch)
    print(f"\n{found}")
    return 0 if found.agrees else 1


def _reference_notebooks(options: argparse.Namespace) -> int:
    os.environ["COURSE_PROFILE"] = options.profile
    from autograder.assignments import assignments
    from autograder.runs.notebooks import measure_notebooks

    for path in measure_notebooks(options.only or assignments()):
        print(f"measured: {path}")
    return 0


def _reference_page(options: argparse.Namespace) -> int:
    os.environ["COURSE_PROFILE"] = options.profile
    from autograder.runs.page import write_page

    print(f"page:     {write_page(options.profile)}")
    return 0


def _reference_show(options: argparse.Namespace) -> int:
    os.environ["COURSE_PROFILE"] = options.profile
    from autograder.runs.show import shown

    print(shown(options.profile, get_terminal_size().columns))
    return 0


def _selftest(options: argparse.Namespace) -> int:
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


def _demo(options: argparse.Namespace) -> int:
    from autograder.demo import MISTAKEN, demo

    mistaken = None if options.every_mistake else MISTAKEN
    demo(options.course, options.jobs, mistaken=mistaken)
    return 0


if __name__ == "__main__":
    sys.exit(main())
