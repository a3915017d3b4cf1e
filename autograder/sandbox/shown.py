"""What student code can see of this machine: the folders of programs on a list, nothing else."""

from __future__ import annotations

import os
import pwd
import site
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.errors import UserError

SYSTEM = (
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/share/fontconfig",
    "/usr/share/fonts",
    "/usr/share/zoneinfo",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
)
"""The shell, shared libraries, and the fonts for plots.

The rest of /usr is not shown: /usr/src may contain checkouts, and /usr/local whatever somebody has
put there.
"""

FIRST_PERSON = 1000
"""The lowest user id of a person on today's distributions. Lower ones belong to services, whose
homes are folders of the system."""


class Exposed(UserError):
    """Something that student code must not see lies in a folder that it can see."""


def programs() -> list[Path]:
    """Return the folders and files with the system's programs and the Python environment.

    Returns
    -------
    list of Path
        Absolute paths that exist, none of them inside another. A link is listed as a link.
    """
    places = [Path(name) for name in SYSTEM]
    for prefix in dict.fromkeys([Path(sys.base_prefix), Path(sys.prefix)]):
        # Not the whole prefix, which may be a checkout or somebody's home.
        places += [prefix / name for name in ("bin", "lib", "lib32", "lib64", "pyvenv.cfg")]
    if site.ENABLE_USER_SITE:
        places.append(Path(site.getusersitepackages()))
    shown: list[Path] = []
    for place in sorted(dict.fromkeys(places)):
        if os.path.lexists(place) and not any(place.is_relative_to(other) for other in shown):
            shown.append(place)
    return shown


def masked(packages: Iterable[Path], shown: Iterable[Path]) -> list[Path]:
    """Return those of our own `packages` that lie in shown folders, as after `pip install`."""
    real = [place.resolve() for place in shown]
    return [p for p in packages if any(p.resolve().is_relative_to(place) for place in real)]


def require_hidden(private: Mapping[str, Path], shown: Iterable[Path]) -> None:
    """Make sure that nothing private lies in the folders that student code is shown.

    Parameters
    ----------
    private
        The private paths, each with its name in messages, such as "the course folder".
    shown
        The folders that student code is shown.

    Raises
    ------
    Exposed
        If something private does; the message names the first such path.
    """
    for what, path in private.items():
        for place in shown:
            if path.resolve().is_relative_to(place.resolve()):
                raise Exposed(
                    f"{what[0].upper()}{what[1:]} ({path}) lies in {place}, a folder of programs "
                    "that student code can read. Move it elsewhere, for example to your home "
                    "folder, and grade again."
                )


def homes() -> dict[str, Path]:
    """Return the home folders of people and of root, in the form that `require_hidden` takes."""
    found = {"your home folder": Path.home()}
    for account in pwd.getpwall():
        nobody = account.pw_uid >= 65534
        if account.pw_uid == 0 or (account.pw_uid >= FIRST_PERSON and not nobody):
            found[f"the home folder of {account.pw_name}"] = Path(account.pw_dir)
    return {what: path for what, path in found.items() if path != Path("/")}
