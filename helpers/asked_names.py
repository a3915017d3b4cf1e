"""Names that the public checks of a notebook ask for, and that its code does not define."""

import ast
import builtins
import re
import symtable
import warnings
from collections.abc import Iterator

from helpers.notebook_file import Notebook

__all__ = ["names_not_defined"]

_IMPORTS_ALL = re.compile(r"^\s*from .+ import \*", re.MULTILINE)


def names_not_defined(notebook: Notebook) -> Iterator[str]:
    """Yield what the checks of each question ask for that no code defines; run nothing.

    A question whose answer is still empty is left out: there is nothing to be named yet. So is
    everything in a notebook that imports all names of some module.
    """
    code = [cell["source"] for cell in notebook.cells if cell["cell_type"] == "code"]
    if any(_IMPORTS_ALL.search(source) for source in code):
        return
    defined = {name for source in code for name in _defined(source)} | set(dir(builtins))
    for section in notebook.sections():
        asked = dict.fromkeys(name for check in section.checks for name in _names(check))
        missing = [f"`{name}`" for name in asked if name not in defined]
        if missing and not section.empty:
            its = "this name" if len(missing) == 1 else "these names"
            yield (
                f"{section.title}: the check asks for {', '.join(missing)}, and no code of the "
                f"saved notebook defines {'it' if len(missing) == 1 else 'them'}. Give your answer "
                f"{its} again."
            )


def _names(check: str) -> list[str]:
    """Return the names that a check is called with, in their order."""
    call = ast.parse(check, mode="eval").body
    given = [*call.args, *call.keywords] if isinstance(call, ast.Call) else []
    found = [node for each in given for node in ast.walk(each) if isinstance(node, ast.Name)]
    return [node.id for node in sorted(found, key=lambda node: (node.lineno, node.col_offset))]


def _defined(source: str) -> set[str]:
    """Return the names that a cell defines outside of functions and classes."""
    lines = source.splitlines()
    python = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a notebook would show them in red
            symbols = symtable.symtable(python, "cell", "exec").get_symbols()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Some of what IPython understands is not Python. Rather no warning than a wrong one.
        return set(re.findall(r"\w+", python))
    return {each.get_name() for each in symbols if each.is_assigned() or each.is_imported()}
