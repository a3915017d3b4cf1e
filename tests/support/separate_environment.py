"""An environment in which tests may install what they like."""

import subprocess
import sys
from pathlib import Path

__all__ = ["make_environment"]


def make_environment(folder: Path, base: Path | str = sys.executable) -> Path:
    """Make an environment with the packages of another, but without the course; return its Python.

    Parameters
    ----------
    folder
        The folder of the environment.
    base
        The Python of the other environment. By default, the one that runs this.
    """
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([base, "-c", find], capture_output=True, text=True, check=True)
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # The packages of a folder that a .pth file names are found, but its own .pth files are not
    # read, and so the course, which is installed by one, is missing.
    (packages / "these.pth").write_text(found.stdout)
    return folder / "bin" / "python"
