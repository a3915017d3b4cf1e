"""Download one large file: with progress, going on where it stopped, checked at the end."""

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from helpers.progress import bar

CHUNK = 1 << 18
TIMEOUT = 30  # seconds without a byte


class DownloadError(Exception):
    """The file could not be had; the message says why in one clause."""


def download(url: str, destination: Path, md5: str) -> Path:
    """Fetch `url` to `destination` unless it is there already.

    What has arrived is kept in ``<destination>.part``, and the next call goes on from its end if
    the server can (an HTTP range request), else from the start.

    Parameters
    ----------
    url
        http, https or file.
    destination
        The file; its folder is made.
    md5
        Expected MD5 of the whole file, in hexadecimal.

    Returns
    -------
    Path
        `destination`.

    Raises
    ------
    DownloadError
        If the server cannot be reached, the connection ends early (what has arrived stays), or
        the checksum is another (the file is removed).
    """
    if destination.exists():
        return destination
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = destination.with_name(destination.name + ".part")
    try:
        _fetch(url, part)
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(_reason(error)) from error
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != md5:
        part.unlink()
        raise DownloadError("the file that arrived is not the right one (its checksum differs)")
    part.replace(destination)
    return destination


def _fetch(url: str, part: Path) -> None:
    """Append to `part` what is missing of the file at `url`."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing; the checksum will tell
        raise
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0  # the server sends the whole file
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with (
            part.open("ab" if have else "wb") as file,
            bar(
                total=total,
                initial=have,
                desc=url.rsplit("/", 1)[-1],
                unit="B",
                unit_scale=True,
                unit_divisor=1024,
            ) as progress,
        ):
            while chunk := response.read(CHUNK):
                file.write(chunk)
                progress.update(len(chunk))
            arrived = file.tell()
    if total is not None and arrived < total:
        raise OSError(f"the connection ended after {arrived:,} of {total:,} bytes")


def _reason(error: Exception) -> str:
    """Say in a few words what went wrong on the way."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"the server cannot be reached: {error.reason}"
    return str(error) or type(error).__name__
