"""Where students find a release: its files on a server, and its notebook in Google Colab."""

from __future__ import annotations

import re
from urllib.parse import quote

from autograder.errors import UserError

_GITHUB = "https://github.com/"
_RAW = "https://raw.githubusercontent.com/"
_FOLDER_PAGE = re.compile(rf"{_GITHUB}([^/]+/[^/]+)/(?:tree|blob|raw)/(.+)")
_RAW_FOLDER = re.compile(rf"{_RAW}([^/]+/[^/]+)/(.+)")

_COLAB = "https://colab.research.google.com"


def file_address(releases: str, *path: str) -> str:
    """Return the address at which a published file is downloaded.

    Parameters
    ----------
    releases
        The address of the folder with the releases, as in ``course.toml``. It may be the page that
        GitHub shows of a folder.
    path
        The folders within it, and the name of the file.

    Raises
    ------
    UserError
        If the address is one of GitHub's, but not that of a folder.
    """
    folder = releases.rstrip("/")
    if page := _FOLDER_PAGE.fullmatch(folder):
        folder = _RAW + "/".join(page.groups())
    elif folder.startswith(_GITHUB):
        raise UserError(
            f"Nothing can be downloaded from {folder}, which `releases` in course.toml names: give "
            "the address of a folder as GitHub shows it, such as "
            f"{_GITHUB}owner/repository/tree/main/release."
        )
    # Some servers take a + in an address for a space.
    return "/".join([folder, *map(quote, path)])


def colab_address(releases: str, *path: str) -> str | None:
    """Return the address that opens a published notebook in Google Colab.

    Colab opens a notebook by its address only if it is on GitHub; for any other place, this is
    None.

    Parameters
    ----------
    releases, path
        As for `file_address`.
    """
    folder = releases.rstrip("/")
    found = _FOLDER_PAGE.fullmatch(folder) or _RAW_FOLDER.fullmatch(folder)
    if found is None:
        return None
    repository, place = found.groups()
    return "/".join([_COLAB, "github", repository, "blob", place, *map(quote, path)])


def colab_badge(address: str) -> str:
    """Return the badge that opens an address in Google Colab, as Markdown."""
    return f"[![Open in Colab]({_COLAB}/assets/colab-badge.svg)]({address})"
