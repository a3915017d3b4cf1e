"""Grading on a Dask cluster: the same scores, whatever happens to its workers."""

import json
import signal
import subprocess
import sys
import threading
import time

import nbformat
import psutil
import pytest
from small_class import STUDENT, course, notebook, released, sandbox
from small_course import ASSIGNMENT, small_course
from traitlets.config import Config

from autograder.errors import UserError
from autograder.grading.cluster import cluster_size
from autograder.grading.grade import grade

__all__ = ["course", "released", "sandbox"]  # fixtures

STUDENTS = [f"student-{number}" for number in range(6)]


class Cluster:
    """A scheduler and its workers, each of them a process as users start them."""

    def __init__(self, folder):
        self.folder = folder
        self.workers = []
        self.address_file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--dashboard-address", ":0")
        wait_until(self.address_file.is_file)
        self.address = json.loads(self.address_file.read_text())["address"]

    def add_worker(self):
        self.workers.append(self._start("worker", "--nthreads", "1", "--no-dashboard"))
        return self.workers[-1]

    def close(self):
        for process in [*self.workers, self.scheduler]:
            process.terminate()
        for process in [*self.workers, self.scheduler]:
            process.wait(30)

    def _start(self, what, *options):
        command = [sys.executable, "-m", "dask", what, "--scheduler-file", str(self.address_file)]
        with (self.folder / f"{what}-{len(self.workers)}.log").open("w") as log:
            return subprocess.Popen([*command, *options], cwd=self.folder, stdout=log, stderr=log)


def wait_until(holds, seconds=120):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    pytest.importorskip("distributed")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.fixture
def class_of_six(course):
    """Hand in right and wrong answers of six students, each of them slow enough to be killed."""
    for number, student in enumerate(STUDENTS):
        solved = notebook()
        answer = "import time; time.sleep(3)\ndef halve(w): return w / 2"
        if number % 3 == 0:
            answer = answer.replace("w / 2", "w")
        next(cell for cell in solved.cells if cell.id == "answer").source = answer
        place = course.submission(student, ASSIGNMENT)
        place.mkdir(parents=True)
        nbformat.write(solved, place / f"{ASSIGNMENT}.ipynb")
    return course


def scores(course):
    with course.gradebook() as gradebook:
        return {
            student: sorted(
                (found.name, found.auto_score, found.needs_manual_grade)
                for found in gradebook.find_submission_notebook(
                    ASSIGNMENT, ASSIGNMENT, student
                ).grades
            )
            for student in [*STUDENTS, STUDENT]
        }


def on(cluster):
    settings = Config()
    settings.GradeInSandbox.scheduler = cluster.address
    return settings


@pytest.mark.thorough
def test_workers_come_and_go_and_the_scores_are_those_of_one_machine(cluster, class_of_six):
    here = grade(ASSIGNMENT, class_of_six)
    assert not any(outcome.problem for outcome in here)
    expected = scores(class_of_six)
    first = cluster.add_worker()
    cluster.add_worker()
    wait_until(lambda: cluster_size(cluster.address) == 2)
    killed = killing(first, after=8)
    there = grade(ASSIGNMENT, class_of_six, settings=on(cluster), again=True)
    killed.join()
    assert there == here
    assert scores(class_of_six) == expected
    right = {sum(score or 0 for _, score, _ in found) for found in expected.values()}
    assert len(right) == 2  # some answers are wrong


@pytest.mark.thorough
def test_a_queue_of_jobs_starts_workers(class_of_six):
    """dask-jobqueue starts workers through a queue such as SLURM; here, through the shell."""
    jobqueue = pytest.importorskip("dask_jobqueue.local")
    expected = grade(ASSIGNMENT, class_of_six)
    before = scores(class_of_six)
    settings = Config()
    with jobqueue.LocalCluster(cores=1, memory="2GB", processes=1) as queue:
        queue.scale(2)
        settings.GradeInSandbox.scheduler = queue.scheduler_address
        assert grade(ASSIGNMENT, class_of_six, settings=settings, again=True) == expected
    assert scores(class_of_six) == before


def killing(worker, after):
    """Kill a worker of the cluster and its own processes as soon as some seconds have passed."""

    def kill():
        time.sleep(after)
        family = [*psutil.Process(worker.pid).children(recursive=True), worker]
        for process in family:
            process.send_signal(signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.slow
def test_no_scheduler_is_explained(course, monkeypatch):
    monkeypatch.setattr("autograder.grading.cluster.CONNECT_SECONDS", 1)
    settings = Config()
    settings.GradeInSandbox.scheduler = "tcp://127.0.0.1:9"
    with pytest.raises(UserError, match=r"No Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        grade(ASSIGNMENT, small_course(course.folder.parent), settings=settings)
