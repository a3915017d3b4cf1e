"""An environment in which tests may install what they like."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["make_environment"]


def make_environment(
    folder: Path, base: Path | str = sys.executable, without: Sequence[str] = ()
) -> Path:
    """Make an environment with the packages of another, but without the course; return its Python.

    Parameters
    ----------
    folder
        The folder of the environment.
    base
        The Python of the other environment. By default, the one that runs this.
    without
        The names of packages that it lacks, such as ``["latex2mathml"]``. They can be installed.
    """
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([base, "-c", find], capture_output=True, text=True, check=True)
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # The packages of a folder that a .pth file names are found, but its own .pth files are not
    # read, and so the course, which is installed by one, is missing.
    others = Path(found.stdout.strip())
    if without:
        # They are outside of the environment, so that pip removes nothing behind these links.
        links = folder.with_name(f"{folder.name}-packages")
        links.mkdir()
        for path in others.iterdir():
            if path.name.partition("-")[0].partition(".")[0] not in without:
                (links / path.name).symlink_to(path)
        others = links
    (packages / "these.pth").write_text(f"{others}\n")
    return folder / "bin" / "python"
