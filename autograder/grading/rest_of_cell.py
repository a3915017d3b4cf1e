"""What is left to run of a cell in which a line has failed.

One line that fails, such as ``import pandas`` where it is not installed or ``%matplotlib widget``,
ends its cell. If the cell is the one that imports everything, all answers below fail for want of a
name. So the statements after that line are run as well, each by itself.
"""

from __future__ import annotations

import ast
import re

from IPython.core.inputtransformer2 import TransformerManager

_LINE = re.compile(r"\bline (\d{1,6})\b")
_COLORS = re.compile(r"\x1b\[[0-9;]*m")


def rest_of_cell(source: str, traceback: str) -> tuple[str, list[str]]:
    """Return the line of a cell that failed, and the statements that come after it.

    Parameters
    ----------
    source
        The cell, which may contain magics.
    traceback
        The traceback that the kernel has shown. It is the student's, and is used for a line number
        only.

    Returns
    -------
    line
        The line that failed, or the first line of the cell if that is not known.
    statements
        The statements that begin after it, in order, as code. Empty if the cell is not valid
        Python, for then nothing of it can be run.
    """
    lines = source.splitlines()
    number = _failed_line(traceback, len(lines))
    line = lines[number - 1].strip() if number else source.strip().partition("\n")[0]
    try:
        code = TransformerManager().transform_cell(source)
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return line, []
    later = [statement for statement in body if statement.lineno > (number or 0)]
    return line, [ast.unparse(statement) for statement in later]


def _failed_line(traceback: str, lines: int) -> int | None:
    """Return the number of the line of the cell in which it failed; None if it is not known."""
    # The first number is that of the cell itself; those after it are of functions it has called.
    found = _LINE.search(_COLORS.sub("", traceback))
    number = int(found[1]) if found else 0
    return number if 1 <= number <= lines else None
