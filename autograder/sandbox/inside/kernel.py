"""The program inside the sandbox: it runs the cells of one notebook and answers hidden tests.

It is started as `python -m inside.kernel` with a connected socket as standard input. Nothing that
it sends is trusted: the other side takes its frames only as plain data about what student code did.
The heartbeats, threads and ports of a Jupyter kernel are not needed for that, so this is plain
IPython; it starts in a third of the time, and the trusted side has only a small parser to defend.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from . import wire
from .figures import show_without_drawing
from .responder import Responder

MAX_CELL_OUTPUT_BYTES = 8 * 2**20
"""Limit on the text and figures of a cell. More is dropped here; the other side counts again."""


class Outputs:
    """The outputs of the cell that is running, in nbformat's form."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.size = 0

    def add(self, output: dict[str, Any]) -> None:
        """Append `output` unless the outputs of this cell are too large already."""
        self.size += len(str(output))
        if self.size <= MAX_CELL_OUTPUT_BYTES:
            self.items.append(output)

    def write(self, name: str, text: str) -> None:
        """Append to a stream, joining the text to the last output if it has the same stream."""
        self.size += len(text)
        if self.size > MAX_CELL_OUTPUT_BYTES:
            return
        last = self.items[-1] if self.items else {}
        if last.get("name") == name:
            last["text"] += text
        else:
            self.items.append({"output_type": "stream", "name": name, "text": text})

    def take(self) -> list[dict[str, Any]]:
        """Return the collected outputs, and start again with none."""
        items, self.items, self.size = self.items, [], 0
        return items


OUTPUTS = Outputs()


class Stream:
    """Replaces sys.stdout or sys.stderr."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, text: str) -> int:
        OUTPUTS.write(self.name, str(text))
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


class Publisher(DisplayPublisher):
    """Collects what `display` shows."""

    def publish(self, data: Any, metadata: Any = None, source: Any = None, **_: Any) -> None:
        OUTPUTS.add({"output_type": "display_data", "data": data, "metadata": metadata or {}})

    def clear_output(self, wait: bool = False) -> None:
        OUTPUTS.take()


class ResultHook(DisplayHook):
    """Collects the value of a cell's last expression."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        OUTPUTS.add(
            {
                "output_type": "execute_result",
                "execution_count": self.prompt_count,
                "data": format_dict,
                "metadata": md_dict or {},
            }
        )

    def finish_displayhook(self) -> None:
        pass


class Shell(InteractiveShell):
    """An IPython shell whose errors are outputs."""

    displayhook_class = ResultHook
    display_pub_class = Publisher

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        OUTPUTS.add(
            {
                "output_type": "error",
                "ename": str(getattr(etype, "__name__", etype)),
                "evalue": str(evalue),
                "traceback": [str(line) for line in stb],
            }
        )

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: there is no screen, and `%matplotlib inline` needs no event loop."""


def limit_resources(memory: int, processes: int, file_bytes: int, open_files: int) -> None:
    """Lower this process's limits for good; without privileges they cannot be raised again.

    A negative number of `processes` leaves that limit as it is.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if processes >= 0:
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def serve(connection: socket.socket) -> None:
    """Answer requests until the other side hangs up."""

    def read(count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            chunk = connection.recv(count - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    shell = Shell.instance(config=Config(HistoryManager={"enabled": False}), colors="nocolor")
    responder = Responder(shell.user_ns)
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    on_the_cpu = undrawn = False
    with contextlib.suppress(EOFError):
        while True:
            request = wire.receive(read)
            if request["op"] == "run":
                if not on_the_cpu and ("torch" in request["source"] or "torch" in sys.modules):
                    # Only now, because loading torch takes a second.
                    from .torch_here import stay_on_the_cpu

                    stay_on_the_cpu()
                    on_the_cpu = True
                if not undrawn and (
                    "matplotlib" in request["source"] or "matplotlib" in sys.modules
                ):
                    show_without_drawing(shell)
                    undrawn = True
                shell.run_cell(request["source"], store_history=True)
                reply = {"outputs": OUTPUTS.take()}
            else:
                reply = responder.answer(request)
                OUTPUTS.take()
            try:
                wire.send(connection, reply)
            except (wire.WireError, TypeError, ValueError) as error:
                reason = {"type": type(error).__name__, "text": str(error)}
                wire.send(connection, {"error": reason, "outputs": []})


def main() -> None:
    """Set the limits, copy the submitted files into the scratch folder, and serve requests."""
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    limit_resources(*(int(n) for n in sys.argv[1].split(",")))
    # From here on, a failure counts as the submission's: its files may shadow modules, or fill the
    # disk.
    wire.send(connection, {"ready": True})
    shutil.copytree(sys.argv[2], Path.cwd(), dirs_exist_ok=True)
    sys.argv = [""]
    serve(connection)


if __name__ == "__main__":
    main()
