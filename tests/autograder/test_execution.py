"""One submission, from cells to scores: what counts, what it costs, what cannot be forged."""

import nbformat
import pytest
from nbgrader.utils import determine_grade

from autograder.execution import MAX_RESTARTS, grade_notebook
from autograder.sandbox.limits import Limits
from autograder.sandbox.session import Session

TEST = """\
# Hidden tests: {points} points
### BEGIN HIDDEN TESTS
from autograder.hidden import close, holds, same, score, student, value

{body}
### END HIDDEN TESTS
"""


def answer(source):
    return nbformat.v4.new_code_cell(source)


def question(name, body, points=4):
    marks = {"grade": True, "grade_id": name, "points": points, "solution": False, "locked": True}
    source = TEST.format(points=points, body=body)
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": marks})


def is_three(name="x"):
    return f"score(close(student.{name}, 3, within=0), of=4)"


@pytest.fixture
def grade(tmp_path):
    """Grade cells; returns the record and the notebook."""
    for name in ("build", "files"):
        (tmp_path / name).mkdir()

    def run(*cells, **limits):
        nb = nbformat.v4.new_notebook(cells=list(cells))

        def start():
            return Session(
                build=tmp_path / "build",
                submission=tmp_path / "files",
                limits=Limits(**{"cell_seconds": 10, **limits}),
            )

        record = grade_notebook(nb, start=start, files=tmp_path / "files")
        nbformat.validate(nb)
        return record, nb

    return run


def scores(record):
    return {name: verdict.score for name, verdict in record.questions.items()}


def test_a_right_and_a_wrong_answer(grade):
    record, nb = grade(
        answer("x = 3\ny = 4"), question("a", is_three()), question("b", is_three("y"))
    )
    assert scores(record) == {"a": 4, "b": 0}
    assert determine_grade(nb.cells[1]) == (4, 4)
    assert determine_grade(nb.cells[2]) == (0, 4)
    assert record.questions["b"].messages == ["measured values: got 4, which is 1 off (allowed: 0)"]
    assert "1 off" in nb.cells[2].outputs[0].data["text/html"]


def test_partial_credit_and_a_message_come_together(grade):
    body = "score(close(student.x, [1, 2, 3, 4], within=0), of=4)"
    record, nb = grade(answer("x = [1, 2, 0, 4]"), question("a", body))
    assert determine_grade(nb.cells[1]) == (3, 4)
    assert record.questions["a"].messages


def test_a_hidden_test_sees_the_notebook_as_it_stands_there(grade):
    record, _ = grade(
        answer("x = 3"),
        question("before", is_three()),
        answer("x = 0"),
        question("after", is_three()),
    )
    assert scores(record) == {"before": 4, "after": 0}


def test_an_error_costs_the_answers_that_rest_on_it(grade):
    record, nb = grade(
        answer("x = 3\n1 / 0\ny = 3"), question("a", is_three()), question("b", is_three("y"))
    )
    assert scores(record) == {"a": 4, "b": 0}
    assert nb.cells[0].outputs[-1].ename == "ZeroDivisionError"
    assert "There is no `y`" in record.questions["b"].messages[0]


def test_warnings_cost_nothing(grade):
    record, nb = grade(
        answer("import warnings; warnings.warn('!'); x = 3"), question("a", is_three())
    )
    assert scores(record) == {"a": 4}
    assert nb.cells[0].outputs[0].name == "stderr"


def test_an_endless_loop_costs_its_own_question(grade):
    record, nb = grade(
        answer("x = 3"),
        answer("while True: pass"),
        question("a", is_three("y")),
        answer("z = x"),
        question("b", is_three("z")),
        cell_seconds=1.5,
    )
    assert scores(record) == {"a": 0, "b": 4}
    assert record.flags == ["cell 2: it took more than 1.5 s of processor time (an endless loop?)"]
    assert "Stopped by the grader" in nb.cells[1].outputs[0].evalue


def test_a_dead_kernel_costs_its_own_question(grade):
    record, _ = grade(
        answer("x = 3"),
        answer("import os; os._exit(0)"),
        question("a", is_three("y")),
        question("b", is_three()),
    )
    assert scores(record) == {"a": 0, "b": 4}
    assert record.flags == ["cell 2: the kernel died"]


def test_a_function_that_never_returns_costs_its_own_question(grade):
    body = "score(same(student.f, abs, on=[(1,)]), of=4)"
    record, _ = grade(
        answer("x = 3\ndef f(x):\n    while True: pass"),
        question("a", body),
        question("b", is_three()),
        cell_seconds=1.5,
    )
    assert scores(record) == {"a": 0, "b": 4}
    assert "gave no answer: it took more than" in record.questions["a"].messages[0]


def test_a_kernel_lost_again_and_again_is_given_up(grade):
    fatal = [answer("import os; os._exit(0)") for _ in range(MAX_RESTARTS + 2)]
    record, _ = grade(*fatal, answer("x = 3"), question("a", is_three()))
    assert scores(record) == {"a": 0}
    assert record.flags[-1].startswith("the rest of the notebook was not run: the kernel was lost")
    assert len(record.flags) == MAX_RESTARTS + 2


def test_student_code_cannot_name_what_decides(grade):
    cheat = """
import sys, builtins, gc
x = 0
def score(*checks, of): return of
for module in list(sys.modules.values()):
    if hasattr(module, "difference"): module.difference = lambda *a: None
builtins.abs = lambda x: 0
builtins.max = lambda *a, **k: 1000
try:
    import autograder
    x = 3
except ImportError:
    pass
"""
    record, nb = grade(answer(cheat), question("a", is_three()))
    assert scores(record) == {"a": 0}
    assert determine_grade(nb.cells[1]) == (0, 4)


def test_a_value_that_equals_everything_is_a_wrong_value(grade):
    cheat = """
class Equal(float):
    __eq__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
    __abs__ = lambda self: 0.0
    __hash__ = None
x = Equal(5)
"""
    record, _ = grade(answer(cheat), question("a", is_three()))
    assert scores(record) == {"a": 0}


def test_a_students_own_output_is_no_score(grade):
    forged = "from IPython.display import display\n1000.0"
    record, nb = grade(answer(forged), question("a", is_three()))
    assert scores(record) == {"a": 0}
    assert all(o.output_type != "execute_result" for o in nb.cells[0].outputs)


def test_a_test_that_breaks_is_flagged_for_the_instructor_and_quotes_nothing_to_the_student(grade):
    record, nb = grade(answer("x = 3"), question("a", "secret = 1 / 0\nscore(of=4)"))
    assert scores(record) == {"a": 0}
    assert record.flags == ["the hidden test of a failed: ZeroDivisionError: division by zero"]
    assert "ZeroDivisionError" not in str(nb.cells[1].outputs)


def test_a_test_worth_other_points_than_its_cell_gives_none_and_is_flagged(grade):
    record, _ = grade(answer("x = 3"), question("a", is_three(), points=5))
    assert scores(record) == {"a": 0}
    assert "score(of=4)" in record.flags[0]


def test_active_output_is_left_out(grade):
    source = "from IPython.display import Javascript, display\ndisplay(Javascript('steal()'))"
    _, nb = grade(answer(source))
    assert "javascript" not in str(nb.cells[0].outputs)
