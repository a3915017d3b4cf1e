"""Temporary folders are removed after their block, or by a later run if a process was killed."""

import os
import signal
import stat
import subprocess
import sys
import tempfile

import pytest

from autograder.temporary import PREFIX, sweep, temporary_folder

HOLD = """
import time
from autograder.temporary import temporary_folder
with temporary_folder("held-") as folder:
    (folder / "inner").mkdir()
    (folder / "inner" / "file").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""

START_AND_DIE = """
    import os, subprocess
    nothing = subprocess.DEVNULL
    print(subprocess.Popen(["sleep", "60"], stdout=nothing, stderr=nothing).pid, flush=True)
    os._exit(1)
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Return an empty folder that replaces the system's folder for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def holder(place):
    """Start another process that holds a folder, and yield the process."""
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()


def test_a_folder_is_empty_and_private_and_is_removed_after_its_block(place):
    with temporary_folder("grading-") as folder:
        assert folder.parent == place
        assert folder.name.startswith(f"{PREFIX}grading-")
        assert not list(folder.iterdir())
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not list(place.iterdir())


def test_a_folder_is_removed_after_an_error_in_its_block(place):
    with pytest.raises(ZeroDivisionError), temporary_folder("grading-") as folder:
        (folder / "file").write_text(str(1 / 0))
    assert not list(place.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root has every permission")
def test_a_folder_without_permissions_inside_is_removed_too(place):
    with temporary_folder("grading-") as folder:
        inner = folder / "a" / "b"
        inner.mkdir(parents=True)
        (inner / "file").write_text("x")
        inner.chmod(0)
        inner.parent.chmod(0)
    assert not list(place.iterdir())


def test_removing_a_folder_follows_no_link(place, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o750)
    (kept / "file").write_text("x")
    with temporary_folder("grading-") as folder:
        (folder / "link").symlink_to(kept)
    assert (kept / "file").read_text() == "x"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o750


def test_the_folder_of_a_killed_process_is_swept(place, holder):
    (left,) = place.iterdir()
    holder.kill()
    holder.wait()
    assert left.exists()
    assert sweep() == [left]
    assert not list(place.iterdir())


def test_the_folder_of_a_living_process_stays(place, holder):
    (held,) = place.iterdir()
    with temporary_folder("grading-") as own:
        assert sweep() == []
        assert own.exists()
    assert (held / "inner" / "file").read_text() == "x"


def test_a_child_of_the_holder_does_not_keep_its_folder(place):
    program = HOLD.replace("time.sleep(60)", START_AND_DIE)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    folder, child = done.stdout.split()
    try:
        assert [str(path) for path in sweep()] == [folder]
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_folders_of_other_names_and_other_things_of_that_name_stay(place, tmp_path):
    (place / "autograder-notes").mkdir()
    (place / f"{PREFIX}file").write_text("x")
    (tmp_path / "mine").mkdir()
    (place / f"{PREFIX}link").symlink_to(tmp_path / "mine")
    assert sweep() == []
    assert len(list(place.iterdir())) == 3
    assert (tmp_path / "mine").exists()


def test_the_folders_of_another_user_stay(place, monkeypatch):
    (place / f"{PREFIX}left").mkdir()
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert sweep() == []


def test_a_folder_that_is_swept_before_it_is_locked_is_made_again(place, monkeypatch):
    opened = os.open
    swept = []

    def sweeping_first(path, *args, **kwargs):
        if not swept:
            swept.append(None)
            swept[:] = sweep()
        return opened(path, *args, **kwargs)

    monkeypatch.setattr("autograder.temporary.os.open", sweeping_first)
    with temporary_folder("grading-") as folder:
        assert len(swept) == 1
        assert list(place.iterdir()) == [folder]
        assert sweep() == []
