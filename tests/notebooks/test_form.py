"""The form of the source notebooks: what nbgrader, students and graders rely on."""

import ast
import builtins
import re

import nbformat
import pytest
from source_notebook import (
    assignments,
    cells,
    graded,
    marks,
    parsed,
    path,
    points,
    questions,
    read,
    trained_networks,
)

from autograder import hidden
from autograder.grading.execution import is_hidden_test
from autograder.notebook.lint import lint

each_assignment = pytest.mark.parametrize("assignment", assignments())
each_automatic = pytest.mark.parametrize(("assignment", "question"), questions(written=False))
each_written = pytest.mark.parametrize(("assignment", "question"), questions(written=True))


def lines_outside_markers(source, marker):
    lines, inside = [], False
    for line in source.splitlines():
        if f"### BEGIN {marker}" in line:
            inside = True
        elif f"### END {marker}" in line:
            inside = False
        elif not inside:
            lines.append(line)
    return lines


def loaded(tree):
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def imported(tree):
    """Return the imports as {name: where it comes from}."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def bound(tree):
    """Return every name that a cell binds in any scope, except for its imports."""
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not is_load(n)}
    binding = ast.FunctionDef | ast.ClassDef | ast.ExceptHandler
    names |= {n.name for n in ast.walk(tree) if isinstance(n, binding)}
    return names | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}


def without_code(text):
    """Return a markdown text without displayed formulas and without code."""
    return re.sub(r"(?s)```.*?```|`[^`\n]*`|\$\$.*?\$\$", "", text)


def is_load(name):
    return isinstance(name.ctx, ast.Load)


def owned(tree):
    """Return the names that a cell defines for later cells; loop variables do not count."""
    names = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = getattr(statement, "targets", None) or [statement.target]
            names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return names


# ------------------------------------------------------------------------------------------------
# Cells


@each_assignment
def test_the_notebook_is_valid(assignment):
    nbformat.validate(read(assignment))


@each_assignment
def test_cell_ids_are_unique_and_readable(assignment):
    ids = [cell.id for cell in cells(assignment)]
    assert len(set(ids)) == len(ids)
    assert [i for i in ids if not re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", i)] == []


@each_assignment
def test_there_are_no_outputs(assignment):
    code = [cell for cell in cells(assignment) if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []


@each_assignment
def test_markers_and_hidden_tests_are_without_fault(assignment):
    # Locked, only comments outside the markers, and `score(of=...)` equal to the cell's points.
    assert [str(fault) for fault in lint(path(assignment))] == []


@each_assignment
def test_grade_ids_equal_the_cell_ids(assignment):
    ids = {cell.id: marks(cell)["grade_id"] for cell in cells(assignment) if marks(cell)}
    assert [i for i, grade_id in ids.items() if i != grade_id] == []


@each_assignment
def test_nbgrader_marks_have_the_current_schema(assignment):
    assert {marks(cell)["schema_version"] for cell in cells(assignment) if marks(cell)} == {3}


@each_assignment
def test_no_formula_is_broken_by_a_line_that_markdown_reads_as_a_list(assignment):
    broken = [
        cell.id
        for cell in read(assignment).cells
        if cell.cell_type == "markdown"
        and any(
            re.search(r"\n(> ?)?([-+*]|\d+\.) ", formula)
            for formula in re.findall(r"(?<!\$)\$([^$]+)\$(?!\$)", without_code(cell.source))
        )
    ]
    assert broken == []


@each_assignment
def test_the_graded_artifacts_are_those_that_students_are_told_to_hand_in(assignment):
    tests = [cell for cell in cells(assignment) if is_hidden_test(cell)]
    asked = {name for cell in tests for name in trained_networks(cell)}
    assert set(read(assignment).metadata["course"]["artifacts"]) == asked


@each_assignment
def test_public_checks_are_locked_and_call_one_check(assignment):
    checks = [c for c in cells(assignment) if marks(c).get("grade_id", "").endswith("_check")]
    assert checks
    for cell in checks:
        assert (marks(cell)["locked"], marks(cell)["grade"]) == (True, False)
        assert re.fullmatch(r"checks\.\w+\([^\n]+\)", cell.source)


# ------------------------------------------------------------------------------------------------
# Points


@each_assignment
def test_points_sum_to_100_and_a_bonus_of_10_or_none(assignment):
    found = points(assignment)
    bonus = sum(p for question, p in found.items() if question.startswith("bonus_"))
    assert sum(found.values()) - bonus == 100
    assert bonus in (0, 10)


@each_assignment
def test_the_table_of_points_adds_up(assignment):
    (table,) = [cell.source for cell in cells(assignment) if cell.id == "points"]
    rows = re.findall(r"^\| (\d+)\. [^|]*\|[^|]*\| \+?(\d+) \|$", table, re.MULTILINE)
    of_section, section = {}, None
    for cell in cells(assignment):
        if heading := re.search(r"^## (\d+)\. ", cell.source, re.MULTILINE):
            section = heading[1]
        if marks(cell).get("grade"):
            of_section[section] = of_section.get(section, 0) + marks(cell)["points"]
    assert {number: int(total) for number, total in rows} == of_section


@pytest.mark.parametrize(("assignment", "question"), questions(written=False))
def test_the_heading_of_a_question_names_its_points(assignment, question):
    found = cells(assignment)
    position = found.index(graded(assignment, question))
    headings = [c.source for c in found[:position] if re.search(r"^### \d", c.source, re.MULTILINE)]
    named = re.search(r"\((\d+)(?: \+ (\d+))? points?\b", headings[-1]).groups()
    assert str(points(assignment)[question]) in named


# ------------------------------------------------------------------------------------------------
# Questions


@each_automatic
def test_a_hidden_test_needs_nothing_of_the_notebook(assignment, question):
    # The grader runs it on its own, in a fresh namespace.
    tree = parsed(graded(assignment, question))
    assert loaded(tree) - bound(tree) - set(imported(tree)) - set(dir(builtins)) == set()


@each_automatic
def test_a_hidden_test_imports_nothing_of_the_grader_but_autograder_hidden(assignment, question):
    tree = parsed(graded(assignment, question))
    sources = {source.rpartition(".")[::2] for source in imported(tree).values()}
    graders = {(package, name) for package, name in sources if "autograder" in f"{package}.{name}"}
    assert graders <= {("autograder.hidden", name) for name in hidden.__all__}
    (line,) = [n for n in tree.body if getattr(n, "module", "") == "autograder.hidden"]
    assert "score" in {alias.name for alias in line.names}


@each_automatic
def test_a_hidden_test_changes_nothing_in_the_notebook(assignment, question):
    # `nbgrader validate` runs it in the notebook itself.
    tree = parsed(graded(assignment, question))
    code = [c for c in cells(assignment) if c.cell_type == "code" and not is_hidden_test(c)]
    others = [parsed(cell) for cell in code]
    defined = set().union(*(owned(other) for other in others))
    own_imports = {name: source for other in others for name, source in imported(other).items()}
    assert owned(tree) & (defined | set(own_imports)) == set()
    # An import of the same thing under the same name is harmless.
    new_imports = dict(imported(tree).items() - own_imports.items())
    assert set(new_imports) & (defined | set(own_imports)) == set()


@each_automatic
def test_an_automatic_question_has_a_solution_before_its_test(assignment, question):
    found = cells(assignment)
    solution = graded(assignment, f"{question}_solution")
    assert found.index(solution) < found.index(graded(assignment, question))
    assert marks(solution)["solution"]
    assert not marks(solution)["grade"]
    assert "### BEGIN SOLUTION" in solution.source


@each_written
def test_a_written_question_has_a_model_answer_within_its_limit_and_a_scheme(assignment, question):
    cell = graded(assignment, question)
    assert marks(cell)["solution"]
    assert lines_outside_markers(cell.source, "SOLUTION") == []
    answer, scheme = re.sub("### .*SOLUTION", "", cell.source).split("**Marking.**")
    assert re.search(r"\d points?:", scheme)
    found = cells(assignment)
    before = " ".join(c.source for c in found[: found.index(cell)])
    limit = int(re.findall(r"at most (\d+) words", before)[-1])
    assert len(answer.split()) <= limit
