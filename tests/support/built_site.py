"""The documentation as a site, as `make docs` builds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from shell_blocks import PROJECT


def build_site(folder: Path) -> None:
    """Build the site in a folder; a warning of MkDocs is an error."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
