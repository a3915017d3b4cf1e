"""An environment in which tests may install what they like."""

import sysconfig
import venv
from pathlib import Path

__all__ = ["make_environment"]


def make_environment(folder: Path) -> Path:
    """Make an environment with this one's packages, but without the course; return its Python."""
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    # The packages of a folder that a .pth file names are found, but its own .pth files are not
    # read, and so the course, which is installed by one, is missing.
    (packages / "these.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"
