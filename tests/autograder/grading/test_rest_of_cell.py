"""After a line that fails, the rest of a cell is run."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from autograder.grading.rest_of_cell import rest_of_cell

SETUP = """\
import math
import no_such_module
x = 1
if x:
    y = 2
"""


@pytest.fixture(scope="module")
def shell():
    return InteractiveShell.instance()


def traceback_of(shell, source):
    """Return what IPython shows when a cell fails."""
    shown = []
    shell._showtraceback = lambda kind, value, lines: shown.append("\n".join(lines))
    shell.run_cell(source)
    return shown[-1]


def test_the_statements_after_the_line_that_failed_are_left(shell):
    line, statements = rest_of_cell(SETUP, traceback_of(shell, SETUP))
    assert line == "import no_such_module"
    assert statements == ["x = 1", "if x:\n    y = 2"]


def test_a_magic_that_failed_is_named_and_what_follows_is_left(shell):
    source = "%matplotlib no_such_backend\nimport math\n"
    line, statements = rest_of_cell(source, traceback_of(shell, source))
    assert line == "%matplotlib no_such_backend"
    assert statements == ["import math"]


def test_the_line_of_the_cell_counts_and_not_that_of_a_function_it_calls(shell):
    shell.run_cell("def fails():\n    pass\n    pass\n    raise ValueError\n")
    source = "a = 1\nfails()\nb = 2\nc = 3\nd = 4\n"
    line, statements = rest_of_cell(source, traceback_of(shell, source))
    assert line == "fails()"
    assert statements == ["b = 2", "c = 3", "d = 4"]


@pytest.mark.parametrize("traceback", ["", "line 0", "line 99", "a forged one"])
def test_without_a_line_number_everything_is_left(traceback):
    line, statements = rest_of_cell(SETUP, traceback)
    assert line == "import math"
    assert len(statements) == 4


def test_nothing_of_a_cell_is_left_that_is_not_python(shell):
    source = "x = 1\nif x\n    y = 2\n"
    assert rest_of_cell(source, traceback_of(shell, source)) == ("if x", [])
