"""The sandbox around a kernel, made by bubblewrap.

The sandbox contains the programs of `shown` and whatever else the caller shows, all read-only;
/proc with the sandbox's own processes; and three empty folders of limited size to write to. There
is no network, no other process, no repository, no gradebook, no reference and no other submission.
There are no system calls except those of `seccomp`, and no rights that an ordinary account does not
have.

If the grader is root, bubblewrap runs twice. The first run, as root, only binds what is to be shown
below a folder that anybody may enter, in a mount namespace that exists only as long as this run.
Otherwise, an unprivileged account could not reach a Python environment below /root. Then the
account is changed, and the second run makes the sandbox, just as it does for an ordinary user.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from autograder.errors import UserError

from . import account, seccomp, shown
from .cgroup import Cgroup
from .limits import Limits

OLDEST = (0, 8, 0)
"""The first bubblewrap that can forbid further user namespaces (``--disable-userns``)."""

INSTALL_HINT = (
    "Grading runs student code in a sandbox and needs bubblewrap. Install it with "
    "`apt-get install bubblewrap` (Debian, Ubuntu) or `dnf install bubblewrap` (Fedora); on "
    "macOS and Windows, grade in a Linux container or virtual machine. `--no-sandbox` grades "
    "without it: then any submission can read and change everything that you can."
)

KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
"""The exit statuses of a sandbox in which, or of which, a process was killed."""

READ_ONLY = ("acpi", "bus", "fs", "irq", "pressure", "scsi", "sys", "sysrq-trigger")
"""Entries of /proc that are settings of the whole machine."""
EMPTY = ("key-users", "keys", "latency_stats", "sched_debug", "timer_list")
"""Files of /proc that reveal something about other users and processes."""


class SandboxUnavailable(UserError):
    """bubblewrap is not installed, or does not work on this machine."""


@cache
def require() -> None:
    """Make sure that a sandbox can be made here, by making one.

    Raises
    ------
    SandboxUnavailable
        If it cannot; the message says what to do about it.
    """
    _program()
    status, said = _tried()
    if status in KILLED:  # by a person, or for want of the machine's memory
        status, said = _tried()
    if status != 0:
        raise SandboxUnavailable(
            f"bubblewrap is installed but cannot make a sandbox here "
            f"({said.decode('utf-8', 'replace').strip()}). Unprivileged user namespaces may be "
            "switched off, or this is a container without them: allow them "
            "(kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, "
            "or `--security-opt seccomp=unconfined` for a container). If the grader runs as "
            "root, try it as an ordinary user. " + INSTALL_HINT
        )


def _tried() -> tuple[int | None, bytes]:
    """Make a sandbox in which Python starts and ends; return its exit status and its errors."""
    python = [sys.executable, "-I", "-S", "-c", ""]
    process = start(python, limits=Limits(), environment={}, stdin=subprocess.DEVNULL)
    try:
        _, said = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        said = b"it did not end within a minute"
    return process.returncode, said


@cache
def _program() -> str:
    """Return the path of bubblewrap."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxUnavailable(INSTALL_HINT)
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    version = tuple(int(number) for number in re.findall(r"\d+", said))
    if version < OLDEST:
        raise SandboxUnavailable(
            f"bubblewrap {'.'.join(map(str, OLDEST))} or newer is needed, but this is "
            f"{said.strip() or 'an unknown version'}: please upgrade it."
        )
    return program


def start(
    program: Sequence[str],
    *,
    limits: Limits,
    environment: Mapping[str, str],
    stdin: int,
    folders: Mapping[str, Path] | None = None,
    files: Mapping[str, bytes] | None = None,
    masks: Iterable[Path] = (),
    group: Cgroup | None = None,
    first: bool = False,
) -> subprocess.Popen[bytes]:
    """Start `program` in a new sandbox.

    Parameters
    ----------
    program
        The program and its arguments.
    limits
        Of these limits, only the one on disk space is set here.
    environment
        All environment variables of the program.
    stdin
        Its standard input: a descriptor, or `subprocess.DEVNULL`.
    folders
        Further files and folders to show, read-only, by their paths in the sandbox.
    files
        Contents of further files, by their paths in the sandbox.
    masks
        Folders that must appear empty, inside folders that are shown.
    group
        The control group that the program joins.
    first
        Whether the program is the first process of its namespace, instead of one of bubblewrap's.

    Returns
    -------
    subprocess.Popen
        The outermost process; its standard error is a pipe. The sandbox ends with it.

    Raises
    ------
    SandboxUnavailable
        If a folder cannot be read by the account that student code gets.
    autograder.sandbox.account.NoAccount
        If the grader is root and there is no account to change to.
    """
    binds = {str(place): place for place in shown.programs()} | dict(folders or {})
    links = {place: path for place, path in binds.items() if path.is_symlink()}
    real = {place: path for place, path in binds.items() if place not in links}
    user = account.unprivileged()
    seen = real if user is None else {place: Path("/tmp", str(n)) for n, place in enumerate(real)}
    with _Passed() as passed:
        args = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"]
        args += ["--new-session", "--clearenv", "--cap-drop", "ALL", "--hostname", "grading"]
        args += ["--seccomp", passed(seccomp.filter_program())]
        if first:
            args.append("--as-pid-1")
        # These come first: what is shown may lie in /tmp, and must not be covered by them.
        for place in ("/tmp", "/scratch"):
            args += ["--size", str(limits.disk_bytes), "--tmpfs", place]
        for place, path in links.items():
            args += ["--symlink", os.readlink(path), place]
        for place, path in seen.items():
            args += ["--ro-bind", str(path), place]
        for folder in masks:
            args += ["--tmpfs", str(folder), "--remount-ro", str(folder)]
        args += ["--proc", "/proc"]
        for name in READ_ONLY:
            args += ["--ro-bind-try", f"/proc/{name}", f"/proc/{name}"]
        for name in EMPTY:
            if os.path.exists(f"/proc/{name}"):
                args += ["--perms", "0444", "--ro-bind-data", passed(b""), f"/proc/{name}"]
        args += ["--dev", "/dev", "--size", str(limits.disk_bytes), "--tmpfs", "/dev/shm"]
        for place, content in (files or {}).items():
            args += ["--perms", "0444", "--file", passed(content), place]
        args += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/scratch"]
        for name, value in environment.items():
            args += ["--setenv", name, value]
        # Passed by a descriptor, because the first process's arguments can be read in the sandbox.
        sealed = "".join(f"{argument}\0" for argument in args).encode()
        command = [_program(), "--args", passed(sealed), "--", *program]
        if user is not None:
            command = _staged(command, {seen[place]: real[place] for place in real}, user)
        if group is not None:
            command = group.joining(command)
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={},
            cwd="/",
            pass_fds=passed.descriptors,
        )


def with_programs_only(command: Sequence[str], *, writable: Path) -> list[str]:
    """Return a command line that runs our own code as the account of student code, without walls.

    It cannot read everything that root can, so root binds the programs for it as for a sandbox.

    Parameters
    ----------
    command
        What is run.
    writable
        A folder that it may write to.

    Returns
    -------
    list of str
        Just `command` if the grader is an ordinary user.
    """
    user = account.unprivileged()
    if user is None:
        return list(command)
    args = [_program(), "--die-with-parent", "--proc", "/proc", "--dev", "/dev"]
    args += ["--perms", "1777", "--tmpfs", "/tmp"]
    places = shown.programs()
    # bubblewrap would make these folders for root alone.
    for folder in sorted({above for place in [*places, writable] for above in place.parents}):
        args += ["--perms", "0755", "--dir", str(folder)]
    for place in places:
        if place.is_symlink():
            args += ["--symlink", os.readlink(place), str(place)]
        else:
            args += ["--ro-bind", str(place), str(place)]
    args += ["--bind", str(writable), str(writable)]
    return [*args, "--", *user.running(command)]


class _Passed(ExitStack):
    """Passes contents to bubblewrap by open descriptors, which are closed here at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptors: list[int] = []

    def __call__(self, content: bytes) -> str:
        """Return the number of a descriptor from which `content` can be read."""
        self.descriptors.append(memory_file(content, self))
        return str(self.descriptors[-1])


def memory_file(content: bytes, opened: ExitStack) -> int:
    """Return a descriptor from which `content` can be read; `opened` closes it."""
    descriptor = os.memfd_create("content")
    opened.callback(os.close, descriptor)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _staged(command: Sequence[str], binds: Mapping[Path, Path], user: account.Account) -> list[str]:
    """Return a command line: root binds what `user` is shown, and then `user` runs `command`.

    Parameters
    ----------
    command
        What `user` runs.
    binds
        What root binds, by its path below /tmp.
    user
        The account that runs `command`.
    """
    args = [_program(), "--die-with-parent", "--dev-bind", "/", "/", "--tmpfs", "/tmp"]
    for place, path in binds.items():
        _require_readable(path)
        args += ["--ro-bind", str(path), str(place)]
    return [*args, "--", *user.running(command)]


def _require_readable(path: Path) -> None:
    mode = path.stat().st_mode
    needed = 0o005 if stat.S_ISDIR(mode) else 0o004
    if mode & needed != needed:
        raise SandboxUnavailable(
            f"The grader runs as root, and student code as the account `nobody`, which may not "
            f"read {path}. Run `chmod -R o+rX {path}`, or run the grader as an ordinary user."
        )
