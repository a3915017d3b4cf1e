"""Find out which answers of a notebook depend on which others, and so on a wrong function."""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterable

from nbformat import NotebookNode

from autograder.grading.execution import is_hidden_test
from autograder.notebook.source import nbgrader_marks


def asked_names(cells: Iterable[NotebookNode]) -> set[str]:
    """Return the names in a student's notebook that the hidden tests among `cells` use."""
    tests = "\n".join(cell.source for cell in cells if is_hidden_test(cell))
    return set(re.findall(r"\bstudent\.(\w+)", tests))


def used_names(code: str) -> set[str]:
    """Return the names that some code uses without defining them as variables or arguments."""
    return _outside(symtable.symtable(code, "cell", "exec"))


def _outside(table: symtable.SymbolTable) -> set[str]:
    inner = (_outside(child) for child in table.get_children())
    own = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_parameter()}
    read = {s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_global()}
    return (read | set().union(*inner)) - (own if table.get_type() == "module" else set())


class Dependencies:
    """What each name of a notebook depends on, directly or through others.

    Parameters
    ----------
    source
        The source notebook, solutions included.
    """

    def __init__(self, source: NotebookNode) -> None:
        self._direct: dict[str, set[str]] = {}
        self._tests = [cell for cell in source.cells if is_hidden_test(cell)]
        for cell in source.cells:
            if cell.cell_type == "code" and not is_hidden_test(cell):
                self._add(_without_magic(cell.source))

    def _add(self, code: str) -> None:
        rest = []
        for node in ast.parse(code).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self._direct.setdefault(node.name, set()).update(used_names(ast.unparse(node)))
            else:
                rest.append(node)
        # One statement may create a list and another may fill it, so all are treated as one.
        together = ast.unparse(ast.Module(rest, []))
        for name in _bound(together):
            self._direct.setdefault(name, set()).update(used_names(together))

    @property
    def names(self) -> set[str]:
        """The names that the notebook defines."""
        return set(self._direct)

    def below(self, names: Iterable[str]) -> set[str]:
        """Return `names` and everything that they depend on."""
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left.extend(self._direct.get(name, ()))
        return found

    def questions_on(self, name: str) -> set[str]:
        """Return the questions whose answers depend on `name`."""
        return {
            nbgrader_marks(test).grade_id
            for test in self._tests
            if name in self.below(asked_names([test]))
        }


def _without_magic(source: str) -> str:
    return re.sub(r"(?m)^(\s*)%.*$", r"\1pass", source)


def _bound(code: str) -> set[str]:
    symbols = symtable.symtable(code, "cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned()}
