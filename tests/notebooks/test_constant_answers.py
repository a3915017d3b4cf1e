"""An answer that is the same whatever it is asked earns nothing."""

import pytest
from source_notebook import graded, judged, questions

from autograder.samples.dependencies import asked_names


class Zero(float):
    """Zero, whatever is done with it: called, compared or subtracted."""

    def __call__(self, *args, **kwargs):
        return Zero(0)

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return Zero(0)

    __hash__ = float.__hash__
    __rsub__ = __sub__


ASKING = [
    (assignment, question, names)
    for assignment, question in questions(written=False)
    if (names := asked_names([graded(assignment, question)]))
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


@pytest.mark.parametrize(("assignment", "question", "names"), ASKING)
def test_zero_is_no_answer(assignment, question, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert judged(assignment, question, dict.fromkeys(names, Zero(0))).points == 0
