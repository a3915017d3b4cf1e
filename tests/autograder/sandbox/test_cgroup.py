"""Control groups are used where they exist, and are removed together with their processes."""

import os
import subprocess
import sys
import time

import pytest

from autograder.sandbox import cgroup
from autograder.sandbox.limits import MIB, Limits

pytestmark = pytest.mark.usefixtures("way")


@pytest.fixture
def group():
    found = cgroup.create(Limits(memory_bytes=200 * MIB, processes=10), processors=1)
    if found is None:
        pytest.skip("this machine does not let us make a control group")
    yield found
    found.remove()


def run(group, source):
    command = group.joining([sys.executable, "-I", "-S", "-c", source])
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_process_that_joins_is_counted(group):
    assert group.processes() == 0
    # Longer than required below, because the time before the process joined is not counted.
    result = run(group, "import time\nwhile time.process_time() < 0.4: pass")
    assert result.returncode == 0
    assert 0.3 <= group.processor_seconds() < 3
    assert not group.memory_exceeded()


@pytest.mark.parametrize(
    "source",
    [
        "x = [bytearray(2**20) for _ in range(400)]",
        "import os\nf = os.memfd_create('x')\nfor _ in range(400): os.write(f, bytes(2**20))",
        "import os\nf = open('/dev/shm/autograder-test', 'wb')\nos.unlink(f.name)\n"
        "for _ in range(400): f.write(bytes(2**20))",
    ],
    ids=["private", "memfd", "tmpfs"],
)
def test_memory_of_every_kind_is_limited(group, source):
    assert run(group, source).returncode == -9
    assert group.memory_exceeded()


@pytest.mark.parametrize(
    ("version", "files", "exceeded"),
    [
        (2, {"memory.events": "max 7\noom 1\noom_kill 1"}, True),
        (2, {"memory.events": "max 0\noom 0\noom_kill 1"}, False),
        (2, {"memory.events": "max 7\noom 0\noom_kill 0"}, False),
        (1, {"memory.oom_control": "oom_kill 1", "memory.max_usage_in_bytes": "990"}, True),
        (1, {"memory.oom_control": "oom_kill 1", "memory.max_usage_in_bytes": "700"}, False),
        (1, {"memory.oom_control": "oom_kill 0", "memory.max_usage_in_bytes": "990"}, False),
    ],
)
def test_a_kill_for_want_of_the_machines_memory_is_not_the_groups(
    tmp_path, version, files, exceeded
):
    for name, text in {"memory.limit_in_bytes": "1000", **files}.items():
        (tmp_path / name).write_text(text)
    assert cgroup.Cgroup(version, {"memory": tmp_path}).memory_exceeded() is exceeded


def test_processes_are_limited(group):
    source = "import os, time\nfor _ in range(50): os.fork() or (time.sleep(5), os._exit(0))"
    assert "BlockingIOError" in run(group, source).stderr


def test_the_processes_of_a_group_end_with_it():
    group = cgroup.create(Limits(), processors=1)
    if group is None:
        pytest.skip("this machine does not let us make a control group")
    process = subprocess.Popen(group.joining(["sleep", "600"]))
    while not group.processes():
        time.sleep(0.01)
    group.remove()
    assert process.wait(5) == -9
    assert not any(folder.exists() for folder in group._places())


def test_groups_of_dead_graders_are_swept(group):
    place = cgroup._place()
    dead = subprocess.Popen(["true"])
    dead.wait()
    folders = [f / f"{cgroup.PREFIX}{dead.pid}-0" for f in set(place.folders.values())]
    for folder in folders:
        folder.mkdir()
    cgroup.sweep()
    assert not any(folder.exists() for folder in folders)
    assert all(folder.exists() for folder in group._places())


# ------------------------------------------------------------------------------------------------
# Version 2, on a tree of ordinary files: the machines that the tests run on may have version 1


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Make a tree like systemd's; return the folder of this process's group in it."""
    own = "user.slice/user-1000.slice/user@1000.service/app.slice/terminal.scope"
    folder = tmp_path
    for name in own.split("/"):
        (folder / "cgroup.subtree_control").write_text("cpu memory pids\n")
        (folder / "cgroup.procs").write_text("")
        folder = folder / name
        folder.mkdir()
    (folder / "cgroup.subtree_control").write_text("\n")
    (folder / "cgroup.procs").write_text("1\n")
    mounts = [cgroup._Mount(tmp_path, "/", None)]
    monkeypatch.setattr(cgroup, "_place", lambda: cgroup._version_2(mounts, {"": f"/{own}"}))
    return folder


def test_a_group_is_made_beside_our_own(tree):
    assert cgroup._place() == cgroup._Place(
        2, {"memory": tree.parent, "pids": tree.parent, "cpu": tree.parent}
    )


def test_controllers_that_are_not_delegated_are_not_used(tree):
    (tree.parent / "cgroup.subtree_control").write_text("pids\n")
    place = cgroup._place()
    assert place.folders["memory"] == tree.parent.parent


def test_without_controllers_there_is_no_group(tree):
    for folder in tree.parents:
        if (folder / "cgroup.subtree_control").exists():
            (folder / "cgroup.subtree_control").write_text("")
    assert cgroup.create(Limits(), processors=1) is None


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_tree_that_is_not_ours_is_left_alone(tree):
    for folder in tree.parents:
        if (folder / "cgroup.procs").exists():
            (folder / "cgroup.procs").chmod(0o444)
    assert cgroup._place() is None


def test_the_limits_are_written(tree):
    group = cgroup.create(Limits(memory_bytes=5 * MIB, processes=7), processors=2)
    (folder,) = group._places()
    assert folder.parent == tree.parent
    assert (folder / "memory.max").read_text() == str(5 * MIB)
    assert (folder / "pids.max").read_text() == "11"
    assert (folder / "cpu.max").read_text() == "200000 100000"


def test_the_counts_of_a_group_are_read(tree):
    group = cgroup.create(Limits(), processors=1)
    (folder,) = group._places()
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\n")
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 2000000\n")
    assert not group.memory_exceeded()
    assert group.processor_seconds() == 2.5
    (folder / "memory.events").write_text("max 3\noom 1\noom_kill 2\n")
    assert group.memory_exceeded()


def test_mounts_and_groups_are_read_as_the_kernel_writes_them():
    mountinfo = (
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
        "31 23 0:27 /docker/1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        "32 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
        "22 1 8:1 / / rw,relatime - ext4 /dev/root rw\n"
    )
    unified, memory, cpu = cgroup._mounts(mountinfo)
    assert unified.controllers is None
    assert "memory" in memory.controllers
    assert {"cpu", "cpuacct"} <= cpu.controllers
    assert str(memory.folder("/docker/1/a")) == "/sys/fs/cgroup/memory/a"
    assert memory.folder("/elsewhere") is None
    own = dict(cgroup._own("4:memory:/docker/1\n1:cpu,cpuacct:/\n0::/user.slice/a:b.scope\n"))
    assert own == {
        "memory": "/docker/1", "cpu": "/", "cpuacct": "/", "": "/user.slice/a:b.scope",
    }  # fmt: skip
