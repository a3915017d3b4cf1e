"""The end of a notebook's setup: which device there is, and where trained networks are kept."""

import os
import shutil
from pathlib import Path

import torch

import helpers
from helpers.colab import FOLDER, DriveError, drive_folder, on_colab
from helpers.device import default_device
from helpers.kernel import is_graded
from helpers.profile import pick, profile

__all__ = ["set_up"]

ARTIFACTS = Path("artifacts")


def set_up(assignment: str, keep_on_drive: bool = False) -> torch.device:
    """Say in one line what this kernel works with, and return the device for the trainings.

    Parameters
    ----------
    assignment
        Name of the assignment, such as ``"quantization"``.
    keep_on_drive
        Whether artifacts and downloaded data are kept on Google Drive, if the notebook runs on
        Colab. Without a Drive, they stay on Colab's machine, and a sentence says so.

    Returns
    -------
    torch.device
    """
    device = default_device()
    print(f"helpers {helpers.__version__}, profile {profile()}, {_described(device)}")
    if keep_on_drive and on_colab():
        _keep_on_drive(assignment)
    return device


def _described(device: torch.device) -> str:
    """Return which device this is and, if it is no GPU, what that means."""
    if device.type == "cuda":
        return f"on the GPU {torch.cuda.get_device_name(device)}"
    if device.type == "mps":
        return "on the GPU of this Mac"
    if is_graded():
        return "without a GPU"
    meaning = pick(quick="takes a few minutes", full="can take hours")
    choose = "choose Runtime > Change runtime type for one; " if on_colab() else ""
    return f"no GPU: {choose}training {meaning} without one"


def _keep_on_drive(assignment: str) -> None:
    try:
        course = drive_folder()
        _link_artifacts(course / assignment / ARTIFACTS)
    except (DriveError, OSError) as error:
        print(
            f"Google Drive cannot be used ({error}). Everything works without it, but Colab "
            "forgets what you train when its machine goes: pack your submission before that."
        )
        return
    os.environ.setdefault("COURSE_DATA", str(course / "data"))
    print(f"What you train is kept on your Google Drive, in {FOLDER}/{assignment}.")


def _link_artifacts(kept: Path) -> None:
    """Let the folder `artifacts` lead to the folder `kept`, with what has been trained already."""
    kept.mkdir(parents=True, exist_ok=True)
    if ARTIFACTS.is_symlink():
        return
    if ARTIFACTS.exists():
        for file in ARTIFACTS.rglob("*"):
            copy = kept / file.relative_to(ARTIFACTS)
            if file.is_file() and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
        # If both have a network of the same name, the one on the Drive counts.
        ARTIFACTS.rename(f"{ARTIFACTS} before Google Drive")
    ARTIFACTS.symlink_to(kept, target_is_directory=True)
