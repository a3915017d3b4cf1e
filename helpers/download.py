"""Download one large file with a progress bar; resume after interruptions, verify at the end."""

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from helpers.progress import bar

CHUNK = 1 << 18
TIMEOUT = 30  # seconds without a byte


class DownloadError(Exception):
    """The file could not be downloaded; the message gives the reason in one clause."""


def download(url: str, destination: Path, checksum: str, method: str = "md5") -> Path:
    """Download `url` to `destination` unless that file already exists.

    Received data are kept in ``<destination>.part``. The next call continues from their end if the
    server supports it (an HTTP range request), and starts again otherwise.

    Parameters
    ----------
    url
        An http, https or file URL.
    destination
        The file to write. Its folder is created if necessary.
    checksum
        Expected checksum of the whole file in hexadecimal, or its first digits.
    method
        Name of the checksum, such as ``"md5"`` or ``"sha256"``.

    Returns
    -------
    Path
        `destination`.

    Raises
    ------
    DownloadError
        If the server cannot be reached, the connection ends early (the received data are kept),
        or the checksum differs (the file is removed).
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
        found = hashlib.file_digest(file, method).hexdigest()
    if not found.startswith(checksum):
        part.unlink()
        raise DownloadError("the downloaded file is not the right one (its checksum differs)")
    part.replace(destination)
    return destination


def _fetch(url: str, part: Path) -> None:
    """Append the missing rest of the file at `url` to `part`."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing seems to be missing; the checksum decides
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
    """Return the reason for a failed download in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"the server cannot be reached: {error.reason}"
    return str(error) or type(error).__name__
