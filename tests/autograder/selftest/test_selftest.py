"""The self-test finds what hidden tests let through, and what they take from right answers."""

import json

import nbformat
import pytest
from small_course import ASSIGNMENT, marks, write_source

from autograder.errors import UserError
from autograder.selftest import run
from autograder.selftest.answers import Answer, read_answers
from autograder.selftest.judging import SolvedNotebook
from autograder.selftest.mutants import mutants
from autograder.selftest.page import mutation_score, table, write_page
from autograder.selftest.run import QuestionResult, Selftest

SOLUTION = """\
def clip(x, top):
    \"\"\"Return x, or `top` if x is larger.\"\"\"
    ### BEGIN SOLUTION
    if x > top:
        return top
    return x
    ### END SOLUTION
"""
CHECK = """\
from helpers.checks.result import public_check, Wrong

@public_check("clip")
def check(function):
    yield "leaves 1 as it is"
    if function(1, 5) != 1:
        raise Wrong("It does not.")

check(clip)
"""
HIDDEN_TEST = """\
### BEGIN HIDDEN TESTS
from autograder.hidden import fresh, holds, score, student

number = 7 if fresh(1) == 1 else 9
score(
    holds(lambda: student.clip(number, 5) == 5, "Seven is cut to five."),
    holds(lambda: student.clip(3, 5) == 3, "Three is left alone."),
    of=4,
)
### END HIDDEN TESTS
"""


@pytest.fixture
def notebooks(tmp_path):
    """Return a folder with the source notebook of one question."""
    solution = nbformat.v4.new_code_cell(SOLUTION, metadata=marks("clip_solution", solution=True))
    test = nbformat.v4.new_code_cell(HIDDEN_TEST, metadata=marks("clip", points=4, locked=True))
    cells = [solution, nbformat.v4.new_code_cell(CHECK), test]
    write_source(tmp_path, nbformat.v4.new_notebook(cells=cells))
    return tmp_path / "notebooks"


def judged(notebooks, source, kind="wrong", **options):
    answer = Answer("clip_solution", "one", source, kind, **options)
    ((_, judgement),) = SolvedNotebook(ASSIGNMENT, notebooks).judge([answer])
    return judgement


def test_a_right_answer_gets_every_point(notebooks):
    found = judged(notebooks, "def clip(x, top):\n    return min(x, top)\n", "right")
    assert (found.points, found.of, found.passes, found.messages) == (4, 4, True, [])


def test_a_wrong_answer_loses_and_the_feedback_is_known(notebooks):
    found = judged(notebooks, "def clip(x, top):\n    return x\n")
    assert found.loses
    assert found.points == 2
    assert found.passes  # the public check does not see it
    assert found.messages == ["property: Seven is cut to five."]


def test_an_answer_that_stops_with_an_error_loses_every_point(notebooks):
    found = judged(notebooks, "raise RuntimeError\n", replaces=True)
    assert (found.points, found.passes) == (0, None)


def test_an_answer_that_ends_its_process_harms_no_other(notebooks):
    answers = [
        Answer("clip_solution", "ends", "import os; os._exit(3)\n", "wrong"),
        Answer("clip_solution", "fine", "clip = min\n", "right"),
    ]
    found = {a.label: j for a, j in SolvedNotebook(ASSIGNMENT, notebooks).judge(answers, jobs=2)}
    assert (found["ends"].points, found["ends"].problem) == (0, "its process ended")
    assert found["fine"].points == 4


def test_an_answer_does_not_find_a_file_that_the_solution_writes(notebooks):
    path = notebooks / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    keep = "from pathlib import Path\nPath('kept.txt').touch()\n"
    notebook.cells[0].source = keep + SOLUTION
    nbformat.write(notebook, path)
    assert not judged(notebooks, keep + "clip = min\n", replaces=True).loses
    assert judged(notebooks, "open('kept.txt')\nclip = min\n", replaces=True).points == 0


def test_an_answer_that_takes_too_long_is_stopped(notebooks, monkeypatch):
    monkeypatch.setattr("autograder.selftest.judging.AT_LEAST", 0.5)
    found = judged(notebooks, "while True: pass\n")
    assert found.points == 0
    assert found.problem.startswith("it took longer than")


def test_an_answer_to_an_unknown_cell_is_reported(notebooks):
    answer = Answer("gone_solution", "one", "pass\n", "wrong")
    with pytest.raises(UserError, match="no solution cell 'gone_solution'"):
        list(SolvedNotebook(ASSIGNMENT, notebooks).judge([answer]))


def test_a_solution_that_loses_points_is_reported(notebooks):
    path = notebooks / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    path.write_text(path.read_text().replace("return top", "return x"))
    with pytest.raises(UserError, match=r"the solution of clip loses:\nproperty: Seven"):
        judged(notebooks, "pass\n")


def test_another_seed_asks_something_else(notebooks):
    answer = Answer("clip_solution", "seven", "clip = lambda x, top: 5 if x == 7 else x\n", "wrong")
    for seed, points in ((b"", 4), (b"secret", 2)):
        ((_, found),) = SolvedNotebook(ASSIGNMENT, notebooks, seed).judge([answer])
        assert found.points == points


@pytest.fixture
def cell():
    return nbformat.v4.new_code_cell(SOLUTION, metadata=marks("clip_solution", solution=True))


def test_mutants_differ_in_one_place_of_the_solution(cell):
    labels = {mutant.label for mutant in mutants(cell)}
    assert "if x > top: -> if x >= top:" in labels
    assert "return x -> pass" in labels
    assert not [label for label in labels if "Return x" in label or "def clip" in label]


def test_every_mutant_is_another_program(cell):
    texts = [mutant.source for mutant in mutants(cell)]
    assert len(set(texts)) == len(texts)
    assert SOLUTION not in texts
    for text in texts:
        compile(text, "mutant", "exec")


def test_the_self_test_sorts_its_findings(notebooks, monkeypatch, tmp_path):
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    (tmp_path / "answers").mkdir()
    (tmp_path / "equivalent").mkdir()
    wrong = "#@ clip_solution off_by_one\ndef clip(x, top):\n    return top if x >= 6 else x\n"
    right = "#@ clip_solution loses\ndef clip(x, top):\n    return float('nan')\n"
    (tmp_path / "answers" / f"{ASSIGNMENT}_wrong.txt").write_text(wrong)
    (tmp_path / "answers" / f"{ASSIGNMENT}_right.txt").write_text(right)
    same = {"clip_solution": {"if x > top: -> if x >= top:": "Both return `top` for x = top."}}
    (tmp_path / "equivalent" / f"{ASSIGNMENT}.json").write_text(json.dumps(same))

    test = Selftest(ASSIGNMENT, notebooks=notebooks)
    result = test.results(test.judged(jobs=2))["clip"]
    assert result.survived == ["wrong: off_by_one"]
    assert result.lost == ["right: loses"]
    assert list(result.equivalent) == ["if x > top: -> if x >= top:"]
    assert result.tried["right"] == 2  # the solution is one of them
    assert result.tried["mutant"] == len(
        list(mutants(SolvedNotebook(ASSIGNMENT, notebooks).cells[0]))
    )


def test_a_name_that_is_not_the_mistake_is_a_finding():
    result = QuestionResult(points=4)
    answer = Answer("clip_solution", "one", "pass\n", "wrong", name="cuts_below")
    for names in (["cuts_below"], [], ["cuts_above"]):
        result.add(answer, judgement(named=names), {})
    assert result.misnamed == ["wrong: one: cuts_above"]


def test_points_lost_without_a_word_are_a_finding():
    result = QuestionResult(points=4)
    answer = Answer("clip_solution", "one", "pass\n", "wrong")
    result.add(answer, judgement(passes=True, messages=["Seven is cut to five."]), {})
    assert result.silent == []
    result.add(answer, judgement(passes=True), {})
    assert result.silent == ["wrong: one"]


def judgement(**known):
    from autograder.selftest.judging import Judgement

    return Judgement("clip", 2.0, 4.0, **known)


def test_equivalent_mutants_do_not_count():
    found = {"points": 4, "tried": {"mutant": 12}, "equivalent": {"a": "", "b": ""}}
    assert mutation_score([{**found, "survived": ["mutant: c", "wrong: d"]}]) == "90.0%"
    assert mutation_score([{"tried": {}, "equivalent": {}, "survived": []}]) == "–"


def test_the_table_has_a_row_for_each_question_and_a_total():
    empty = {"equivalent": {}, "survived": [], "lost": [], "misnamed": [], "silent": []}
    found = {name: {"points": 2, "tried": {"mutant": 5}, **empty} for name in ("a", "b")}
    rows = table(found).splitlines()
    assert rows[2].startswith("| `a` | 2 | 5 | 0 | 0 | 100.0% |")
    assert rows[4].startswith("| **total** | 4 | 10 | 0 | 0 | 100.0% |")


def test_answers_are_read_from_a_file(tmp_path):
    path = tmp_path / "answers.txt"
    path.write_text(
        "# About clip.\n#@ a_solution one\nx = 1\n\n#@ b_solution two is known\ny = 2\n"
    )
    assert read_answers(path, "wrong") == [
        Answer("a_solution", "one", "x = 1\n", "wrong"),
        Answer("b_solution", "two", "y = 2\n", "wrong", name="known"),
    ]


@pytest.mark.parametrize("text", ["x = 1\n#@ a one\n", "#@ a\nx = 1\n", "#@ a one is\n"])
def test_a_malformed_file_of_answers_is_reported(tmp_path, text):
    path = tmp_path / "answers.txt"
    path.write_text(text)
    with pytest.raises(UserError, match="`#@ CELL LABEL"):
        read_answers(path, "wrong")


def test_the_page_shows_what_the_other_tests_have_recorded(tmp_path):
    runs = tmp_path / "docs" / "runs"
    runs.mkdir(parents=True)
    (runs / "kills.json").write_text(
        '{"seed": 7, "students": 6, "grader": 20, "worker": 21, "sandbox": 22, "runs": 23}'
    )
    (runs / "hostile.json").write_text('{"submissions": 90, "ways": {"forked": [90, 1041]}}')
    (runs / "fuzz.json").write_text('{"frames": [123456, 600]}')
    page = write_page(tmp_path).read_text()
    assert "| 20 | 21 | 22 | 23 |" in page
    assert "| forked | 90 | 1,041 |" in page
    assert "| frames | 123,456 | 600 |" in page
