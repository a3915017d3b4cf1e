"""The trusted end of a kernel: start it, ask it, and end it when it goes too far."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from . import bubblewrap
from .inside import wire
from .limits import Limits

KERNEL = Path(__file__).parent / "inside"
LOOK_SECONDS = 0.25
"""Between two looks at the limits."""


class KernelEnded(RuntimeError):
    """The kernel is gone; the message says why, in words for the student."""


class Session:
    """One kernel process in its sandbox.

    Parameters
    ----------
    build : Path
        The student build of `helpers` (the folder that holds the package).
    submission : Path
        Files of the submission; the kernel works on a copy.
    hidden : tuple of Path
        Folders that the sandbox must never show.
    limits : Limits
    profile : str
        ``quick`` or ``full``.
    data : Path or None
        Folder with data sets.
    sandbox : bool
        False runs the kernel as an ordinary process of this user, without any protection.
    threads : int
        Threads of torch and numpy in the kernel.
    scratch : Path, optional
        Working folder of a kernel without a sandbox.
    deadline : float, optional
        `time.monotonic` at which the submission's time is over; by default
        ``limits.total_seconds`` from now.

    Raises
    ------
    autograder.sandbox.bubblewrap.SandboxUnavailable
        If `sandbox` is wanted and cannot be had.
    KernelEnded
        If the kernel does not start.
    """

    def __init__(
        self,
        *,
        build: Path,
        submission: Path,
        hidden: tuple[Path, ...] = (),
        limits: Limits | None = None,
        profile: str = "quick",
        data: Path | None = None,
        sandbox: bool = True,
        threads: int = 1,
        scratch: Path | None = None,
        deadline: float | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._reason: str | None = None
        self._received = 0
        self._processor_seconds = 0.0
        self._errors = bytearray()
        ours, theirs = socket.socketpair()
        self._connection = ours
        if sandbox:
            shown = {"kernel": "/kernel", "build": "/course", "submission": "/submission"}
            home = "/scratch"
        else:
            if scratch is None:
                raise ValueError("a kernel without a sandbox needs a scratch folder")
            shown = {"kernel": str(KERNEL.parent), "build": str(build)}
            shown["submission"], home = str(submission), str(scratch)
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": home,
            "IPYTHONDIR": f"{home}/.ipython",
            "MPLCONFIGDIR": f"{home}/.matplotlib",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PYTHONPATH": f"{shown['build']}:{shown['kernel']}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": str(threads),
            "COURSE_GRADING": "1",
            "COURSE_PROFILE": profile,
        }
        # Outside of a sandbox the limit would count everything else that this user runs.
        processes = self.limits.processes if sandbox else -1
        numbers = (self.limits.address_space_bytes, processes, self.limits.disk_bytes)
        program = [sys.executable, "-m", "inside.kernel", ",".join(map(str, numbers))]
        program.append(shown["submission"])
        if sandbox:
            environment["COURSE_DATA"] = "/data" if data is not None else f"{home}/data"
            command = bubblewrap.command(
                kernel=KERNEL,
                build=build,
                submission=submission,
                hidden=hidden,
                data=data,
                limits=self.limits,
                environment=environment,
                arguments=program,
            )
        else:
            environment["COURSE_DATA"] = str(data or scratch)
            command = program
        self._process = subprocess.Popen(
            command,
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={} if sandbox else environment,
            cwd=None if sandbox else scratch,
        )
        theirs.close()
        self._deadline = deadline or time.monotonic() + self.limits.total_seconds
        threading.Thread(target=self._drain, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()
        self.run("")

    def run(self, source: str) -> list[dict[str, Any]]:
        """Run one cell; return its outputs, in nbformat's shape but unchecked.

        Raises
        ------
        KernelEnded
            If the kernel dies or goes past a limit.
        """
        outputs = self.ask({"op": "run", "source": source}).get("outputs")
        return outputs if isinstance(outputs, list) else []

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request and return the reply.

        Raises
        ------
        KernelEnded
            As for `run`.
        """
        turn = _Turn(
            processor_end=self._processor_seconds + self.limits.cell_seconds,
            wall_end=time.monotonic() + self.limits.cell_wall_seconds,
        )
        try:
            if self._reason is not None:
                raise KernelEnded(self._reason)
            self._connection.settimeout(self.limits.cell_wall_seconds)
            wire.send(self._connection, request)
            reply = wire.receive(lambda count: self._read(count, turn))
        except _TooLong as error:
            self._end(f"{error} (an endless loop?)")
        except (EOFError, OSError):
            self._process.wait()
            lines = self._errors.decode("utf-8", "replace").strip().splitlines()[-3:]
            self._end(" ".join(["the kernel died", *(f"({line})" for line in lines[-1:])]))
        except wire.WireError as error:
            self._end(f"the kernel sent what no notebook sends ({error})")
        if not isinstance(reply, dict):
            self._end("the kernel sent what no notebook sends")
        return reply

    def close(self) -> None:
        """End the kernel and everything that it started."""
        # Killing bubblewrap ends the process namespace, and with it every process inside.
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self.close()
        raise KernelEnded(self._reason) from None

    def _read(self, count: int, turn: _Turn) -> bytes:
        self._received += count
        if self._received > self.limits.output_bytes:
            raise wire.WireError("more output than allowed")
        data = bytearray()
        self._connection.settimeout(LOOK_SECONDS)
        while len(data) < count:
            try:
                chunk = self._connection.recv(min(count - len(data), 2**20))
            except TimeoutError:
                chunk = None
            if chunk == b"":
                raise EOFError
            data += chunk or b""
            self._check_time(turn)
        return bytes(data)

    def _check_time(self, turn: _Turn) -> None:
        if self._processor_seconds > turn.processor_end:
            raise _TooLong(f"it took more than {self.limits.cell_seconds:g} s of processor time")
        if time.monotonic() > turn.wall_end:
            raise _TooLong(f"it took longer than {self.limits.cell_wall_seconds:g} s")
        if time.monotonic() > self._deadline:
            whole = f"the notebook as a whole took longer than {self.limits.total_seconds:g} s"
            raise _TooLong(whole)

    def _drain(self) -> None:
        """Keep the end of what the kernel's process says on standard error."""
        stream = self._process.stderr
        assert stream is not None
        while chunk := os.read(stream.fileno(), 65536):
            self._errors[:] = (self._errors + chunk)[-8192:]

    def _watch(self) -> None:
        """End the kernel when all its processes together pass a limit."""
        while self._process.poll() is None:
            memory = count = 0
            seconds = 0.0
            with contextlib.suppress(psutil.Error):
                for process in psutil.Process(self._process.pid).children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        memory += process.memory_info().rss
                        # Its own time and that of the children which it has outlived.
                        seconds += sum(process.cpu_times()[:4])
                        count += 1
            self._processor_seconds = max(self._processor_seconds, seconds)
            if count > self.limits.processes:
                self._reason = f"it started more than {self.limits.processes} processes"
            elif memory > self.limits.memory_bytes:
                allowed = self.limits.memory_bytes / 2**30
                self._reason = f"it used more than the {allowed:.1f} GiB of memory allowed"
            if self._reason is not None:
                self._process.kill()
                return
            time.sleep(LOOK_SECONDS)


@dataclass(frozen=True)
class _Turn:
    """When one request must have been answered, by either clock."""

    processor_end: float
    wall_end: float


class _TooLong(Exception):
    """A limit on time is reached; the message says which."""
