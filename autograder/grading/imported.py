"""Which packages an assignment's notebook imports, so that they can be imported once for all."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

import autograder
import helpers

KERNEL = ("IPython.core.interactiveshell", "matplotlib_inline.backend_inline")
"""What the kernel itself imports, and what it draws with."""


def imported_packages(notebook: Path) -> list[str]:
    """Return the modules of installed packages that are imported by the code of a notebook.

    Parameters
    ----------
    notebook
        A source notebook. What its cells import from `helpers` is followed to the packages that
        those modules import when they are imported themselves.

    Returns
    -------
    list of str
        Names of modules, in order. Modules of the standard library and of our own are left out.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    plain = TransformerManager()  # writes magics as Python
    waiting = [
        name
        for cell in cells
        if cell.cell_type == "code"
        for name in _imports(ast.walk(ast.parse(plain.transform_cell(cell.source))))
    ]
    found: set[str] = set(KERNEL)
    seen: set[Path] = set()
    while waiting:
        name = waiting.pop()
        package = name.partition(".")[0]
        if package != helpers.__name__:
            if package not in sys.stdlib_module_names | {autograder.__name__}:
                found.add(name)
        elif (path := _file_of(name)) and path not in seen:
            seen.add(path)
            module = ast.parse(path.read_text(encoding="utf-8"))
            waiting += _imports(_run_at_import(module))
    return sorted(found)


def _run_at_import(module: ast.Module) -> Iterator[ast.AST]:
    """Yield the statements of a module that are not in a function."""
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)


def _imports(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Yield the modules that statements import. An imported name may be a module of `helpers`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            if node.module.partition(".")[0] == helpers.__name__:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file_of(module: str) -> Path | None:
    """Return the file of a module of `helpers`; None if the name is none of a module."""
    place = Path(helpers.__path__[0], *module.split(".")[1:])
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    return None
