"""A check of a name that does not exist yet says so in a sentence, instead of an error in red."""

import linecache
from types import TracebackType
from typing import Any

from helpers.checks.result import CheckResult
from helpers.kernel import ipython_shell, is_graded
from helpers.notebook_file import check_calls

__all__ = ["explain_undefined", "undefined"]


def undefined(name: str | None) -> str:
    """Return what a student should do about a name that does not exist yet."""
    return f"`{name}` does not exist yet: run the cells of this question."


def explain_undefined() -> None:
    """Explain such names in this kernel from now on; outside of a notebook, do nothing.

    Neither does it while a submission is graded, or where the kernel explains errors already.
    """
    shell = ipython_shell()
    if shell is None or is_graded() or shell.custom_exceptions:
        return
    shell.set_custom_exc((NameError,), _explain)


def _explain(
    shell: Any,
    kind: type[NameError],
    error: NameError,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    """Show a box if the cell of a check lacks a name; show any other error as usual."""
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    # The source of a cell is in this cache, under a name of its own. An error inside of a student's
    # function ends in the frame of that function, and is left to the check.
    source = "".join(linecache.getlines(frame.f_code.co_filename))
    # The code of a cell has another name in each version of IPython, but no names of its own.
    in_cell = frame.f_globals is shell.user_ns and frame.f_locals is frame.f_globals
    if in_cell and error.name and check_calls(source):
        found = CheckResult(error.name, (), "exists", undefined(error.name))
        shell.display_pub.publish({"text/plain": repr(found), "text/html": found._repr_html_()})
        return
    shell.showtraceback((kind, error, error.__traceback__), tb_offset=tb_offset)
