"""One submission is graded, from its cells to its scores, and no answer can forge a score."""

import json
import threading
from contextlib import contextmanager, suppress

import nbformat
import psutil
import pytest
from nbgrader.utils import determine_grade

from autograder.errors import UserError
from autograder.grading import execution, limited
from autograder.grading.execution import MAX_RESTARTS, grade_notebook, shown_outputs
from autograder.sandbox.limits import Limits
from autograder.sandbox.session import Session

TEST = """\
# Hidden tests: {points} points
### BEGIN HIDDEN TESTS
from autograder.hidden import close, holds, same, score, student, value

{body}
### END HIDDEN TESTS
"""


MIB = 2**20


def answer(source, name=None):
    marks = {"grade": False, "grade_id": name, "solution": True, "locked": False}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": marks} if name else {})


def question(name, body, points=4):
    marks = {"grade": True, "grade_id": name, "points": points, "solution": False, "locked": True}
    source = TEST.format(points=points, body=body)
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": marks})


def is_three(name="x"):
    return f"score(close(student.{name}, 3, within=0), of=4)"


@contextmanager
def no_room_for(size):
    """Use up the memory that earlier tests have freed, so that `size` bytes have to be new.

    The limit applies to memory that the process gets from the system, not to what it already has.
    """
    taken = []
    while True:
        before = limited._data_bytes()
        taken.append(bytearray(size))
        if limited._data_bytes() >= before + size:
            break
    taken.pop()
    yield
    taken.clear()


@pytest.fixture
def grade(tmp_path):
    """Return a function that grades cells and returns the record and the notebook."""
    for name in ("build", "files"):
        (tmp_path / name).mkdir()

    def run(*cells, given=None, session=Session, **limits):
        nb = nbformat.v4.new_notebook(cells=list(cells))

        def start():
            return session(
                build=tmp_path / "build",
                submission=tmp_path / "files",
                limits=Limits(**{"cell_seconds": 10, **limits}),
            )

        record = grade_notebook(nb, start=start, files=tmp_path / "files", given=given)
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
    assert record.questions["b"].messages == ["measured values: the result is 4, which is off"]
    assert "which is off" in nb.cells[2].outputs[0].data["text/html"]


def test_partial_credit_and_a_message_come_together(grade):
    body = "score(close(student.x, [1, 2, 3, 4], within=0), of=4)"
    record, nb = grade(answer("x = [1, 2, 0, 4]"), question("a", body))
    assert determine_grade(nb.cells[1]) == (3, 4)
    assert record.questions["a"].messages


def test_a_hidden_test_sees_the_values_at_its_place_in_the_notebook(grade):
    record, _ = grade(
        answer("x = 3"),
        question("before", is_three()),
        answer("x = 0"),
        question("after", is_three()),
    )
    assert scores(record) == {"before": 4, "after": 0}


def test_an_error_costs_the_answers_that_depend_on_it(grade):
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
    reason = "it took more than 1.5 s of processor time"
    assert len(record.flags) == 1
    assert record.flags[0].startswith(f"cell 2 (`while True: pass`): {reason}")
    shown = nb.cells[1].outputs[0].evalue
    assert shown.startswith(f"Stopped by the grader in cell 2 (`while True: pass`): {reason}")


def test_a_dead_kernel_costs_its_own_question(grade):
    record, _ = grade(
        answer("x = 3"),
        answer("import os; os._exit(0)"),
        question("a", is_three("y")),
        question("b", is_three()),
    )
    assert scores(record) == {"a": 0, "b": 4}
    assert len(record.flags) == 1
    assert record.flags[0].startswith("cell 2 (`import os; os._exit(0)`): ")


def test_a_fatal_cell_is_named_by_its_question_or_its_first_line(grade):
    fatal = "\n\n\tprint('\x1b[31m" + 100 * "a" + "')\nimport os; os._exit(0)"
    record, _ = grade(
        answer("import os; os._exit(0)", name="quantize_solution"), answer(fatal.replace("\t", ""))
    )
    assert [flag.partition(":")[0] for flag in record.flags] == [
        "cell 1 (quantize_solution)",
        "cell 2 (`print(' [31m" + 38 * "a" + "`)",
    ]


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
    assert len(record.flags) == 1
    assert record.flags[0].startswith("a call in the hidden test of a: it took more than 1.5 s")


def test_after_too_many_lost_kernels_the_rest_of_the_notebook_is_not_run(grade):
    fatal = [answer("import os; os._exit(0)") for _ in range(MAX_RESTARTS + 2)]
    record, _ = grade(*fatal, answer("x = 3"), question("a", is_three()))
    assert scores(record) == {"a": 0}
    reason = f"the kernel had already been lost {MAX_RESTARTS + 1} times"
    assert record.flags[-1] == f"the rest of the notebook was not run: {reason}"
    assert len(record.flags) == MAX_RESTARTS + 2


def killed_from_outside(times, whom):
    """Return a kind of session whose kernel is killed while it waits, the first few times."""
    left = [None] * times

    def is_kernel(process):
        with suppress(psutil.Error):  # it may just have ended
            return "inside.kernel" in process.cmdline() and process.name() != "bwrap"
        return False

    class Killed(Session):
        def ask(self, request):
            if "wait" in str(request) and left:
                left.pop()
                threading.Timer(0.5, self._kill_it).start()
            return super().ask(request)

        def _kill_it(self):
            outermost = psutil.Process(self._process.pid)
            inside = [p for p in outermost.children(recursive=True) if is_kernel(p)]
            (inside[-1] if whom == "kernel" else outermost).kill()

    return Killed


WAITS = "import time\nx = 3\ndef wait(v):\n    time.sleep(1)\n    return v"
SAME = "score(same(student.wait, abs, on=[(1,), (2,)]), of=4)"


TIMES = pytest.mark.parametrize(("times", "whom"), [(1, "kernel"), (1, "sandbox"), (2, "kernel")])


@TIMES
def test_a_cell_whose_kernel_is_killed_from_outside_is_run_again(grade, times, whom):
    cells = answer("y = 3"), answer("import time\ntime.sleep(1)  # wait\nx = 3")
    record, _ = grade(
        *cells,
        question("a", is_three()),
        question("b", is_three("y")),
        session=killed_from_outside(times, whom),
    )
    assert scores(record) == {"a": 4, "b": 4}
    assert record.flags == [
        "cell 2 (`import time`): its Python process was killed, but not by the grader; it was run "
        "again"
    ]


@TIMES
def test_a_hidden_test_whose_kernel_is_killed_from_outside_is_run_again(grade, times, whom):
    record, _ = grade(
        answer(WAITS), question("a", SAME), session=killed_from_outside(times, whom), cell_seconds=9
    )
    assert scores(record) == {"a": 4}
    assert record.flags == [
        "the hidden test of a: its Python process was killed, but not by the grader; it was run "
        "again"
    ]


def test_a_cell_that_is_killed_every_time_costs_its_own_question_and_is_flagged(grade):
    suicide = "import os\nos.kill(os.getpid(), 9)\ny = 3"
    record, nb = grade(answer("x = 3"), answer(suicide), *map(question, "ab", ASKED))
    assert scores(record) == {"a": 4, "b": 0}
    assert record.flags == ["cell 2 (`import os`): its Python process was killed (SIGKILL) 3 times"]
    assert "(SIGKILL) 3 times" in nb.cells[1].outputs[0].evalue


ASKED = is_three(), is_three("y")


def test_an_answer_that_is_killed_every_time_costs_its_own_question_and_is_flagged(grade):
    suicide = "import os\nx = 3\ndef wait(v): os.kill(os.getpid(), 9)"
    record, _ = grade(answer(suicide), question("a", SAME), question("b", is_three()))
    assert scores(record) == {"a": 0, "b": 4}
    assert record.flags == [
        "a call in the hidden test of a: its Python process was killed (SIGKILL) 3 times"
    ]


def test_killing_every_kernel_is_no_way_to_be_run_for_ever(grade):
    suicide = "import os\nos.kill(os.getpid(), 9)"
    fatal = [answer(suicide) for _ in range(MAX_RESTARTS + 2)]
    record, _ = grade(*fatal, answer("x = 3"), question("a", is_three()))
    assert scores(record) == {"a": 0}
    assert f"already been lost {MAX_RESTARTS + 1} times" in record.flags[-1]


def test_student_code_cannot_change_what_decides_the_score(grade):
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


def test_a_students_own_output_does_not_count_as_a_score(grade):
    forged = "from IPython.display import display\n1000.0"
    record, nb = grade(answer(forged), question("a", is_three()))
    assert scores(record) == {"a": 0}
    assert all(o.output_type != "execute_result" for o in nb.cells[0].outputs)


def test_a_hidden_test_that_fails_waits_for_a_person_and_is_not_quoted_to_the_student(grade):
    record, nb = grade(answer("x = 3"), question("a", "secret = 1 / 0\nscore(of=4)"))
    assert waiting(record) == {"a"}
    assert "to be graded, out of 4" in nb.cells[1].outputs[0].data["text/html"]
    assert record.flags == ["the hidden test of a failed: ZeroDivisionError: division by zero"]
    assert "ZeroDivisionError" not in str(nb.cells[1].outputs)


def test_a_test_whose_points_differ_from_those_of_its_cell_waits_for_a_person(grade):
    record, _ = grade(answer("x = 3"), question("a", is_three(), points=5))
    assert waiting(record) == {"a"}
    assert "score(of=4)" in record.flags[0]


def test_active_output_is_left_out(grade):
    source = "from IPython.display import Javascript, display\ndisplay(Javascript('steal()'))"
    _, nb = grade(answer(source))
    assert "javascript" not in str(nb.cells[0].outputs)


COUNT = "score(holds(lambda: sum(1 for _ in range(value(student.x))) >= 0, ''), of=4)"
TAKE = "score(holds(lambda: len(bytearray(value(student.x))) >= 0, ''), of=4)"


def waiting(record):
    """Return the questions that wait for a person."""
    assert not any(found.score for found in record.questions.values() if not found.judged)
    return {name for name, found in record.questions.items() if not found.judged}


def test_a_student_who_cannot_answer_does_not_wait_for_a_person(grade):
    record, _ = grade(answer("x = object()"), question("a", is_three()), question("b", SAME))
    assert scores(record) == {"a": 0, "b": 0}
    assert not waiting(record)


def test_an_answer_that_takes_forever_to_judge_costs_its_own_question(grade, monkeypatch):
    monkeypatch.setattr(execution, "TEST_SECONDS", 0.5)
    cells = answer("x = 10**15"), question("a", COUNT), answer("x = 3"), question("b", COUNT)
    record, nb = grade(*cells)
    assert scores(record) == {"a": 0, "b": 4}
    assert waiting(record) == {"a"}
    reason = "it took more than 0.5 s of processor time"
    assert record.flags == [f"the hidden test of a was stopped: {reason}"]
    assert reason in record.questions["a"].messages[0]
    assert reason in nb.cells[1].outputs[0].data["text/html"]


def test_an_answer_that_takes_all_memory_to_judge_costs_its_own_question(grade, monkeypatch):
    monkeypatch.setattr(execution, "TEST_BYTES", 256 * MIB)
    cells = answer("x = 10**10"), question("a", TAKE), answer("x = 3"), question("b", TAKE)
    record, _ = grade(*cells)
    assert scores(record) == {"a": 0, "b": 4}
    assert waiting(record) == {"a"}
    assert record.flags == [
        "the hidden test of a was stopped: it took more than 0.25 GiB of memory"
    ]


@pytest.mark.slow
def test_a_record_of_8_mb_that_takes_gigabytes_to_decode_costs_its_own_question(grade):
    with open("notebooks/deep_compression/deep_compression.ipynb", encoding="utf-8") as file:
        cells = nbformat.read(file, 4).cells
    file_write = next(
        c for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == "file_write"
    )
    # Words of 20 bits: at each of 64 million places the decoder looks up a long word.
    bomb = """
import numpy as np
x = 3
def layer_to_bytes(codes, runs, centroids, width):
    size = 8_000_000
    head = np.array([1, 0, size], "<u4").tobytes() + np.array([2, width], "<u2").tobytes()
    tables = bytes(8) + bytes([20, 20]) + bytes(2**width)
    return np.frombuffer(head + tables + bytes(size), dtype=np.uint8)
"""
    record, _ = grade(answer(bomb), file_write, question("b", is_three()))
    assert scores(record) == {"file_write": 0, "b": 4}
    assert record.flags == [
        "the hidden test of file_write was stopped: it took more than 2 GiB of memory"
    ]


def test_waiting_for_a_slow_answer_does_not_count_as_the_graders_time(grade, monkeypatch):
    monkeypatch.setattr(execution, "TEST_SECONDS", 0.5)
    slow = "import time\ndef f(x):\n    time.sleep(1.5)\n    return x"
    record, _ = grade(answer(slow), question("a", "score(same(student.f, abs, on=[(1,)]), of=4)"))
    assert scores(record) == {"a": 4}


def test_a_limit_that_is_reached_in_the_middle_of_an_answer_costs_no_other_question(
    grade, monkeypatch
):
    monkeypatch.setattr(execution, "TEST_BYTES", 64 * MIB)
    cells = answer("x = 'a' * 60_000_000\ny = 3"), question("a", is_three())
    with no_room_for(60_000_000):
        record, _ = grade(*cells, question("b", is_three("y")))
    assert scores(record) == {"a": 0, "b": 4}
    assert "memory" in record.flags[0]


def test_a_kernel_that_is_started_during_a_hidden_test_does_not_inherit_its_limits(grade):
    source = """
import os, resource
def die(): os._exit(0)
def lowered():
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    return soft != hard
"""
    body = """
holds(lambda: student.die(), "")
score(holds(lambda: student.lowered() is False, "it inherits a limit"), of=4)
"""
    record, _ = grade(answer(source), question("a", body))
    assert scores(record) == {"a": 4}


def test_every_call_that_ends_a_kernel_is_flagged_once_for_its_question(grade):
    body = "score(same(student.f, abs, on=[(1,), (2,)]), of=4)"
    record, _ = grade(
        answer("import os\ndef f(x): os._exit(0)"), question("a", body), question("b", body)
    )
    assert [flag.partition(":")[0] for flag in record.flags] == [
        "a call in the hidden test of a",
        "a call in the hidden test of b",
    ]


class NotStarted(UserError):
    pass


def test_a_kernel_that_does_not_start_again_is_the_graders_fault_and_gives_no_grade(tmp_path):
    for name in ("build", "files"):
        (tmp_path / name).mkdir()
    kernels = iter([Session(build=tmp_path / "build", submission=tmp_path / "files")])

    def start():
        for kernel in kernels:
            return kernel
        raise NotStarted("no sandbox")

    body = "score(same(student.f, abs, on=[(1,), (2,)]), of=4)"
    cells = [answer("import os\ndef f(x): os._exit(0)"), question("a", body)]
    with pytest.raises(NotStarted):
        grade_notebook(nbformat.v4.new_notebook(cells=cells), start=start, files=tmp_path)


def test_an_error_that_only_the_instructor_can_fix_gives_no_grade(grade):
    missing = "from autograder.references import NoReferenceRun\nraise NoReferenceRun('no run')"
    with pytest.raises(UserError):
        grade(question("a", missing))


@pytest.mark.parametrize(
    "source",
    [
        "print('\\ud800')",
        "raise ValueError('\\ud800')",
        "'\\ud800'",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>\\ud800</b>'))",
        "import sys\nprint('\\udfff', file=sys.stderr)",
        "import os\nos.write(2, b'\\xed\\xa0\\x80')\nos._exit(0)",
        "# \ud800\nprint(1)",
        "# \ud800\nimport os; os._exit(0)",
    ],
)
def test_half_of_a_surrogate_pair_does_not_stop_grading(grade, source):
    record, nb = grade(answer("x = 3"), answer(source), question("a", is_three()))
    assert scores(record) == {"a": 4}
    del nb.cells[1]["source"]  # the reader of submitted files replaces it there
    json.dumps([nb, record.flags], ensure_ascii=False).encode()


def test_half_of_a_surrogate_pair_in_an_answer_or_its_error_costs_only_that_answer(grade):
    source = "x = '\\ud800'\ny = {'\\ud800': 1}\ndef f(x): raise ValueError('\\ud800')\nz = 3"
    body = "score(same(student.f, abs, on=[(1,)]), of=4)"
    cells = question("a", is_three()), question("b", is_three("y")), question("c", body)
    record, nb = grade(answer(source), *cells, question("d", is_three("z")))
    assert scores(record) == {"a": 0, "b": 0, "c": 0, "d": 4}
    (nbformat.writes(nb) + str(record)).encode()


def stream(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown_text(outputs):
    return [output.text for output in outputs]


def test_an_output_that_is_too_long_is_cut_and_says_so():
    (output,) = shown_outputs([stream("a" * 8 * MIB)], 16 * MIB)
    assert output.text == (
        "a" * 2 * MIB + "\n[The grader left out 6,291,456 more characters here.]\n"
    )


def test_a_traceback_that_is_too_long_is_cut_and_says_so():
    error = {"output_type": "error", "ename": "E" * MIB, "evalue": "v" * MIB}
    (output,) = shown_outputs([{**error, "traceback": ["line"] * MIB}], 16 * MIB)
    assert output.traceback[0].startswith("line\nline")
    assert "[The grader left out" in output.traceback[0]
    assert len(str(output)) < 3 * MIB


def test_html_that_is_too_long_is_replaced_by_a_line():
    html = {"output_type": "display_data", "data": {"text/html": "<p>" * MIB, "text/plain": "p"}}
    (output,) = shown_outputs([html], 16 * MIB)
    assert shown_text([output]) == [
        "[The grader left out an output of 3,145,729 characters here, because there is too much "
        "output.]\n"
    ]


def test_too_many_outputs_end_with_a_line_that_counts_the_rest():
    outputs = shown_outputs([stream(f"{i}") for i in range(5000)], MIB)
    assert shown_text(outputs[:2]) == ["0", "1"]
    assert outputs[-1].text.startswith(f"[The grader left out {5001 - len(outputs):,} outputs here")
    assert len(outputs) < 200


def test_the_output_of_a_cell_and_of_a_notebook_is_limited(grade, monkeypatch):
    monkeypatch.setattr(execution, "MAX_OUTPUT", 30_000)
    monkeypatch.setattr(execution, "MAX_CELL_OUTPUT", 50_000)
    monkeypatch.setattr(execution, "MAX_NOTEBOOK_OUTPUT", 120_000)
    flood = """
from IPython.display import HTML, display
for _ in range(3): display(HTML("a" * 20_000))
"""
    _, nb = grade(*[answer(flood) for _ in range(4)])
    sizes = [[len(o.get("text") or o.data["text/html"]) for o in cell.outputs] for cell in nb.cells]
    assert [[size for size in cell if size == 20_000] for cell in sizes] == [
        [20_000, 20_000],
        [20_000, 20_000],
        [20_000],
        [],
    ]
    assert all("The grader left out" in cell.outputs[-1].text for cell in nb.cells)


def test_everything_but_text_in_a_forged_output_is_left_out():
    deep = []
    for _ in range(900):
        deep = [deep]
    forged = [
        stream(deep),
        {"output_type": "error", "ename": deep, "evalue": {}, "traceback": [deep, "line"]},
        {"output_type": "display_data", "data": {"text/plain": deep}},
        {"output_type": "display_data", "data": deep},
        {"output_type": deep},
        deep,
    ]
    shown = shown_outputs(forged, MIB)
    assert [output.output_type for output in shown] == ["stream", "error"]
    assert shown[1].traceback == ["\nline"]


def test_a_message_that_quotes_a_long_answer_is_cut(grade):
    body = "def empty(x): return {}\nscore(same(student.f, empty, on=[(1,)]), of=4)"
    record, nb = grade(answer("def f(x): return {'a' * 3_000_000: 1}"), question("a", body))
    assert scores(record) == {"a": 0}
    assert len(str(record)) < 10_000
    assert len(str(nb)) < 20_000


def test_a_line_of_another_cell_that_fails_is_flagged_and_costs_no_answer(grade):
    setup = nbformat.v4.new_code_cell("import no_such_module\nthree = 3\n")
    record, _ = grade(setup, answer("x = three", "x_solution"), question("x", is_three()), given=())
    assert record.questions["x"].score == 4
    assert record.flags == [
        "cell 1 (`import no_such_module`) failed at `import no_such_module` (ModuleNotFoundError); "
        "what comes after it was run all the same"
    ]


@pytest.mark.parametrize("given", [None, ("raise ValueError",)])
def test_a_cell_of_the_course_that_fails_is_not_flagged(grade, given):
    record, _ = grade(nbformat.v4.new_code_cell("raise ValueError"), given=given)
    assert record.flags == []
