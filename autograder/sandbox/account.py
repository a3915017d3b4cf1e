"""The account that student code runs as, which is never root."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import UserError


class NoAccount(UserError):
    """The grader runs as root and cannot hand student code over to another account."""


@dataclass(frozen=True)
class Account:
    """An account without privileges, which does not own root's files and processes.

    Attributes
    ----------
    uid, gid
        The ids of user and group; neither is 0.
    """

    uid: int
    gid: int

    def running(self, command: Sequence[str]) -> list[str]:
        """Return the command line with which root runs `command` as this account."""
        program = shutil.which("setpriv")
        if program is None:
            raise NoAccount(
                "The grader runs as root, and student code must not. Handing it over to another "
                "account requires the program setpriv: install util-linux, or run the grader as an "
                "ordinary user."
            )
        identity = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        return [program, *identity, "--inh-caps=-all", "--no-new-privs", "--", *command]


def unprivileged() -> Account | None:
    """Return the account that student code runs as when the grader is root: ``nobody``.

    Even inside a user namespace, the kernel still treats root's processes as root's: they may
    change whatever root may write to, such as the settings under /proc/sys, and they are exempt
    from the limit on processes. So the account is changed before the sandbox is made.

    Returns
    -------
    Account or None
        None if the grader itself is an ordinary user; student code then runs as that user.

    Raises
    ------
    NoAccount
        If the grader is root and this machine has no such account.
    """
    if 0 not in (os.getuid(), os.geteuid()):
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        nobody = None
    if nobody is None or 0 in (nobody.pw_uid, nobody.pw_gid):
        raise NoAccount(
            "The grader runs as root, and student code must not: it runs as the account `nobody`, "
            "which this machine does not have. Make that account, or run the grader as an "
            "ordinary user."
        )
    return Account(nobody.pw_uid, nobody.pw_gid)


def make_readable(folder: Path) -> None:
    """Let every account read `folder` and all files in it, regardless of the umask.

    This is for copies that are made to be shown to student code. Links are left as they are.
    """
    for place, _, names in os.walk(folder):
        os.chmod(place, 0o755)
        for name in names:
            path = os.path.join(place, name)
            if not os.path.islink(path):
                os.chmod(path, 0o644)
