"""The folder of data sets and pretrained weights, and how a file that is missing gets there."""

import os
from importlib.resources import files
from pathlib import Path

from helpers.download import DownloadError, download

MIRROR_FILE = "mirror.txt"
"""A file of the package with the mirror that the course has set; a release may contain it."""


class DataMissing(Exception):
    """Data are neither cached nor available for download; the message says what to do."""


def data_folder() -> Path:
    """Return the folder for data sets: COURSE_DATA if it is set, else a cache folder."""
    chosen = os.environ.get("COURSE_DATA")
    if chosen:
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "efficient-dl-course"


def mirror() -> str:
    """Return the address of the folder from which data are downloaded instead of from their homes.

    The environment variable COURSE_MIRROR comes first, and then what the course has set.

    Returns
    -------
    str
        The address, without a slash at the end; empty if there is none.
    """
    chosen = os.environ.get("COURSE_MIRROR")
    file = files("helpers").joinpath(MIRROR_FILE)
    if not chosen and file.is_file():
        chosen = file.read_text(encoding="utf-8").strip()
    return (chosen or "").rstrip("/")


def downloaded(
    file: str, home: str, checksum: str, method: str = "md5", *, called: str, kept: str = ""
) -> Path:
    """Return the path of a file in the data folder; download it if it is not there.

    Parameters
    ----------
    file
        Name of the file, in the data folder and on a mirror.
    home
        The address of the file at its home.
    checksum, method
        As for `helpers.download.download`.
    called
        What the file holds, with the verb: ``"CIFAR-10 is"``.
    kept
        Name of the file that a user may put into the data folder. By default, `file` itself.

    Raises
    ------
    DataMissing
        If the file is not there and cannot be downloaded.
    """
    path = data_folder() / file
    url = f"{mirror()}/{file}" if mirror() else home
    try:
        return download(url, path, checksum, method=method)
    except DownloadError as error:
        raise DataMissing(
            f"{called} not in {path.parent}, and downloading {url} failed: {error}. "
            f"Connect to the internet and run this again (the download resumes where it stopped), "
            f"or set COURSE_MIRROR to the address of a folder that holds {file}, or put "
            f"{kept or file} into a folder and set COURSE_DATA to that folder."
        ) from error
