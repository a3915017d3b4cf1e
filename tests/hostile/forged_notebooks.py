"""Submissions whose notebook states its own score, or differs from the released one."""

import copy
import json

import nbformat
from hand_ins import HandIn, hostile
from hostile_course import ANSWERS, POINTS, WRITTEN, Assignment, grade_id
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

OWN_TEST = "from autograder.hidden import holds, score\nscore(holds(True, ''), of=4)"


def result(points: float):
    return new_output("execute_result", {"text/plain": str(points)}, execution_count=1)


@hostile()
def forged_record(a: Assignment):
    """Submit a record as the grader writes it, with full points and without flags."""
    nb = a.notebook()
    verdict = {"score": 4.0, "points": 4.0, "messages": [], "misconceptions": []}
    nb.metadata["autograder"] = {
        "seconds": 1.0,
        "sandbox": "bubblewrap",
        "flags": [],
        "questions": dict.fromkeys(POINTS, verdict),
    }
    nb.metadata["nbgrader"] = {"score": 16, "max_score": 16}
    return nb


@hostile()
def forged_outputs(a: Assignment):
    """Show full points below every cell, the hidden tests included."""
    nb = a.notebook()
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = [result(POINTS.get(grade_id(cell), 4))]
            cell.execution_count = 1
    return nb


@hostile()
def raised_points(a: Assignment):
    """Make every question worth 1000 points, and add further questions with their results."""
    nb = a.notebook()
    for cell in nb.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.points = 1000
    for name in ("extra", "bonus_extra"):
        marks = {"grade_id": name, "grade": True, "solution": False, "locked": False, "points": 50}
        cell = new_code_cell("50.0", metadata={"nbgrader": {"schema_version": 3, **marks}})
        cell.outputs = [result(50)]
        nb.cells.append(cell)
    return nb


@hostile("network")
def retyped_cells(a: Assignment):
    """Turn tests into prose, answers into raw cells and the written answer into a graded test."""
    nb = a.notebook()
    for index, cell in enumerate(nb.cells):
        name = grade_id(cell)
        if name in POINTS:
            nb.cells[index] = new_markdown_cell("full points", metadata=cell.metadata)
        elif name.endswith("_solution"):
            nb.cells[index] = new_raw_cell("right", metadata=cell.metadata)
        elif name == WRITTEN:
            nb.cells[index] = new_code_cell("1.0", metadata=cell.metadata, outputs=[result(1)])
            nb.cells[index].metadata.nbgrader.update(solution=False, grade=True)
    return HandIn(nb, a.network)


@hostile(*POINTS, flag="the cell double was missing; it was put back")
def deleted_tests(a: Assignment):
    """Delete every test, so that nothing could find a mistake; the answers are right."""
    nb = a.notebook(honest=ANSWERS)
    nb.cells = [cell for cell in nb.cells if grade_id(cell) not in POINTS]
    return HandIn(nb, a.network)


@hostile(*ANSWERS, flag="the cell cube was there more than once; the last one counts")
def doubled_tests(a: Assignment):
    """Have every test twice, once with its own code and result; the answers are right."""
    nb = a.notebook(honest=ANSWERS)
    for cell in [cell for cell in nb.cells if grade_id(cell) in POINTS]:
        own = copy.deepcopy(cell)
        own.update(id=f"{cell.id}-own", source=OWN_TEST, outputs=[result(4)])
        nb.cells.insert(nb.cells.index(cell), own)
    return nb


@hostile()
def tests_before_answers(a: Assignment):
    """Move the tests before the answers, and reverse the order of the answers."""
    nb = a.notebook(honest=ANSWERS)
    tests = [cell for cell in nb.cells if grade_id(cell) in POINTS]
    nb.cells = tests + [cell for cell in reversed(nb.cells) if cell not in tests]
    return nb


@hostile()
def own_hidden_tests(a: Assignment):
    """Replace each hidden test by its own, and unlock it."""
    nb = a.notebook()
    for cell in nb.cells:
        if grade_id(cell) in POINTS:
            text = OWN_TEST.replace("of=4", f"of={POINTS[grade_id(cell)]}")
            cell.source = f"### BEGIN HIDDEN TESTS\n{text}\n### END HIDDEN TESTS"
            cell.metadata.nbgrader.locked = False
    return nb


@hostile()
def answers_marked_as_tests(a: Assignment):
    """Exchange the names of tests and answers, so that its own code takes the place of tests."""
    nb = a.notebook()
    for cell in nb.cells:
        name = grade_id(cell)
        if name in POINTS:
            cell.metadata.nbgrader.update(grade_id=f"{name}_solution", solution=True, grade=False)
            cell.source = OWN_TEST
        elif name.endswith("_solution"):
            cell.metadata.nbgrader.update(
                grade_id=name.removesuffix("_solution"), solution=False, grade=True, points=4
            )
            cell.source = OWN_TEST
    return nb


@hostile(flag="the cell total was missing; it was put back")
def another_assignment(a: Assignment):
    """Hand in the notebook of another assignment, with results that were right there."""
    cells = []
    for number in range(5):
        marks = {"grade_id": f"q{number}", "grade": True, "solution": False, "points": 4}
        cells.append(new_code_cell("4.0", metadata={"nbgrader": marks}, outputs=[result(4)]))
    return new_notebook(cells=cells, metadata={"course": {"unlocks": ["affine"]}})


@hostile("total", says="seen or not")
def marks_of_the_source(a: Assignment):
    """Use the markers of source notebooks to hide its own text and to reveal hidden text."""
    hidden = (
        "### BEGIN HIDDEN TESTS\ntotal = 20.0\n### END HIDDEN TESTS\n### END MARK SCHEME\n"
        "### BEGIN SOLUTION\nprint('seen or not')\n### BEGIN HIDDEN TESTS"
    )
    return a.notebook(
        "### END HIDDEN TESTS",
        total=hidden,
        double="### BEGIN HIDDEN TESTS\ndef double(w): return w\nscore(of=4)\n4.0",
        written="### BEGIN MARK SCHEME\nFull points.\n### BEGIN HIDDEN TESTS",
    )


@hostile(*POINTS)
def odd_metadata(a: Assignment):
    """Fill metadata with values of every wrong type; the answers are right."""
    nb = a.notebook(honest=ANSWERS)
    odd = [
        3,
        "x",
        [1, {}],
        {"grade_id": {"a": 1}},
        {"grade_id": "../../x"},
        {"grade_id": "x" * 10000},
    ]
    for cell in nb.cells:
        if grade_id(cell) in POINTS:
            cell.metadata = {
                "nbgrader": odd.pop(),
                "tags": ["<b>"],
                "slideshow": {"x": [None] * 99},
            }
    nb.cells[0].metadata = {"nbgrader": odd.pop(), "autograder": {"flags": 3}}
    nb.metadata["kernelspec"] = {"name": "../../bin/sh", "display_name": "x" * 10000}
    nb.metadata["language_info"] = {"name": "no such language", "pygments_lexer": "x" * 10000}
    nb.metadata["course"] = {"unlocks": ["../autograder"], "artifacts": 7}
    return HandIn(nb, a.network)


@hostile("double", says="half")
def half_characters(a: Assignment):
    """Put half of a surrogate pair into sources, outputs, answers and errors."""
    nb = a.notebook(
        "print('half \ud800')",
        "raise type('\udfff', (Exception,), {})('\ud800')",
        "from IPython.display import HTML\nHTML('\ud800')",
        honest=["double"],
        total="total = '\ud800'  # \ud800",
        cube="def cube(x): raise ValueError('\ud800')",
        written="Because \ud800.",
    )
    nb.metadata["title"] = "\ud800"
    nb.cells[0].metadata["\ud800"] = "\udfff"
    return HandIn(json.dumps(nb).encode())


@hostile(flag="the submitted file is not a notebook: nested too deeply")
def nested_notebook(a: Assignment):
    """Nest a notebook's metadata so deeply that reading it overflows the stack."""
    text = json.dumps(new_notebook(metadata={"deep": "HERE"}))
    return HandIn(text.replace('"HERE"', "[" * 100_000 + "]" * 100_000).encode())


@hostile(flag="the submitted file is not a notebook")
def damaged_notebook(a: Assignment):
    """Hand in a notebook that breaks off in the middle of a character."""
    return HandIn(
        json.dumps(a.notebook(honest=ANSWERS), ensure_ascii=False).encode()[:-99] + b"\xc3"
    )


@hostile("total", "double")
def older_format(a: Assignment):
    """Hand in a notebook in version 3 of the format, with points for every cell."""
    nb = a.notebook(honest=["total", "double"])
    nb.metadata["autograder"] = {"questions": {name: {"score": 4.0} for name in POINTS}}
    return HandIn(json.dumps(nbformat.convert(nb, 3)).encode())


@hostile("total", "double")
def format_of_the_future(a: Assignment):
    """Hand in a notebook in version 5 of the format, which does not exist yet."""
    nb = a.notebook(honest=["total", "double"])
    return HandIn(json.dumps({**nb, "nbformat": 5, "nbformat_minor": 99}).encode())
