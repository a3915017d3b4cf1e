"""A class whose grading is killed again and again ends as if nothing had happened."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from small_course import ASSIGNMENT, marks, small_course, write_source

from autograder.course import Course
from autograder.grading.unfinished import unfinished
from autograder.releasing.release import make_release
from autograder.temporary import sweep

pytestmark = [pytest.mark.slow, pytest.mark.thorough, pytest.mark.timeout(900)]

QUESTIONS = 6
STUDENTS = {name: number for number, name in enumerate(["ada", "ben", "cas", "dan", "eve", "fay"])}
"""The number of questions that the first version of each student's submission answers."""

KILLS = 2
"""A few, for CI; tests/kills has many more, of workers and sandboxes, too."""

GRADE = """
import sys
from pathlib import Path
from traitlets.config import Config
from autograder.course import Course
from autograder.grading.grade import grade
course = Course(Path(sys.argv[1]), Path(sys.argv[2]))
settings = Config()
settings.GradeInSandbox.sandbox = sys.argv[3] == "sandbox"
outcomes = grade("small", course, jobs=2, settings=settings, again=True)
sys.exit("\\n".join(outcome.problem for outcome in outcomes if outcome.problem) or 0)
"""

ANSWER = """\
def times_{n}(x):
    ### BEGIN SOLUTION
    return {n} * x
    ### END SOLUTION
"""

HIDDEN_TEST = """\
### BEGIN HIDDEN TESTS
from autograder.hidden import holds, score, student

score(holds(lambda: student.times_{n}(3.0) == {n} * 3.0, "Three times {n}."), of=2)
### END HIDDEN TESTS
"""


def source():
    cells = [new_markdown_cell("# Multiples")]
    for n in range(QUESTIONS):
        answer = ANSWER.format(n=n)
        solution = marks(f"times_{n}_solution", solution=True)
        test = marks(f"times_{n}", points=2, locked=True)
        cells.append(new_code_cell(answer, metadata=solution))
        cells.append(new_code_cell(HIDDEN_TEST.format(n=n), metadata=test))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    course = {"unlocks": [], "artifacts": []}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "course": course})


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a folder with a source notebook, and with a course in which it is released."""
    project = tmp_path_factory.mktemp("project")
    write_source(project, source())
    make_release(ASSIGNMENT, small_course(project))
    return project


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Return the folder for temporary files of all processes that this test starts."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def hand_in(project, version):
    """Let every student hand in; the second version answers what the first does not."""
    for student, answered in STUDENTS.items():
        nb = nbformat.read(project / "course/release/small/small.ipynb", as_version=4)
        for n, cell in enumerate(c for c in nb.cells if c.source.startswith("def times_")):
            if (n < answered) == (version == 1):
                cell.source = f"def times_{n}(x):\n    return {n} * x"
        place = project / "course" / "submitted" / student / ASSIGNMENT
        place.mkdir(parents=True, exist_ok=True)
        nbformat.write(nb, place / "small.ipynb")


def scores(project):
    """Return the scores in the gradebook, in the questions' order; None where there is no grade."""
    query = """
        SELECT student.id, base_cell.name, grade.auto_score
        FROM grade JOIN base_cell ON grade.cell_id = base_cell.id
        JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
        JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
        JOIN student ON submitted_assignment.student_id = student.id
        ORDER BY student.id, base_cell.name
    """
    with closing(sqlite3.connect(project / "course" / "gradebook.db")) as gradebook:
        assert gradebook.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {}
        for student, _, score in gradebook.execute(query):
            found.setdefault(student, []).append(score)
    return found


def expected(student, version):
    return [2.0 if (n < STUDENTS[student]) == (version == 1) else 0.0 for n in range(QUESTIONS)]


def start(project, sandbox="sandbox"):
    arguments = [project / "course", project / "notebooks", sandbox]
    return subprocess.Popen(
        [sys.executable, "-c", GRADE, *arguments], stderr=subprocess.PIPE, start_new_session=True
    )


def wait_until(condition):
    patience = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.02)


def below(process):
    return psutil.Process(process.pid).children(recursive=True)


def ended(processes):
    """Tell whether all processes end by themselves within seconds.

    On a busy machine they are not ended at once, and one that has ended may not be removed yet.
    """
    _, left = psutil.wait_procs(processes, timeout=10)
    return all(is_zombie(process) for process in left)


def is_zombie(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def finish(process):
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said.decode()


def kill(process, *, graded, course, pause, group):
    """Kill a run, or its whole process group, a while after `graded` submissions are graded."""
    wait_until(lambda: below(process))
    # On a busy machine it may take a while until the run has noted what it is to grade.
    wait_until(lambda: 0 < len(unfinished(ASSIGNMENT, Course(course))) <= len(STUDENTS) - graded)
    time.sleep(pause)
    started = below(process)
    if group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate(timeout=60)
    assert ended(started)


def test_kills_at_random_moments_lose_and_duplicate_nothing(project, temporary):
    course = project / "course"
    hand_in(project, 1)
    process = start(project)
    wait_until(lambda: below(process))
    began = time.monotonic()
    finish(process)
    each = (time.monotonic() - began) / len(STUDENTS)
    assert scores(project) == {student: expected(student, 1) for student in STUDENTS}

    hand_in(project, 2)
    seed = random.randrange(10**6)
    print(f"seed {seed}; a submission takes {each:.1f} s")
    moments = random.Random(seed)
    for number in range(KILLS):
        kill(
            start(project),
            graded=moments.randrange(len(STUDENTS) - 1),
            course=course,
            pause=moments.random() * each,
            group=bool(number % 2),
        )
        left = unfinished(ASSIGNMENT, Course(course))
        print(f"kill {number + 1} left {', '.join(left) or 'nothing'}")
        for student, found in scores(project).items():
            assert found in (expected(student, 1), expected(student, 2))
            assert student in left or found == expected(student, 2)

    finish(start(project))
    assert scores(project) == {student: expected(student, 2) for student in STUDENTS}
    assert unfinished(ASSIGNMENT, Course(course)) == {}
    assert not list(temporary.iterdir())
    for folder, file in (("autograded", "small.ipynb"), ("feedback", "small.html")):
        pages = (course / folder).glob("*/*/*.*")
        assert sorted(p.relative_to(course / folder).as_posix() for p in pages) == [
            f"{student}/{ASSIGNMENT}/{file}" for student in STUDENTS
        ]


@pytest.mark.parametrize("sandbox", ["sandbox", "no sandbox"])
def test_a_submission_in_an_endless_loop_ends_with_a_killed_grader(project, temporary, sandbox):
    hand_in(project, 1)
    notebook = project / "course" / "submitted" / "ada" / ASSIGNMENT / "small.ipynb"
    nb = nbformat.read(notebook, as_version=4)
    nb.cells.insert(1, new_code_cell("while True:\n    pass"))
    nbformat.write(nb, notebook)
    process = start(project, sandbox)
    wait_until(lambda: any(busy_kernel(child) for child in below(process)))
    started = below(process)
    process.kill()
    process.communicate(timeout=60)
    assert ended(started)
    assert list(temporary.iterdir())
    sweep()
    assert not list(temporary.iterdir())


def busy_kernel(process):
    """Tell whether this is the kernel in the endless loop; starting takes two seconds at most."""
    try:
        command = " ".join(process.cmdline())  # a forked kernel has that of its template
        kernel = "inside.kernel" in command or "exec(open(" in command
        return kernel and process.cpu_times().user > 5
    except psutil.Error:
        return False
