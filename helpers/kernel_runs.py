"""What a notebook's kernel has run, and when; this shows whether the notebook was saved since.

A kernel cannot see what is typed into the notebook, only what is run. Text that was typed and never
run, such as a written answer, does not show here.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers.kernel import ipython_shell

__all__ = ["code_run_since", "running_notebook", "unsaved_code_was_run", "watch"]

_runs: list[tuple[float, str]] = []


def watch() -> None:
    """Remember from now on what the kernel runs; outside of a notebook, do nothing."""
    shell = ipython_shell()
    if shell is not None and _remember not in shell.events.callbacks["pre_run_cell"]:
        shell.events.register("pre_run_cell", _remember)


def code_run_since(when: float) -> list[str]:
    """Return the cells that were run after a time, without the one that is running now.

    Parameters
    ----------
    when
        In seconds, as `time.time` counts.
    """
    return [code for ran, code in _runs[:-1] if ran > when]


def unsaved_code_was_run(file: Path, saved: Iterable[str]) -> bool:
    """Return whether code was run after a notebook was saved that is not in its file.

    Parameters
    ----------
    file
        The file of the notebook.
    saved
        The texts of its cells.
    """
    known = {source.strip() for source in saved}
    return any(code.strip() not in known for code in code_run_since(file.stat().st_mtime))


def running_notebook() -> str | None:
    """Return the file name of the notebook to which this kernel belongs; None if nobody says."""
    shell = ipython_shell()
    # VS Code tells the kernel in its namespace, and JupyterLab in its environment.
    told = [shell.user_ns.get("__vsc_ipynb_file__")] if shell is not None else []
    paths = [path for path in [*told, os.environ.get("JPY_SESSION_NAME")] if isinstance(path, str)]
    names = [Path(path).name for path in paths if path.endswith(".ipynb")]
    return names[0] if names else None


def _remember(info: Any) -> None:
    _runs.append((time.time(), str(info.raw_cell)))
