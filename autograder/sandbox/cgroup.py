"""Control groups: limits on a sandbox that the machine's kernel enforces, where we may set them.

A control group counts everything: all kinds of memory (including the kernel's own for files and
sockets), swap, processes and processor time. Root may make groups, and so may a user whose session
was given a part of the tree. (systemd does that for programs below ``user@.service``;
`systemd-run --user --scope` starts a program there.) Where no group can be made, the grader watches
processes and files itself.

Both versions of control groups are used as described in Linux's own documentation
(Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .limits import Limits

NEEDED = ("memory", "pids")
"""Controllers that a group must have to be of use here."""
WISHED = ("cpu", "cpuacct")
"""Controllers that are used if they are there."""

PREFIX = "autograder-"
REMOVAL_SECONDS = 5.0
"""How long killed processes may take to leave a group; they do so within milliseconds."""

NEAR_LIMIT = 0.95
"""The part of its memory that a group has used at least when its limit ends a process.

Memory is handed out in pages of up to 2 MiB, and the last of them is the one that did not fit.
"""

CPU_PERIOD_MICROSECONDS = 100_000
"""The kernel's default period for shares of processor time."""

_numbers = itertools.count()


@dataclass(frozen=True)
class _Place:
    """Where new groups are made.

    Attributes
    ----------
    version
        The version of control groups, 1 or 2.
    folders
        The folder for new groups, by controller; in version 2, it is the same for all.
    """

    version: int
    folders: dict[str, Path]


class Cgroup:
    """The control group of one sandbox."""

    def __init__(self, version: int, folders: dict[str, Path]) -> None:
        self._version = version
        self._folders = folders

    def joining(self, command: Sequence[str]) -> list[str]:
        """Return the command line that joins this group and then becomes `command`.

        Everything that it starts is in the group from the first instruction on.
        """
        script = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 71; shift; done; shift; exec "$@"'
        members = [str(folder / "cgroup.procs") for folder in self._places()]
        return ["/bin/sh", "-c", script, "sh", *members, "--", *command]

    def add(self, process: int) -> None:
        """Move a process into this group; what it starts from now on is in the group, too."""
        for folder in self._places():
            (folder / "cgroup.procs").write_text(str(process))

    def memory_exceeded(self) -> bool:
        """Return whether the kernel has killed a process of this group for the group's own limit.

        If the whole machine has no memory left, the kernel may kill one, too, and counts it in the
        same place; but then this group need not have reached its limit.
        """
        memory = self._folders["memory"]
        if self._version == 2:
            counts = _entries(memory / "memory.events")
            return counts.get("oom_kill", 0) > 0 and counts.get("max", 0) > 0
        killed = _entries(memory / "memory.oom_control").get("oom_kill", 0) > 0
        # Not `memory.failcnt`, which stays zero if the limit includes swap.
        most = _number(memory / "memory.max_usage_in_bytes")
        return killed and most > NEAR_LIMIT * _number(memory / "memory.limit_in_bytes")

    def processes(self) -> int:
        """Return the number of processes and threads in this group."""
        return _number(self._folders["pids"] / "pids.current")

    def processor_seconds(self) -> float | None:
        """Return the processor time used so far, or None if this machine does not measure it."""
        if self._version == 2:
            used = _entries(self._folders["memory"] / "cpu.stat").get("usage_usec")
            return None if used is None else used / 1e6
        if "cpuacct" in self._folders:
            return _number(self._folders["cpuacct"] / "cpuacct.usage") / 1e9
        return None

    def remove(self) -> None:
        """Kill all processes in this group, and remove the group."""
        deadline = time.monotonic() + REMOVAL_SECONDS
        while time.monotonic() < deadline:
            for process in self._members():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, signal.SIGKILL)
            if all(_removed(folder) for folder in self._places()):
                return
            time.sleep(0.01)

    def _places(self) -> list[Path]:
        return list(dict.fromkeys(self._folders.values()))

    def _members(self) -> set[int]:
        found: set[int] = set()
        for folder in self._places():
            with contextlib.suppress(OSError):
                found.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
        return found


def create(limits: Limits, processors: int) -> Cgroup | None:
    """Make a control group with these limits.

    Parameters
    ----------
    limits
        The limits on memory and processes apply to the group as a whole.
    processors
        How many processors the group's processes may use in total.

    Returns
    -------
    Cgroup or None
        None if we may not make one on this machine.
    """
    place = _place()
    if place is None:
        return None
    name = f"{PREFIX}{os.getpid()}-{next(_numbers)}"
    group = Cgroup(place.version, {c: folder / name for c, folder in place.folders.items()})
    try:
        for folder in group._places():
            folder.mkdir()
        for folder, file, value in _settings(place, name, limits, processors):
            (folder / name / file).write_text(value)
    except OSError:
        group.remove()
        return None
    return group


def sweep() -> None:
    """Remove the groups that killed graders have left behind."""
    place = _place()
    for folder in set(place.folders.values()) if place else ():
        for group in folder.glob(f"{PREFIX}*"):
            owner = re.fullmatch(rf"{PREFIX}(\d+)-\d+", group.name)
            if owner and not Path("/proc", owner[1]).exists():
                Cgroup(place.version, {"memory": group}).remove()  # type: ignore[union-attr]


def _settings(
    place: _Place, name: str, limits: Limits, processors: int
) -> Iterator[tuple[Path, str, str]]:
    """Yield the folder, the file and the value of every limit that this machine supports."""
    memory, pids = place.folders["memory"], place.folders["pids"]
    # bubblewrap's own processes are in the group too: two of each sandbox, and two before it.
    yield pids, "pids.max", str(limits.processes + 4)
    share = processors * CPU_PERIOD_MICROSECONDS
    if place.version == 2:
        yield memory, "memory.max", str(limits.memory_bytes)
        if (memory / name / "memory.swap.max").exists():
            yield memory, "memory.swap.max", "0"
        if "cpu" in place.folders:
            yield memory, "cpu.max", f"{share} {CPU_PERIOD_MICROSECONDS}"
        return
    yield memory, "memory.limit_in_bytes", str(limits.memory_bytes)
    if (memory / name / "memory.memsw.limit_in_bytes").exists():
        yield memory, "memory.memsw.limit_in_bytes", str(limits.memory_bytes)
    if "cpu" in place.folders:
        yield place.folders["cpu"], "cpu.cfs_period_us", str(CPU_PERIOD_MICROSECONDS)
        yield place.folders["cpu"], "cpu.cfs_quota_us", str(share)


# ------------------------------------------------------------------------------------------------
# Where groups can be made


@cache
def _place() -> _Place | None:
    try:
        mounts = list(_mounts(Path("/proc/self/mountinfo").read_text()))
        own = dict(_own(Path("/proc/self/cgroup").read_text()))
    except OSError:
        return None
    return _version_2(mounts, own) or _version_1(mounts, own)


@dataclass(frozen=True)
class _Mount:
    """A mounted tree of groups; the group `root` is visible at the path `at`."""

    at: Path
    root: str
    controllers: frozenset[str] | None  # None: version 2

    def folder(self, group: str) -> Path | None:
        """Return the folder where `group` is visible, or None."""
        inside = os.path.relpath(group, self.root)
        return None if inside.startswith("..") else Path(os.path.normpath(self.at / inside))


def _mounts(mountinfo: str) -> Iterator[_Mount]:
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        root, at = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            yield _Mount(Path(at), root, None)
        elif kind == "cgroup":
            yield _Mount(Path(at), root, frozenset(re.split("[, ]", options)))


def _own(cgroups: str) -> Iterator[tuple[str, str]]:
    """Yield the group of this process by controller; the empty string stands for version 2."""
    for line in cgroups.splitlines():
        _, controllers, group = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, group


def _version_2(mounts: Sequence[_Mount], own: dict[str, str]) -> _Place | None:
    """Find the nearest group above our own in which we may make groups with these controllers.

    A group that contains processes, such as our own, cannot pass its controllers on to groups below
    it. So the search starts with the parent of our own group.
    """
    for mount in mounts:
        if mount.controllers is not None or "" not in own:
            continue
        here = mount.folder(own[""])
        while here is not None and here != mount.at:
            here = here.parent
            given = _words(here / "cgroup.subtree_control")
            if set(NEEDED) <= given and os.access(here, os.W_OK):
                names = [c for c in (*NEEDED, *WISHED) if c in given]
                # To move a process, we must be able to write to the group above both.
                if os.access(here / "cgroup.procs", os.W_OK):
                    return _Place(2, dict.fromkeys(names, here))
    return None


def _version_1(mounts: Sequence[_Mount], own: dict[str, str]) -> _Place | None:
    folders = {}
    for controller in (*NEEDED, *WISHED):
        for mount in mounts:
            if mount.controllers is not None and controller in mount.controllers:
                folder = mount.folder(own.get(controller, "/"))
                if folder is not None and os.access(folder, os.W_OK):
                    folders[controller] = folder
    return _Place(1, folders) if set(NEEDED) <= set(folders) else None


# ------------------------------------------------------------------------------------------------
# Files of a group


def _number(file: Path) -> int:
    """Read a file with one number; 0 once the group is gone."""
    try:
        return int(file.read_text())
    except OSError:
        return 0


def _words(file: Path) -> set[str]:
    try:
        return set(file.read_text().split())
    except OSError:
        return set()


def _entries(file: Path) -> dict[str, int]:
    """Read a file of lines ``name number``."""
    try:
        pairs = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return {}
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
