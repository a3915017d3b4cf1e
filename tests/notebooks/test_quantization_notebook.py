"""The source notebook of `quantization`: its form, and that its solution earns every point."""

import ast
import builtins
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.lint import lint
from autograder.references import artifacts

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "quantization" / "quantization.ipynb"

POINTS = {
    "affine_quantize": 8,
    "affine_dequantize": 3,
    "affine_memory": 3,
    "affine_network": 5,
    "affine_accuracy": 3,
    "stochastic_rounding": 8,
    "stochastic_accuracy": 3,
    "stochastic_comparison": 2,
    "ste_forward": 8,
    "ste_backward": 6,
    "ste_layer": 5,
    "ste_sweep": 5,
    "qat_4bit": 4,
    "qat_3bit": 4,
    "qat_2bit": 4,
    "mixed_layer_bits": 3,
    "mixed_average_precision": 5,
    "mixed_before": 3,
    "mixed_after": 6,
    "mixed_stage": 3,
    "concept_ste": 2,
    "concept_ste_reason": 1,
    "concept_mixed": 2,
    "concept_mixed_reason": 1,
    "concept_stochastic": 2,
    "concept_stochastic_reason": 1,
    "bonus_nonzero": 3,
    "bonus_sparse_4bit": 2,
    "bonus_iterative": 5,
}
WRITTEN = [
    "stochastic_comparison",
    "mixed_stage",
    "concept_ste_reason",
    "concept_mixed_reason",
    "concept_stochastic_reason",
]
AUTOMATIC = [question for question in POINTS if question not in WRITTEN]

# ------------------------------------------------------------------------------------------------
# Reading the notebook


def read():
    return nbformat.read(NOTEBOOK, as_version=4)


CELLS = read().cells


def marks(cell):
    return cell.metadata.get("nbgrader", {})


def graded(question):
    (cell,) = [c for c in CELLS if marks(c).get("grade_id") == question]
    return cell


def is_hidden_test(cell):
    return cell.cell_type == "code" and marks(cell).get("grade", False)


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


def parsed(cell):
    """Return the syntax tree of a code cell; a line that only IPython understands does nothing."""
    magic = re.compile(r"^(\s*)%.*$", re.MULTILINE)
    return ast.parse(magic.sub(r"\1pass", cell.source))


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
    """Return every name that a cell binds, in whatever scope, but for its imports."""
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not is_load(n)}
    names |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    return names | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}


def is_load(name):
    return isinstance(name.ctx, ast.Load)


def owned(tree):
    """Return the names that a cell defines for the cells after it; loop variables are no such."""
    names = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = getattr(statement, "targets", None) or [statement.target]
            names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return names


# ------------------------------------------------------------------------------------------------
# Form


def test_the_notebook_is_valid():
    nbformat.validate(read())


def test_cell_ids_are_unique_and_readable():
    ids = [cell.id for cell in CELLS]
    assert len(set(ids)) == len(ids)
    assert [i for i in ids if not re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", i)] == []


def test_there_are_no_outputs():
    code = [cell for cell in CELLS if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []


def test_markers_and_hidden_tests_are_without_fault():
    # Locked, comments only outside of the markers, and `score(of=...)` as the cell's points.
    assert [str(fault) for fault in lint(NOTEBOOK)] == []


def test_grade_ids_equal_the_cell_ids():
    ids = {cell.id: marks(cell)["grade_id"] for cell in CELLS if marks(cell)}
    assert [i for i, grade_id in ids.items() if i != grade_id] == []


def test_nbgrader_marks_have_the_current_schema():
    assert {marks(cell)["schema_version"] for cell in CELLS if marks(cell)} == {3}


def test_the_masks_of_another_assignment_are_unlocked():
    assert read().metadata["course"]["unlocks"] == ["masks"]


def test_every_artifact_that_is_graded_is_one_that_students_are_told_to_hand_in():
    asked = set()
    for cell in CELLS:
        if is_hidden_test(cell):
            for node in ast.walk(parsed(cell)):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "trained":
                    asked.add(node.args[0].value)
    assert set(read().metadata["course"]["artifacts"]) == asked


# ------------------------------------------------------------------------------------------------
# Points


def test_points_are_the_ones_planned():
    found = {marks(c)["grade_id"]: marks(c)["points"] for c in CELLS if marks(c).get("grade")}
    assert found == POINTS


def test_points_sum_to_100_and_a_bonus_of_10():
    bonus = sum(points for question, points in POINTS.items() if question.startswith("bonus"))
    assert (sum(POINTS.values()) - bonus, bonus) == (100, 10)


def test_the_table_of_points_adds_up():
    (table,) = [cell.source for cell in CELLS if cell.id == "points"]
    rows = re.findall(r"^\| (\d)\. [^|]*\|([^|]*)\| \+?(\d+) \|$", table, re.MULTILINE)
    prefixes = ["affine", "stochastic", "ste", "qat", "mixed", "concept", "bonus"]
    of_section = [
        sum(p for question, p in POINTS.items() if question.startswith(f"{prefix}_"))
        for prefix in prefixes
    ]
    assert [int(total) for _, _, total in rows] == of_section


@pytest.mark.parametrize("question", POINTS)
def test_the_heading_of_a_question_names_its_points(question):
    position = CELLS.index(graded(question))
    headings = [c.source for c in CELLS[:position] if re.search(r"^### \d", c.source, re.MULTILINE)]
    named = re.search(r"\((\d+)(?: \+ (\d+))? points?\b", headings[-1]).groups()
    assert str(POINTS[question]) in named


# ------------------------------------------------------------------------------------------------
# Questions


@pytest.mark.parametrize("question", AUTOMATIC)
def test_a_hidden_test_needs_nothing_of_the_notebook(question):
    # The grader runs it on its own, in a fresh namespace.
    tree = parsed(graded(question))
    assert loaded(tree) - bound(tree) - set(imported(tree)) - set(dir(builtins)) == set()


@pytest.mark.parametrize("question", AUTOMATIC)
def test_a_hidden_test_changes_nothing_in_the_notebook(question):
    # `nbgrader validate` runs it in the notebook itself.
    tree = parsed(graded(question))
    others = [parsed(c) for c in CELLS if c.cell_type == "code" and not is_hidden_test(c)]
    defined = set().union(*(owned(other) for other in others))
    own_imports = {name: source for other in others for name, source in imported(other).items()}
    assert owned(tree) & (defined | set(own_imports)) == set()
    # An import of the same thing under the same name is harmless.
    new_imports = dict(imported(tree).items() - own_imports.items())
    assert set(new_imports) & (defined | set(own_imports)) == set()


@pytest.mark.parametrize("question", AUTOMATIC)
def test_an_automatic_question_has_a_solution_before_its_test(question):
    position = CELLS.index(graded(question))
    solution = graded(f"{question}_solution")
    assert CELLS.index(solution) < position
    assert marks(solution)["solution"]
    assert not marks(solution)["grade"]
    assert "### BEGIN SOLUTION" in solution.source


def test_public_checks_are_locked_and_call_one_check():
    checks = [c for c in CELLS if marks(c).get("grade_id", "").endswith("_check")]
    assert checks
    for cell in checks:
        assert (marks(cell)["locked"], marks(cell)["grade"]) == (True, False)
        assert re.fullmatch(r"checks\.\w+\([^\n]+\)", cell.source)


@pytest.mark.parametrize("question", WRITTEN)
def test_a_written_question_has_a_model_answer_within_its_limit_and_a_scheme(question):
    cell = graded(question)
    assert cell.cell_type == "markdown"
    assert marks(cell)["solution"]
    assert lines_outside_markers(cell.source, "SOLUTION") == []
    answer, scheme = re.sub("### .*SOLUTION", "", cell.source).split("**Marking.**")
    assert re.search(r"\d points?:", scheme)
    before = " ".join(c.source for c in CELLS[: CELLS.index(cell)])
    limit = int(re.findall(r"at most (\d+) words", before)[-1])
    assert len(answer.split()) <= limit


# ------------------------------------------------------------------------------------------------
# The solution


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_solution_runs_and_earns_every_point(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    (tmp_path / NOTEBOOK.name).write_bytes(NOTEBOOK.read_bytes())
    # One artifact of each way to train is trained here, the others are those of our own run.
    trained_here = ("qat_4bit", "sparse_4bit", "iterative_4bit")
    shutil.copytree(
        artifacts("quick", "quantization"),
        tmp_path / "artifacts" / "quick",
        ignore=shutil.ignore_patterns(*(f"{name}.*" for name in trained_here)),
    )
    nb = read()
    client = NotebookClient(nb, timeout=900, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    scores = {
        marks(cell)["grade_id"]: float(cell.outputs[-1].data["text/plain"])
        for cell in nb.cells
        if is_hidden_test(cell)
    }
    assert scores == {question: POINTS[question] for question in AUTOMATIC}
    saved = {path.stem for path in (tmp_path / "artifacts" / "quick").glob("*.safetensors")}
    assert saved == set(nb.metadata["course"]["artifacts"])
    assert (tmp_path / "quantization.zip").exists()
