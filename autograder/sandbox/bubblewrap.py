"""The sandbox around a kernel, as a bubblewrap command line.

Inside there are: the system's libraries and the Python environment (read-only), the student build
of `helpers`, this submission's own files, the kernel program, the data folder, and an empty scratch
folder of limited size. There is no network, no other process, no repository, no gradebook, no
reference and no other submission.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from autograder.errors import UserError

from .limits import Limits

INSTALL_HINT = (
    "Grading runs student code in a sandbox and needs bubblewrap. Install it with "
    "`apt-get install bubblewrap` (Debian, Ubuntu) or `dnf install bubblewrap` (Fedora); on "
    "macOS and Windows grade in a Linux container or virtual machine. `--no-sandbox` grades "
    "without it: then any submission can read and change everything that you can."
)


class SandboxUnavailable(UserError):
    """bubblewrap is missing, or this machine does not let it work."""


@cache
def require() -> str:
    """Return the path of a working bubblewrap.

    Raises
    ------
    SandboxUnavailable
        With what to do about it.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxUnavailable(INSTALL_HINT)
    trial = [program, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    result = subprocess.run(trial, capture_output=True, text=True)
    if result.returncode != 0:
        raise SandboxUnavailable(
            f"bubblewrap is installed but cannot make a sandbox here ({result.stderr.strip()}). "
            "Unprivileged user namespaces may be switched off, or this is a container without "
            "them: allow them (kernel.unprivileged_userns_clone=1, or `--security-opt "
            "seccomp=unconfined` for a container). " + INSTALL_HINT
        )
    return program


def command(
    *,
    kernel: Path,
    build: Path,
    submission: Path,
    hidden: tuple[Path, ...],
    data: Path | None,
    limits: Limits,
    environment: dict[str, str],
    arguments: list[str],
) -> list[str]:
    """Return the command line that runs `arguments` in a sandbox.

    Parameters
    ----------
    kernel, build, submission : Path
        Folders shown read-only as /kernel/inside, /course and /submission.
    hidden : tuple of Path
        Folders that must not be seen even where they lie inside the Python environment.
    data : Path or None
        Data sets, shown read-only as /data.
    limits : Limits
    environment : dict
        The whole environment of the program.
    arguments : list of str
        The program and its arguments.
    """
    size = str(limits.disk_bytes)
    args = [require(), "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    args += ["--cap-drop", "ALL", "--hostname", "grading"]
    shown = _system_folders(args)
    # First, for the Python environment may lie in /tmp, where it must not be covered.
    for place in ("/tmp", "/scratch"):
        args += ["--size", size, "--tmpfs", place]
    for prefix in dict.fromkeys([Path(sys.base_prefix), Path(sys.prefix)]):
        if not any(prefix.is_relative_to(folder) for folder in shown):
            args += ["--ro-bind", str(prefix), str(prefix)]
            shown.append(prefix)
    for folder in hidden:
        if any(folder.is_relative_to(parent) for parent in shown):
            args += ["--tmpfs", str(folder), "--remount-ro", str(folder)]
    args += ["--proc", "/proc", "--dev", "/dev"]
    for source, place in (
        (kernel, "/kernel/inside"),
        (build, "/course"),
        (submission, "/submission"),
    ):
        args += ["--ro-bind", str(source), place]
    if data is not None and data.is_dir():
        args += ["--ro-bind", str(data), "/data"]
    args += ["--size", size, "--tmpfs", "/dev/shm"]
    args += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/scratch"]
    for name, value in environment.items():
        args += ["--setenv", name, value]
    return [*args, "--", *arguments]


def _system_folders(args: list[str]) -> list[Path]:
    """Add the system's programs and libraries to `args`; return the folders shown."""
    args += ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if os.path.islink(name):
            args += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            args += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/ssl/certs"):
        args += ["--ro-bind-try", name, name]
    return [Path("/usr")]
