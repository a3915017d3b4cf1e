"""Google Colab: a kernel in a browser, on a machine that forgets its files.

This is the only module that uses `google.colab`, which exists nowhere else. The notebook itself is
in no file of that machine: it is in the browser, and in the student's Google Drive.
"""

import io
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

__all__ = ["DriveError", "drive_folder", "notebook_file", "offer_download", "on_colab"]

DRIVE = Path("/content/drive")
"""Where a Colab machine shows the student's Google Drive."""
FOLDER = "efficient-dl-course"
"""The folder of the course on the Drive."""
SECONDS_FOR_NOTEBOOK = 60  # its outputs make a notebook large


class DriveError(Exception):
    """Google Drive cannot be used; the message gives the reason in one clause."""


def on_colab() -> bool:
    """Return whether this kernel runs on Google Colab."""
    return "google.colab" in sys.modules


def drive_folder() -> Path:
    """Return the course's folder on the student's Google Drive; Colab asks for permission first.

    Raises
    ------
    DriveError
        If the student refuses, or if the Drive cannot be reached.
    """
    from google.colab import drive

    top = DRIVE / "MyDrive"
    try:
        with redirect_stdout(io.StringIO()):  # Colab says where it is, also if it was there before
            drive.mount(str(DRIVE))
        (top / FOLDER).mkdir(exist_ok=True)
    except Exception as error:  # Colab's errors have no class in common
        raise DriveError(str(error) or type(error).__name__) from error
    return top / FOLDER


@contextmanager
def notebook_file(file: Path) -> Iterator[Path]:
    """Yield the file that holds a notebook.

    Parameters
    ----------
    file
        The notebook beside which the kernel runs. On Colab, where there is no such file, a copy of
        the notebook in the browser takes its place during the block, under the same name.
    """
    shown = _notebook_in_browser() if on_colab() else None
    if shown is None:
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, file.name)
        copy.write_text(json.dumps(shown), encoding="utf-8")
        yield copy


def offer_download(file: Path) -> None:
    """Let the browser save a file of the Colab machine; anywhere else, do nothing."""
    if on_colab():
        from google.colab import files

        files.download(str(file))


def _notebook_in_browser() -> dict[str, Any] | None:
    """Return the notebook as the browser has it now; None if it does not answer."""
    from google.colab import _message  # there is no public way

    try:
        answer = _message.blocking_request("get_ipynb", timeout_sec=SECONDS_FOR_NOTEBOOK)
        return answer["ipynb"]
    except Exception:  # such as no answer in time, or an error of the browser's
        return None
