"""The trusted end of a kernel: start it, ask it, and end it when it goes too far."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from . import bubblewrap
from .inside import wire
from .limits import Limits

KERNEL = Path(__file__).parent / "inside"
START_SECONDS = 60.0
"""To the kernel's first answer: the imports of IPython, on a busy machine."""


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
        numbers = (self.limits.address_space_bytes, self.limits.processes, self.limits.disk_bytes)
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
        self.run("", seconds=START_SECONDS)

    def run(self, source: str, seconds: float | None = None) -> list[dict[str, Any]]:
        """Run one cell; return its outputs, in nbformat's shape but unchecked.

        Raises
        ------
        KernelEnded
            If the kernel dies, goes past a limit or takes longer than `seconds`.
        """
        reply = self.ask({"op": "run", "source": source}, seconds)
        outputs = reply.get("outputs")
        return outputs if isinstance(outputs, list) else []

    def ask(self, request: dict[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """Send one request and return the reply.

        Raises
        ------
        KernelEnded
            As for `run`.
        """
        allowed = seconds or self.limits.cell_seconds
        deadline = min(time.monotonic() + allowed, self._deadline)
        try:
            if self._reason is not None:
                raise KernelEnded(self._reason)
            self._connection.settimeout(max(0.01, deadline - time.monotonic()))
            wire.send(self._connection, request)
            reply = wire.receive(lambda count: self._read(count, deadline))
        except TimeoutError:
            over = time.monotonic() >= self._deadline
            limit = self.limits.total_seconds if over else allowed
            what = "the notebook as a whole" if over else "it"
            self._end(f"{what} took longer than {limit:.0f} s (an endless loop?)")
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

    def _read(self, count: int, deadline: float) -> bytes:
        self._received += count
        if self._received > self.limits.output_bytes:
            raise wire.WireError("more output than allowed")
        data = bytearray()
        while len(data) < count:
            self._connection.settimeout(max(0.001, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                raise TimeoutError
            chunk = self._connection.recv(min(count - len(data), 2**20))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

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
            with contextlib.suppress(psutil.Error):
                for process in psutil.Process(self._process.pid).children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        memory += process.memory_info().rss
                        count += 1
            if count > self.limits.processes:
                self._reason = f"it started more than {self.limits.processes} processes"
            elif memory > self.limits.memory_bytes:
                allowed = self.limits.memory_bytes / 2**30
                self._reason = f"it used more than the {allowed:.1f} GiB of memory allowed"
            if self._reason is not None:
                self._process.kill()
                return
            time.sleep(0.25)
