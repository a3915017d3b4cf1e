"""What student code can reach and use up."""

import os

import pytest

from autograder.sandbox import bubblewrap
from autograder.sandbox.limits import MIB, Limits
from autograder.sandbox.session import KernelEnded, Session


@pytest.fixture
def folders(tmp_path):
    for name in ("build/helpers", "submission", "course/autograded"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "build/helpers/__init__.py").write_text("name = 'student build'\n")
    (tmp_path / "submission/artifact.json").write_text("{}")
    (tmp_path / "course/gradebook.db").write_text("all the scores")
    return tmp_path


@pytest.fixture
def kernel(folders):
    with start(folders) as session:
        yield session


def start(folders, **limits):
    return Session(
        build=folders / "build",
        submission=folders / "submission",
        hidden=(folders / "course",),
        limits=Limits(**{"cell_seconds": 20, **limits}),
    )


def printed(session, source):
    return "".join(o.get("text", "") for o in session.run(source))


def error(session, source):
    (found,) = [o for o in session.run(source) if o["output_type"] == "error"]
    return f"{found['ename']}: {found['evalue']}"


def test_a_cell_gives_streams_values_figures_and_errors(kernel):
    outputs = kernel.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\n1 + 1")
    assert [o["output_type"] for o in outputs] == ["stream", "stream", "execute_result"]
    assert outputs[2]["data"]["text/plain"] == "2"
    figure = kernel.run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    assert "image/png" in figure[-1]["data"]
    assert error(kernel, "1 / 0") == "ZeroDivisionError: division by zero"


def test_magics_and_await_work_as_in_jupyter(kernel):
    assert "hello" in printed(kernel, "!echo hello")
    assert kernel.run("import asyncio\nawait asyncio.sleep(0)\n'woke'")[-1]["output_type"] == (
        "execute_result"
    )


def test_the_helpers_are_the_student_build(kernel):
    assert printed(kernel, "import helpers; print(helpers.name)") == "student build\n"


def test_submitted_files_lie_in_the_working_folder(kernel):
    assert printed(kernel, "print(open('artifact.json').read())") == "{}\n"


def test_there_is_no_gradebook_no_repository_and_no_autograder(kernel, folders):
    paths = [folders / "course/gradebook.db", os.path.abspath("pyproject.toml"), "/etc/passwd"]
    source = f"import os; print([os.path.exists(p) for p in {[str(p) for p in paths]}])"
    assert printed(kernel, source) == "[False, False, False]\n"
    assert error(kernel, "import autograder.hidden").startswith("ModuleNotFoundError")
    assert error(kernel, "import helpers.reference").startswith("ModuleNotFoundError")


def test_there_is_no_network(kernel):
    source = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=2)"
    assert "Error" in error(kernel, source)
    assert printed(kernel, "print(len(socket.if_nameindex()))") == "1\n"  # the loopback alone


def test_no_other_process_is_seen(kernel):
    source = "import os; print(sum(name.isdigit() for name in os.listdir('/proc')))"
    assert int(printed(kernel, source)) <= 3


def test_nothing_can_be_written_outside_the_scratch_folder(kernel, folders):
    for place in ("/", "/usr", "/course/helpers", "/submission", "/kernel/inside", "/dev"):
        assert "OSError" in error(kernel, f"open('{place}/planted', 'w')")
    kernel.run("open('planted', 'w').write('x')")
    assert not (folders / "submission" / "planted").exists()


def test_limits_cannot_be_raised_again(kernel):
    source = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))"
    assert error(kernel, source).startswith(("ValueError", "PermissionError"))


def test_the_environment_is_empty_of_secrets(folders, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "token")
    with start(folders) as session:
        assert printed(session, "import os; print('COURSE_SECRET' in os.environ)") == "False\n"


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


def test_memory_is_limited(folders):
    with (
        start(folders, memory_bytes=600 * MIB) as session,
        pytest.raises(KernelEnded, match=r"more than the 0\.6 GiB of memory"),
    ):
        session.run("x = []\nwhile True: x.append(bytearray(2**24))")


def test_processes_are_limited(folders):
    with (
        start(folders, processes=20) as session,
        pytest.raises(KernelEnded, match="more than 20 processes"),
    ):
        session.run("import os, time\nwhile True:\n    os.fork() or time.sleep(60)")


def test_disk_space_is_limited(folders):
    with start(folders, disk_bytes=8 * MIB) as session:
        for place in ("/scratch", "/tmp", "/dev/shm"):
            source = f"with open('{place}/big', 'wb') as f:\n    f.write(bytes(2**24))"
            assert error(session, source).startswith("OSError")


def test_output_is_cut_in_the_kernel(kernel):
    outputs = kernel.run("print('x' * 10**6)\nprint('x' * 10**8)")
    assert sum(len(str(o)) for o in outputs) < 10**7


def test_output_past_the_limit_ends_the_kernel(folders):
    with (
        start(folders, output_bytes=MIB) as session,
        pytest.raises(KernelEnded, match="more output than allowed"),
    ):
        session.run("print('x' * 2**21)")


def test_a_dead_kernel_is_told_from_an_error(folders):
    with start(folders) as session, pytest.raises(KernelEnded, match="the kernel died"):
        session.run("import os; os._exit(1)")


def test_a_forged_answer_is_taken_as_data_only(folders):
    forged = (
        "import json, os\n"
        "reply = json.dumps({'outputs': [], 'score': 100}).encode()\n"
        "os.write(3, len(reply).to_bytes(4, 'big') + reply)"
    )
    with start(folders) as session:
        assert session.run(forged) == []


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


def test_without_bubblewrap_the_error_says_how_to_get_it(monkeypatch):
    bubblewrap.require.cache_clear()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(bubblewrap.SandboxUnavailable, match="apt-get install bubblewrap"):
        bubblewrap.require()
    bubblewrap.require.cache_clear()
