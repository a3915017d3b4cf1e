"""The trusted side of a kernel: start it, send it requests, and end it when it exceeds a limit."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import psutil

from autograder.errors import UserError

from . import bubblewrap, cgroup
from .environment import kernel_environment
from .inside import wire
from .limits import Limits
from .template import WAITER, Template, TemplateLost, say_cold
from .watcher import CHECK_SECONDS, Watcher

KERNEL = Path(__file__).parent / "inside"
MODULE = "inside.kernel"
"""The kernel's module; in a sandbox, its folder is /kernel."""
START_SECONDS = 120.0
"""How long a kernel may take to start on a busy machine; its imports take half a second."""
END_SECONDS = 5.0
"""How long a killed process may take to end, which takes milliseconds."""


class KernelEnded(RuntimeError):
    """The kernel has ended; the message says why, in words for the student.

    Attributes
    ----------
    killed
        Whether SIGKILL ended it, and no limit of ours. Student code can send itself this signal,
        but so can a person, or the machine when it has no memory left, and nothing tells the two
        apart.
    """

    def __init__(self, reason: str, *, killed: bool = False) -> None:
        super().__init__(reason)
        self.killed = killed


class KernelNotStarted(UserError):
    """No kernel could be started, and the submission is not the cause."""


class Session:
    """One kernel process in its sandbox.

    Parameters
    ----------
    build
        The student build of `helpers` (the folder that holds the package).
    submission
        The submission's files; the kernel works on a copy.
    masks
        Folders that must appear empty if they lie in a folder that the sandbox shows.
    limits
        By default, those of `Limits()`.
    profile
        ``quick`` or ``full``.
    data
        A file with data that the profile needs, which is shown in the folder /data; None if the
        profile needs none.
    template
        The process that the kernel is forked from. By default it is started by itself, which takes
        longer.
    sandbox
        False runs the kernel as an ordinary process of this user, without any protection.
    threads
        Threads of torch and numpy in the kernel, and processors that a control group allows it.
    scratch
        The working folder of a kernel without a sandbox, which must have one.
    deadline
        The value of `time.monotonic` at which the submission's time is over; by default
        ``limits.total_seconds`` from now.

    Raises
    ------
    autograder.sandbox.bubblewrap.SandboxUnavailable
        If `sandbox` is true and no sandbox is available.
    KernelNotStarted
        If the kernel does not start.
    KernelEnded
        If it ends while it copies the submission's files.
    """

    def __init__(
        self,
        *,
        build: Path,
        submission: Path,
        masks: tuple[Path, ...] = (),
        limits: Limits | None = None,
        profile: str = "quick",
        data: Path | None = None,
        template: Template | None = None,
        sandbox: bool = True,
        threads: int = 1,
        scratch: Path | None = None,
        deadline: float | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._received = 0
        self._errors = bytearray()
        self._members: list[psutil.Process] = []
        self._kernel: psutil.Process | None = None
        self._group = cgroup.create(self.limits, threads) if sandbox else None
        self._connection, theirs = socket.socketpair()
        with theirs:
            if sandbox:
                self._process = self._start_in_sandbox(
                    theirs, build, submission, masks, profile, data, threads, template
                )
            else:
                if scratch is None:
                    raise ValueError("a kernel without a sandbox needs a scratch folder")
                self._process = self._start_unprotected(
                    theirs, build, submission, profile, data or scratch, threads, scratch
                )
        self._drained = threading.Thread(target=self._drain, daemon=True)
        self._drained.start()
        self._watcher = Watcher(
            self._process,
            limits=self.limits,
            group=self._group,
            deadline=deadline or time.monotonic() + self.limits.total_seconds,
            members=self._below,
            kill=self._kill,
        )
        self._wait_for_start()
        self._members = self._below()
        self.run("")

    def _start_in_sandbox(
        self,
        connection: socket.socket,
        build: Path,
        submission: Path,
        masks: tuple[Path, ...],
        profile: str,
        data: Path | None,
        threads: int,
        template: Template | None,
    ) -> subprocess.Popen[bytes]:
        folders = {"/course": build, "/submission": submission}
        if data is not None:
            folders[f"/data/{data.name}"] = data
        environment = kernel_environment("/scratch", "/course:/kernel", "/data", profile, threads)
        program = _program("/submission", self.limits)

        def start(
            program: Sequence[str], stdin: socket.socket, *, first: bool = False
        ) -> subprocess.Popen[bytes]:
            return bubblewrap.start(
                program,
                limits=self.limits,
                environment=environment,
                stdin=stdin.fileno(),
                folders=folders,
                # Passed as contents, because student code's account may not have access to them.
                files={f"/kernel/inside/{p.name}": p.read_bytes() for p in KERNEL.glob("*.py")},
                masks=masks,
                group=self._group,
                first=first,
            )

        try:
            if template is None:
                return start(program, connection)
            ours, theirs = socket.socketpair()
            with theirs:
                sandbox = start(WAITER, theirs, first=True)
            try:
                self._kernel = template.fork(
                    sandbox=sandbox,
                    waiter=ours,
                    connection=connection,
                    module=MODULE,
                    arguments=program[-2:],
                    environment=environment,
                    group=self._group,
                )
                return sandbox
            except TemplateLost as lost:
                say_cold(str(lost))
                # Its first process may wait for ever for a kernel, and is of another account.
                for process in _children(sandbox):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
                sandbox.kill()
                sandbox.communicate()
                return start(program, connection)
        except BaseException:
            if self._group is not None:
                self._group.remove()
            raise

    def _start_unprotected(
        self,
        connection: socket.socket,
        build: Path,
        submission: Path,
        profile: str,
        data: Path,
        threads: int,
        scratch: Path,
    ) -> subprocess.Popen[bytes]:
        path = f"{build}:{KERNEL.parent}"
        return subprocess.Popen(
            # There is no limit on processes, which would count everything that this user runs.
            _program(str(submission), self.limits, count_processes=False),
            stdin=connection.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=kernel_environment(str(scratch), path, str(data), profile, threads),
            cwd=scratch,
        )

    def _wait_for_start(self) -> None:
        """Wait until the kernel reports that it is ready; it has read no student's file by then."""
        began = time.monotonic()
        try:
            wire.receive(lambda count: self._read(count, began + START_SECONDS))
        except (EOFError, OSError, wire.WireError):
            reason = self._watcher.reason or self._last_words() or "it said nothing"
            self.close()
            raise KernelNotStarted(
                f"The sandbox could not start a notebook's kernel: {reason}. Nothing was graded; "
                "this is not the submission's fault."
            ) from None

    def run(self, source: str) -> list[dict[str, Any]]:
        """Run one cell; return its outputs in nbformat's form, but unchecked.

        Raises
        ------
        KernelEnded
            If the kernel dies or exceeds a limit.
        """
        outputs = self.ask({"op": "run", "source": source}).get("outputs")
        return outputs if isinstance(outputs, list) else []

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request and return the reply.

        Raises
        ------
        KernelEnded
            If the kernel dies or exceeds a limit, as in `run`.
        """
        if self._watcher.reason is not None:
            raise KernelEnded(self._watcher.reason)
        reply = None
        self._watcher.begin_turn()
        try:
            self._connection.settimeout(self.limits.cell_wall_seconds)
            wire.send(self._connection, request)
            reply = wire.receive(self._read)
        except (EOFError, OSError):
            reason, killed = self._how_it_ended()
            self._end(reason, killed=killed)
        except wire.WireError as error:
            self._end(f"it sent the grader data that no notebook sends ({error})")
        finally:
            self._watcher.end_turn()
        if not isinstance(reply, dict):
            self._end("it sent the grader data that no notebook sends")
        return reply

    def close(self) -> None:
        """End the kernel and everything that it has started."""
        self._kill()
        # A process that cannot be killed (it waits for a broken disk, say) must not block us.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self._connection.close()
        if self._group is not None:
            self._group.remove()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self, reason: str, *, killed: bool = False) -> NoReturn:
        self._watcher.reason = self._watcher.reason or reason
        self.close()
        raise KernelEnded(self._watcher.reason, killed=killed) from None

    def _kill(self) -> None:
        # Killing bubblewrap ends the process namespace, and with it every process inside. If the
        # outermost process is gone already, the others are no longer found below it: root's
        # bubblewrap has no right to take a process of another account with it when it dies.
        for process in [*self._members, *self._below()]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.kill()

    def _below(self) -> list[psutil.Process]:
        """Return the processes of the sandbox, without the outermost one, that have not ended."""
        found = _children(self._process)
        if self._kernel is not None:  # not below the sandbox's processes, but beside them
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [self._kernel, *self._kernel.children(recursive=True)]
        return found

    def _read(self, count: int, deadline: float = math.inf) -> bytes:
        """Read `count` bytes, unless `deadline` passes or the watcher ends the kernel."""
        self._received += count
        if self._received > self.limits.output_bytes:
            raise wire.WireError("more output than allowed")
        data = bytearray()
        self._connection.settimeout(CHECK_SECONDS)
        while len(data) < count:
            try:
                chunk = self._connection.recv(min(count - len(data), 2**20))
            except TimeoutError:
                chunk = None
            if chunk == b"" or self._watcher.reason is not None or time.monotonic() > deadline:
                raise EOFError
            data += chunk or b""
        return bytes(data)

    def _how_it_ended(self) -> tuple[str, bool]:
        """Return why the connection was closed, and whether SIGKILL ended the kernel.

        The reason is in words for the student.
        """
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return "it closed its connection to the grader", False
        self._watcher.check()
        if self._watcher.reason is not None:
            return self._watcher.reason, False
        # Like a shell, bubblewrap exits with 128 + n if signal n has ended the kernel.
        number = status - 128 if status > 128 else -status
        if number <= 0:
            return f"its Python process ended by itself (exit status {status})", False
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        words = "crashed" if name in _CRASHES else "was killed"
        return f"its Python process {words} ({name})", number == signal.SIGKILL

    def _last_words(self) -> str:
        """Return the last line on standard error of a process that has closed its connection."""
        # The connection may close before all of standard error has been read.
        self._drained.join(END_SECONDS)
        lines = self._errors.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _drain(self) -> None:
        """Read the standard error of the kernel's process, and keep the end of it."""
        stream = self._process.stderr
        assert stream is not None
        with contextlib.suppress(OSError, ValueError):  # it may be closed in the meantime
            while chunk := os.read(stream.fileno(), 65536):
                self._errors[:] = (self._errors + chunk)[-8192:]


def _children(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return all processes below another one; none if it has ended."""
    if process.poll() is not None:  # its number may belong to another process by now
        return []
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


_CRASHES = {"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS"}


def _program(submission: str, limits: Limits, *, count_processes: bool = True) -> list[str]:
    """Return the command line of a kernel that works on a copy of the folder `submission`."""
    numbers = (
        limits.address_space_bytes,
        limits.processes if count_processes else -1,
        limits.disk_bytes,
        limits.open_files,
    )
    return [sys.executable, "-m", MODULE, ",".join(map(str, numbers)), submission]
