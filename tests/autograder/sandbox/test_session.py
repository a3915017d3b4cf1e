"""A kernel runs cells as Jupyter does, and ends when it goes past a limit."""

import os
import threading
import time

import psutil
import pytest
from kernels import error, printed, start

from autograder.sandbox import bubblewrap
from autograder.sandbox.limits import MIB
from autograder.sandbox.session import KernelEnded, KernelNotStarted, Session

pytestmark = pytest.mark.usefixtures("way")


def test_a_cell_gives_streams_values_figures_and_errors(kernel):
    outputs = kernel.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\n1 + 1")
    assert [o["output_type"] for o in outputs] == ["stream", "stream", "execute_result"]
    assert outputs[2]["data"]["text/plain"] == "2"
    assert error(kernel, "1 / 0") == "ZeroDivisionError: division by zero"


def test_figures_are_shown_and_closed_as_in_jupyter_but_not_drawn(kernel):
    kernel.run("import matplotlib.pyplot as plt")
    for source in ("lines = plt.plot([1, 2])", "lines = plt.plot([1, 2])\nplt.show()"):
        [figure] = kernel.run(source)
        assert list(figure["data"]) == ["text/plain"]
        assert figure["data"]["text/plain"].startswith("<Figure size 640x480 with 1 Axes")
    assert printed(kernel, "print(plt.get_fignums())") == "[]\n"


def test_magics_and_await_work_as_in_jupyter(kernel):
    assert "hello" in printed(kernel, "!echo hello")
    assert kernel.run("import asyncio\nawait asyncio.sleep(0)\n'woke'")[-1]["output_type"] == (
        "execute_result"
    )


def test_the_helpers_are_the_student_build(kernel):
    assert printed(kernel, "import helpers; print(helpers.name)") == "student build\n"


def test_submitted_files_are_in_the_working_folder(kernel):
    assert printed(kernel, "print(open('artifact.json').read())") == "{}\n"


@pytest.mark.slow
def test_workers_of_torch_and_of_multiprocessing_work(kernel):
    source = """
import multiprocessing
import torch
from torch.utils.data import DataLoader, TensorDataset

with multiprocessing.Pool(2) as pool:
    print(pool.map(abs, [-1, -2]))
loader = DataLoader(TensorDataset(torch.arange(8.0)), batch_size=4, num_workers=2)
print([batch.sum().item() for (batch,) in loader])
"""
    assert printed(kernel, source) == "[1, 2]\n[6.0, 22.0]\n"


# ------------------------------------------------------------------------------------------------
# Time


def test_an_endless_loop_ends_with_its_time(folders):
    with (
        start(folders, cell_seconds=1.5) as session,
        pytest.raises(KernelEnded, match=r"more than 1\.5 s of processor time"),
    ):
        session.run("while True: pass")


def test_a_cell_that_only_waits_ends_too(folders):
    with (
        start(folders, cell_seconds=1) as session,
        pytest.raises(KernelEnded, match="longer than 4 s"),
    ):
        session.run("import time; time.sleep(60)")


def test_a_notebook_ends_with_its_time(folders):
    with start(folders, total_seconds=4) as session, pytest.raises(KernelEnded, match="as a whole"):
        session.run("import time; time.sleep(60)")


HANG_UP = """
import gc, os, socket, time
for descriptor in range(3, 100):
    try:
        socket.socket(fileno=os.dup(descriptor)).shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
time.sleep(600)
"""


def test_a_cell_that_hangs_up_and_sleeps_is_not_waited_for(folders):
    began = time.monotonic()
    with start(folders) as session, pytest.raises(KernelEnded, match="closed its connection"):
        session.run(HANG_UP)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("whom", ["os.getpid()", "os.fork() or time.sleep(60) or 0"])
def test_a_stopped_process_is_not_waited_for(folders, whom):
    began = time.monotonic()
    source = f"import os, signal, time\nos.kill({whom}, signal.SIGSTOP)\ntime.sleep(60)"
    with start(folders) as session, pytest.raises(KernelEnded, match="was stopped"):
        session.run(source)
    assert time.monotonic() - began < 20


def test_a_kernel_that_never_reads_what_it_is_sent_ends_with_its_time(folders):
    """The buffers of its socket are full, so that the grader has to wait until it can send."""
    with start(folders, cell_seconds=1) as session:
        deaf = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
        session.run(f"{deaf}import inside.wire as w\nw.receive = lambda read: time.sleep(60)")
        with pytest.raises(KernelEnded, match="longer than 4 s"):
            session.run("#" * 2**24)


# ------------------------------------------------------------------------------------------------
# Memory, processes, disk, output


@pytest.fixture(params=["control group", "watched"])
def with_and_without_group(request, monkeypatch):
    """Let the test run with a control group, where this machine has them, and without."""
    if request.param == "watched":
        monkeypatch.setattr("autograder.sandbox.cgroup.create", lambda *_: None)


def test_memory_is_limited(folders, with_and_without_group):
    with (
        start(folders, memory_bytes=600 * MIB) as session,
        pytest.raises(KernelEnded, match=r"more than the 0\.6 GiB of memory"),
    ):
        session.run("x = []\nwhile True: x.append(bytearray(2**24))")


@pytest.mark.parametrize("place", ["/tmp", "/scratch", "/dev/shm"])
def test_what_is_written_counts_as_memory(folders, place, with_and_without_group):
    source = (
        f"for i in range(40):\n    with open('{place}/%d' % i, 'wb') as f: f.write(bytes(2**24))\n"
        "import time; time.sleep(5)"
    )
    with (
        start(folders, memory_bytes=500 * MIB, disk_bytes=900 * MIB) as session,
        pytest.raises(KernelEnded, match=r"more than the 0\.5 GiB of memory"),
    ):
        session.run(source)


def test_shared_memory_counts_once_and_is_limited(folders, with_and_without_group):
    """Memory that workers share with their parent is not counted again."""
    source = "import mmap, os, time\nm = mmap.mmap(-1, {size})\nm.write(bytes({size}))\n"
    workers = "for _ in range(6):\n    if not os.fork(): time.sleep(2); os._exit(0)\ntime.sleep(2)"
    with start(folders, memory_bytes=700 * MIB) as session:
        assert printed(session, source.format(size=200 * MIB) + workers) == ""
        with pytest.raises(KernelEnded, match=r"more than the 0\.7 GiB"):
            session.run(source.format(size=800 * MIB) + "time.sleep(5)")


def test_processes_are_limited(folders):
    source = """
import os, time
children = 0
try:
    while children < 200:
        if not os.fork(): time.sleep(30); os._exit(0)
        children += 1
except BlockingIOError: pass
print(children)
"""
    with start(folders, processes=20) as session:
        assert 10 <= int(printed(session, source)) <= 20


def test_threads_are_limited(folders):
    source = """
import threading, time
started = 0
try:
    while started < 200:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        started += 1
except RuntimeError: pass
print(started)
"""
    with start(folders, processes=20) as session:
        assert 10 <= int(printed(session, source)) <= 20


def test_disk_space_is_limited(folders):
    with start(folders, disk_bytes=8 * MIB) as session:
        for place in ("/scratch", "/tmp", "/dev/shm"):
            source = f"with open('{place}/big', 'wb') as f:\n    f.write(bytes(2**24))"
            assert error(session, source).startswith("OSError")


@pytest.mark.parametrize("place", ["/tmp", "/scratch", "/dev/shm"])
def test_the_number_of_files_is_limited(folders, place):
    source = f"for i in range(10**6): open('{place}/%d' % i, 'w').close()"
    with (
        start(folders, files=2000) as session,
        pytest.raises(KernelEnded, match="more than 2000 files"),
    ):
        session.run(source)


def test_limits_cannot_be_raised_again(kernel):
    source = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))"
    assert error(kernel, source).startswith(("ValueError", "PermissionError"))


def test_open_files_are_limited(folders):
    source = "files = [open('/dev/null') for _ in range(200)]"
    with start(folders, open_files=100) as session:
        assert error(session, source).startswith("OSError: [Errno 24]")


def test_output_is_cut_in_the_kernel(kernel):
    outputs = kernel.run("print('x' * 10**6)\nprint('x' * 10**8)")
    assert sum(len(str(o)) for o in outputs) < 10**7


def test_output_past_the_limit_ends_the_kernel(folders):
    with (
        start(folders, output_bytes=MIB) as session,
        pytest.raises(KernelEnded, match="more output than allowed"),
    ):
        session.run("print('x' * 2**21)")


# ------------------------------------------------------------------------------------------------
# The end


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("os._exit(3)", r"ended by itself \(exit status 3\)"),
        ("os.kill(os.getpid(), 9)", r"was killed \(SIGKILL\)"),
        ("import ctypes; ctypes.string_at(0)", r"crashed \(SIGSEGV\)"),
        ("os.abort()", r"crashed \(SIGABRT\)"),
    ],
)
def test_the_reason_why_a_kernel_ended_is_named(folders, source, reason):
    with start(folders) as session, pytest.raises(KernelEnded, match=reason):
        session.run(f"import os; {source}")


@pytest.mark.parametrize(
    ("source", "killed"),
    [("os.kill(os.getpid(), 9)", True), ("os._exit(3)", False), ("os.abort()", False)],
)
def test_a_killed_kernel_is_told_apart_from_one_that_ended_in_another_way(folders, source, killed):
    with start(folders) as session, pytest.raises(KernelEnded) as ended:
        session.run(f"import os; {source}")
    assert ended.value.killed is killed


@pytest.mark.parametrize("which", [0, 1, 2])
def test_nothing_is_left_if_any_process_of_the_sandbox_is_killed(
    folders, which, with_and_without_group
):
    """Otherwise, student code would go on without a limit."""
    with start(folders) as session:
        outermost = psutil.Process(session._process.pid)
        processes = [outermost, *outermost.children(recursive=True)]
        killer = threading.Timer(0.5, processes[which].kill)
        killer.start()
        with pytest.raises(KernelEnded) as ended:
            session.run("while True: pass")
        killer.join()
        assert ended.value.killed
        assert not psutil.wait_procs(processes, timeout=5)[1]


def test_a_kernel_that_the_grader_ended_does_not_count_as_killed(folders):
    with start(folders, cell_seconds=1) as session, pytest.raises(KernelEnded) as ended:
        session.run("while True: pass")
    assert not ended.value.killed


def test_nothing_is_left_of_a_kernel(folders):
    before = {process.pid for process in psutil.process_iter()}
    with start(folders) as session:
        session.run("import os, time\nfor _ in range(3):\n    if not os.fork(): time.sleep(600)")
        group = session._group
    children = [p for p in psutil.Process().children(recursive=True) if p.pid not in before]
    # The process that has forked a kernel learns of its end, and ends as well.
    _, left = psutil.wait_procs(children, timeout=5)
    assert left == []
    assert group is None or not any(folder.exists() for folder in group._places())


def test_a_kernel_that_cannot_start_is_not_the_fault_of_the_submission(folders, monkeypatch):
    monkeypatch.setattr("autograder.sandbox.session.KERNEL", folders / "nothing")
    with pytest.raises(KernelNotStarted, match="No module named 'inside'"):
        start(folders)


def test_a_submitted_file_that_breaks_the_start_is_the_fault_of_the_submission(folders):
    (folders / "submission" / "sqlite3.py").write_text("import os; os._exit(5)")
    (folders / "submission" / "big").write_bytes(bytes(2 * MIB))
    with pytest.raises(KernelEnded):
        start(folders, disk_bytes=MIB)


def test_a_forged_answer_is_taken_as_data_only(folders):
    forged = (
        "import json, os\n"
        "reply = json.dumps({'outputs': [], 'score': 100}).encode()\n"
        "os.write(3, len(reply).to_bytes(4, 'big') + reply)"
    )
    with start(folders) as session:
        assert session.run(forged) == []


# ------------------------------------------------------------------------------------------------
# Without a sandbox


def test_without_a_sandbox_the_same_kernel_runs_as_an_ordinary_process(folders, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    session = Session(
        build=folders / "build",
        submission=folders / "submission",
        sandbox=False,
        scratch=scratch,
    )
    with session:
        assert printed(session, "import helpers; print(helpers.name)") == "student build\n"
        assert printed(session, "print(open('artifact.json').read())") == "{}\n"
        assert "hello" in printed(session, "!echo hello")


@pytest.fixture
def asked_anew():
    """Forget what an earlier test learnt about this machine's bubblewrap."""
    bubblewrap.require.cache_clear()
    bubblewrap._program.cache_clear()
    yield
    bubblewrap.require.cache_clear()
    bubblewrap._program.cache_clear()


def test_without_bubblewrap_the_error_says_how_to_get_it(asked_anew, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(bubblewrap.SandboxUnavailable, match="apt-get install bubblewrap"):
        bubblewrap.require()


def test_an_old_bubblewrap_is_refused(asked_anew, tmp_path, monkeypatch):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(bubblewrap.SandboxUnavailable, match=r"0\.8\.0 or newer"):
        bubblewrap.require()
