"""Systematic mutants of a solution: each differs from it in one operator, number or argument.

The operators are those of mutmut, which works on the concrete syntax tree of libcst. We add the
deletion of a statement, the operator that tests miss most often (Deng, Offutt, Li, "Empirical
Evaluation of the Statement Deletion Mutation Operator", ICST 2013).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode

from autograder.errors import UserError
from autograder.notebook.source import Part, lines, nbgrader_marks
from autograder.selftest.answers import Answer

try:
    import libcst as cst
    from libcst.metadata import MetadataWrapper, PositionProvider
    from mutmut.mutation.mutators import mutation_operators
except ImportError as error:
    raise UserError("The self-test needs mutmut: pip install 'efficient-dl-course[dev]'") from error


def mutants(cell: NotebookNode) -> Iterator[Answer]:
    """Yield the mutants of a solution cell, each text once.

    Parameters
    ----------
    cell
        The cell of the source notebook. Only what stands between the markers of the solution is
        mutated; the rest is given to students.

    Yields
    ------
    Answer
        A mutant. Its label is the line that differs, before and after.
    """
    name, source = nbgrader_marks(cell).grade_id, cell.source
    inside = {line.number for line in lines(cell) if line.part is Part.SOLUTION}
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    positions = wrapper.resolve(PositionProvider)
    seen = {source}
    for node in _nodes(wrapper.module):
        place = positions.get(node)
        if place is None or place.start.line not in inside:
            continue
        for replacement in _replacements(node):
            changed = wrapper.module.visit(_Replace(node, replacement))
            assert isinstance(changed, cst.Module)
            text = changed.code
            if text not in seen and _compiles(text):
                seen.add(text)
                yield Answer(name, _difference(source, text), text, "mutant", replaces=True)


def _nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Walk through everything that can be mutated: no docstrings, annotations and default names."""
    yield node
    for child in node.children:
        if isinstance(child, cst.Annotation) or _is_text(child):
            continue
        yield from _nodes(child)


def _is_text(node: cst.CSTNode) -> bool:
    """Whether this is a line that consists of a string only, such as a docstring."""
    return isinstance(node, cst.Expr) and isinstance(
        node.value, cst.SimpleString | cst.ConcatenatedString
    )


def _replacements(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            yield from operator(node)
    if isinstance(node, cst.SimpleStatementLine) and not _is_text(node.body[0]):
        yield node.with_changes(body=[cst.Pass()])


class _Replace(cst.CSTTransformer):
    """Replaces one node, which is found by identity."""

    def __init__(self, old: cst.CSTNode, new: cst.CSTNode) -> None:
        super().__init__()
        self._old, self._new = old, new

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Any:
        return self._new if original_node is self._old else updated_node


def _compiles(text: str) -> bool:
    try:
        compile(text, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _difference(before: str, after: str) -> str:
    """Return the lines that differ as ``old -> new``."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    changed = [line for line in lines if line[:2] in ("- ", "+ ")]
    old = " ".join(line[2:].strip() for line in changed if line.startswith("-"))
    new = " ".join(line[2:].strip() for line in changed if line.startswith("+"))
    return f"{old} -> {new}"
