"""The trusted side of a template process, which forks kernels that have their packages imported.

The template runs as the account that student code gets, with an environment like a kernel's, and
is told nothing secret; see `forker`. It runs no student code. Each kernel that it forks joins a
sandbox of its own, made by bubblewrap just as for a kernel that is started by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import psutil

from autograder.errors import UserError
from autograder.temporary import temporary_folder

from . import account, bubblewrap, seccomp
from .cgroup import Cgroup
from .environment import kernel_environment
from .forker import ORDER

PROGRAM = Path(__file__).with_name("forker.py")
START_SECONDS = 120.0
"""How long a template may take to import its packages on a busy machine; torch takes two
seconds."""

END_SECONDS = 5.0
"""How long a template may take to end when nobody can ask it for kernels any more."""

WAITER = ("/bin/sh", "-c", "trap '' CHLD; echo ready >&0; read status; exit $status")
"""The program for which bubblewrap makes a sandbox. It ends, and the sandbox with it, with the exit
status of the kernel that has joined the sandbox.

It is the first process there, which no other can kill. Processes without a parent become its own,
and are removed when they end, because it ignores the signal that would tell it so."""


class TemplateLost(UserError):
    """The template has ended, or a kernel could not join its sandbox."""


@cache
def say_cold(reason: str) -> None:
    """Say on standard error, once for each reason, that kernels are started by themselves."""
    print(
        f"Each kernel imports its packages by itself, which takes longer: {reason}.",
        file=sys.stderr,
    )


class Template:
    """A process with imported packages, of which kernels are forked.

    Parameters
    ----------
    requests
        The connection over which it is asked for kernels. Several processes may share it.
    """

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests

    @classmethod
    def inherited(cls, descriptor: int) -> Template:
        """Return the template that another process has started, given its descriptor here."""
        return cls(socket.socket(fileno=descriptor))

    @property
    def descriptor(self) -> int:
        """The descriptor of the connection, for processes that inherit it."""
        return self._requests.fileno()

    def fork(
        self,
        *,
        sandbox: subprocess.Popen[bytes],
        waiter: socket.socket,
        connection: socket.socket,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        group: Cgroup | None,
    ) -> psutil.Process:
        """Start a kernel in a sandbox.

        Parameters
        ----------
        sandbox
            The outermost process of the sandbox, which was made for `WAITER`.
        waiter
            Our end of the waiter's standard input. It is closed here.
        connection
            The kernel's end of the connection to the grader.
        module
            The module that the kernel runs as a program.
        arguments
            The arguments of that program.
        environment
            All environment variables of the kernel.
        group
            The control group that the kernel joins before it runs anything of a student's.

        Returns
        -------
        psutil.Process
            The kernel's process.

        Raises
        ------
        TemplateLost
            If it cannot be started.
        """
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as opened, ours, theirs, waiter:
            passed = {"connection": connection.fileno(), "go": theirs.fileno()}
            passed["ending"] = waiter.fileno()
            passed["filter"] = bubblewrap.memory_file(seccomp.filter_program(), opened)
            waiter.settimeout(START_SECONDS)
            try:
                if not waiter.recv(20):
                    raise TemplateLost("the sandbox ended before a kernel could join it")
                inside = _innermost(sandbox)
                passed["errors"] = _opened(f"/proc/{inside}/fd/2", os.O_WRONLY, opened)
                for name in ORDER[1:]:
                    passed[name] = _opened(f"/proc/{inside}/ns/{name}", os.O_RDONLY, opened)
            except (OSError, psutil.Error) as error:
                raise TemplateLost(f"the sandbox cannot be joined: {error}") from None
            request = {
                "module": module,
                "arguments": list(arguments),
                "environment": dict(environment),
                "descriptors": list(passed),
            }
            try:
                socket.send_fds(
                    self._requests, [json.dumps(request).encode()], list(passed.values())
                )
                theirs.close()
                waiter.close()
                ours.settimeout(START_SECONDS)
                kernel = psutil.Process(int(ours.recv(20)))
                if group is not None:
                    group.add(kernel.pid)
                ours.send(b"!")
            except (OSError, ValueError, psutil.Error) as error:
                raise TemplateLost(f"no kernel was forked: {error}") from None
        return kernel


@contextlib.contextmanager
def started(modules: Sequence[str], threads: int) -> Iterator[Template]:
    """Start a template, and end it after the block. Kernels that it has forked go on.

    It is not waited for: the first kernel is forked as soon as all packages are imported.

    Parameters
    ----------
    modules
        The modules to import; those that are not installed are left out.
    threads
        Threads of torch and numpy in a kernel.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with contextlib.ExitStack() as opened, ours:
        # Importing matplotlib writes a list of the fonts.
        settings = opened.enter_context(temporary_folder("template-")) / "settings"
        settings.mkdir()
        if (user := account.unprivileged()) is not None:
            os.chown(settings, user.uid, user.gid)
        program = bubblewrap.memory_file(PROGRAM.read_bytes(), opened)
        variables = kernel_environment("/scratch", "", "/data", "quick", threads)
        with theirs:
            process = subprocess.Popen(
                bubblewrap.with_programs_only(
                    [sys.executable, "-c", f"exec(open({program}).read())"], writable=settings
                ),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=variables | {"MPLCONFIGDIR": str(settings)},
                cwd="/",
                pass_fds=[program],
            )
        try:
            ours.settimeout(START_SECONDS)
            with contextlib.suppress(OSError):  # if it has ended already, that is said at the end
                ours.send(json.dumps(list(modules)).encode())
            yield Template(ours)
        finally:
            _end(process, ours)


def _end(process: subprocess.Popen[bytes], requests: socket.socket) -> None:
    """End a template; if it has ended before, say why."""
    ended = process.poll()
    requests.close()
    try:
        _, said = process.communicate(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
    if ended is not None:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        say_cold(lines[-1] if lines else f"the template ended with exit status {ended}")


def _innermost(sandbox: subprocess.Popen[bytes]) -> int:
    """Return the process id of the waiter, which has started no other process."""
    process = psutil.Process(sandbox.pid)
    while children := process.children():
        (process,) = children
    return process.pid


def _opened(path: str, flags: int, opened: contextlib.ExitStack) -> int:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    opened.callback(os.close, descriptor)
    return descriptor
