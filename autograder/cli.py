"""The command line of `autograder`: what can be given, and what `--help` says of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder import commands
from autograder.errors import UserError
from helpers import __version__

DEFAULT_JOBS = os.cpu_count() or 1
PROFILES = ["quick", "full"]


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
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        added = subcommands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        added.add_argument(
            "--course",
            type=Path,
            default=Path(),
            metavar="FOLDER",
            help="the course folder: gradebook, releases, submissions (default: this folder)",
        )
        return added

    command("init", commands.init, "make a course folder with its settings (course.toml)")

    text = "write the files of a new assignment of one question, to be changed"
    new = subcommands.add_parser("new", help=text, description=text)
    new.set_defaults(run=commands.new)
    new.add_argument("name", help="its name, such as low_rank")

    release = command(
        "release", commands.release, "make the students' version and check it for leaks"
    )
    release.add_argument("assignment")

    changes = command(
        "changes",
        commands.changes,
        "say what has changed between the last two releases, as a text for students (Markdown)",
    )
    changes.add_argument("assignment")

    grade = command("grade", commands.grade, "grade submissions, write feedback and the gradebook")
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
        commands.regrade,
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
        commands.mark,
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
        commands.feedback,
        "write feedback, class report and grades anew, after answers were graded by hand",
    )
    feedback.add_argument("assignment")
    feedback.add_argument("--jobs", type=int, default=DEFAULT_JOBS)

    report = command("report", commands.report, "write the class report and the grades file")
    report.add_argument("assignment")

    export = command(
        "export",
        commands.export,
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

    samples = command("samples", commands.samples, "write the sample class into submitted/")
    samples.add_argument("assignment")
    samples.add_argument(
        "--few",
        action="store_true",
        help="write only three: a solution, a submission with mistakes and the untouched notebook",
    )

    text = "run the course's experiments and freeze the results as references, or show the results"
    reference = subcommands.add_parser("reference", help=text, description=text)
    verbs = reference.add_subparsers(required=True, metavar="VERB")
    text = "run experiments; those that an interrupted run has finished are not repeated"
    reference_run = verbs.add_parser("run", help=text, description=text)
    reference_run.set_defaults(run=commands.reference_run)
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
    reproduce.set_defaults(run=commands.reference_reproduce)
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
    reference_show.set_defaults(run=commands.reference_show)
    reference_show.add_argument("--profile", choices=PROFILES, default="quick")

    text = (
        "run the solved notebooks once with the frozen networks, and keep what they measure, so "
        "that the sample class hands it in as students do"
    )
    reference_notebooks = verbs.add_parser("notebooks", help=text, description=text)
    reference_notebooks.set_defaults(run=commands.reference_notebooks)
    reference_notebooks.add_argument("--profile", choices=PROFILES, default="quick")
    reference_notebooks.add_argument("--only", nargs="+", default=[], metavar="ASSIGNMENT")

    text = (
        "write the results page and the bars anew from the frozen results, without running anything"
    )
    reference_page = verbs.add_parser("page", help=text, description=text)
    reference_page.set_defaults(run=commands.reference_page)
    reference_page.add_argument("--profile", choices=PROFILES, default="quick")

    text = "judge answers whose right verdict is known, and show what the hidden tests let through"
    selftest = subcommands.add_parser("selftest", help=text, description=text)
    selftest.set_defaults(run=commands.selftest)
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

    demo = command("demo", commands.demo, "release, grade and report a class of sample submissions")
    demo.set_defaults(course=Path("build", "demo"))
    demo.add_argument("--jobs", type=int, default=DEFAULT_JOBS)
    demo.add_argument(
        "--every-mistake", action="store_true", help="show all known misconceptions, not just some"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
