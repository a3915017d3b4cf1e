"""A PostgreSQL server of its own for the tests, on a free port, with its data in a folder."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

USER = "grader"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Start a server whose files lie in `folder`; yield the address of an empty database."""
    programs = _programs()
    # PostgreSQL refuses to run as root.
    account = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    data = folder / "postgresql"
    data.mkdir()
    shutil.chown(data, account)
    for parent in [folder, *folder.parents]:
        if parent.owner() == "root" and parent.stat().st_mode & 0o777 == 0o700:
            parent.chmod(0o711)  # pytest's folders, which the server has to go through

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            cwd=data,
            user=account if os.geteuid() == 0 else None,
            stdout=subprocess.DEVNULL,
        )

    port = _free_port()
    run("initdb", "--pgdata", str(data), "--username", USER, "--auth", "trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data}"
    log = str(data / "log")
    run("pg_ctl", "--pgdata", str(data), "--log", log, "--options", options, "--wait", "start")
    try:
        run("createdb", "--host", "127.0.0.1", "--port", str(port), "--username", USER, "course")
        yield f"postgresql://{USER}@127.0.0.1:{port}/course"
    finally:
        run("pg_ctl", "--pgdata", str(data), "--mode", "immediate", "--wait", "stop")


def _programs() -> Path:
    found = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if found is None and not places:
        pytest.skip("PostgreSQL is not installed")
    return Path(found).resolve().parent if found else places[-1]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
