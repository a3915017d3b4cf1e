"""A worker process that dies or hangs affects only its task, and workers end with their parent."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import psutil
import pytest

from autograder.grading import nursery
from autograder.grading.workers import WorkerLost, in_workers


@pytest.fixture(scope="module", autouse=True)
def empty_nursery():
    """Let workers start at once: the work of these tests needs none of the grader's modules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nursery, "IMPORTED", ())
        nursery.close_nurseries()
        yield
    nursery.close_nurseries()


def run(tasks, *, workers=2, seconds=60.0):
    """Do all tasks; return the results by name."""
    return dict(in_workers(partial(do, tasks), tasks, workers=workers, seconds=seconds))


def do(tasks, name):
    """Do what the task of this name says; this is the work of the workers in these tests."""
    match tasks[name]:
        case ("die", number):
            os.kill(os.getpid(), number)
        case ("die once", mark):
            if not Path(mark).exists():
                Path(mark).touch()
                os._exit(3)
        case ("raise", text):
            raise RuntimeError(text)
        case ("sleep", seconds):
            time.sleep(seconds)
        case ("leave behind", mark):
            # Like a kernel in an endless loop, it does not notice the end of its input.
            child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            Path(mark).write_text(f"{os.getpid()} {child.pid}")
            time.sleep(600)
        case ("hold the interpreter", mark):
            Path(mark).write_text(f"{os.getpid()} {os.getpid()}")
            return 3**10**9  # many minutes in which no other thread of this process runs
        case ("die with a child", mark):
            child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            Path(mark).write_text(f"{os.getpid()} {child.pid}")
            os._exit(1)
    return f"{name} in {os.getpid()}"


def ended(pids, within):
    """Tell whether the processes end within this many seconds."""
    patience = time.monotonic() + within
    while time.monotonic() < patience:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def written(mark):
    """Wait for the process ids that a task writes down."""
    patience = time.monotonic() + 30
    while time.monotonic() < patience:
        if mark.exists() and len(found := mark.read_text().split()) == 2:
            return [int(pid) for pid in found]
        time.sleep(0.02)
    raise TimeoutError("the task did not begin")


def test_every_task_has_its_own_result():
    results = run(dict.fromkeys("abcde"))
    assert {name: result.split()[0] for name, result in results.items()} == {
        name: name for name in "abcde"
    }


def test_a_worker_serves_many_tasks():
    results = run(dict.fromkeys("abcdef"))
    assert len({result.split()[-1] for result in results.values()}) <= 2


def test_no_worker_is_started_without_a_task():
    assert run({}) == {}
    assert len(run({"a": None}, workers=8)) == 1


def test_a_worker_that_dies_affects_only_its_task():
    tasks = {"a": None, "b": ("die", signal.SIGSEGV), "c": None, "d": None, "e": None}
    results = run(tasks)
    lost = results.pop("b")
    assert isinstance(lost, WorkerLost)
    assert "SIGSEGV" in str(lost)
    assert all(result.startswith(name) for name, result in results.items())


def test_a_worker_killed_from_outside_may_have_been_out_of_memory():
    assert "out of memory?" in str(run({"a": ("die", signal.SIGKILL)})["a"])


def test_after_a_death_the_others_keep_their_workers():
    """The standard library's pool would start a new process for each of the remaining tasks."""
    tasks = {"a": ("die", signal.SIGKILL), **dict.fromkeys("bcdefgh")}
    results = run(tasks, workers=1)
    assert len({str(results[name]).split()[-1] for name in "bcdefgh"}) == 1


def test_a_task_whose_worker_died_is_tried_once_more(tmp_path):
    assert run({"a": ("die once", tmp_path / "mark")})["a"].startswith("a in")


def test_an_exception_affects_only_its_task():
    results = run({"a": ("raise", "a bug"), "b": None})
    assert isinstance(results["a"], WorkerLost)
    assert results["b"].startswith("b")


@pytest.mark.slow
@pytest.mark.thorough
def test_a_task_past_its_time_is_ended_and_the_others_continue():
    began = time.monotonic()
    results = run({"a": ("sleep", 600), "b": None, "c": None}, workers=1, seconds=6)
    assert time.monotonic() - began < 60
    assert "it took more than 0.1 minutes" in str(results["a"])
    assert results["b"].startswith("b")
    assert results["c"].startswith("c")


@pytest.mark.slow
@pytest.mark.thorough
def test_a_process_started_by_a_task_past_its_time_ends_too(tmp_path):
    mark = tmp_path / "mark"
    results = run({"a": ("leave behind", mark)}, seconds=6)
    assert isinstance(results["a"], WorkerLost)
    assert ended(written(mark), within=0.5)


def test_a_process_started_by_a_dead_worker_ends_too(tmp_path):
    mark = tmp_path / "mark"
    run({"a": ("die with a child", mark)})
    assert ended(written(mark), within=0.5)


def test_workers_end_when_the_tasks_are_done():
    results = run(dict.fromkeys("abcd"))
    assert ended({int(result.split()[-1]) for result in results.values()}, within=0.5)


def test_workers_end_when_nobody_waits_for_the_rest(tmp_path):
    mark = tmp_path / "mark"
    tasks = {"a": None, "b": ("leave behind", mark)}
    with closing(in_workers(partial(do, tasks), tasks, workers=2, seconds=60)) as results:
        assert next(results)[0] == "a"
        pids = written(mark)
    assert ended(pids, within=0.5)


PARENT = """
import sys
from pathlib import Path
from autograder.grading import nursery
from test_workers import run
nursery.IMPORTED = ()
print(run({"a": (sys.argv[1], Path(sys.argv[2])), "b": ("sleep", 600), "c": None}))
"""


@pytest.fixture(params=["leave behind"])
def parent(tmp_path, request):
    """Start a process that works with two workers, one of which has this task."""
    paths = [str(Path(__file__).parent), *sys.path]
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, request.param, str(tmp_path / "mark")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.wait()
    process.stderr.close()


def below(process):
    return [child.pid for child in psutil.Process(process.pid).children(recursive=True)]


def test_workers_and_their_children_end_at_once_with_a_killed_parent(parent, tmp_path):
    busy = written(tmp_path / "mark")
    pids = below(parent)
    assert set(busy) < set(pids)
    parent.kill()
    assert ended(pids, within=1)


def test_a_worker_that_is_still_starting_ends_with_a_killed_parent(parent):
    while not (pids := below(parent)):
        time.sleep(0.005)
    parent.kill()
    assert ended(pids, within=10)


@pytest.mark.parametrize("parent", ["hold the interpreter"], indirect=True)
def test_a_worker_in_compiled_code_ends_at_once_with_a_killed_parent(parent, tmp_path):
    busy = written(tmp_path / "mark")
    parent.kill()
    assert ended(busy, within=1)


def test_ctrl_c_reaches_only_the_parent(parent, tmp_path):
    """A terminal sends it to the whole process group, and each worker would print a traceback."""
    written(tmp_path / "mark")
    pids = below(parent)
    os.killpg(parent.pid, signal.SIGINT)
    said = parent.stderr.read()
    assert said.count("KeyboardInterrupt") == 1
    assert ended(pids, within=0.5)
