"""A verdict is compared with the key, and nothing but True and False is a verdict."""

from pathlib import Path

import pytest

from autograder.hidden import student, verdict
from autograder.hidden.student import Submission, asking
from autograder.sandbox.inside.responder import Responder

HINT = "Think of a layer without weights."


def judged(answer, key):
    with asking(Submission(Responder({"verdict_layers": answer}).answer, Path())):
        return verdict(student.verdict_layers, key, hint=HINT)


@pytest.mark.parametrize("key", [True, False])
def test_the_right_verdict_gets_full_credit(key):
    check = judged(key, key)
    assert (check.credit, check.message) == (1, "")


@pytest.mark.parametrize("key", [True, False])
def test_the_wrong_verdict_gets_nothing_but_the_hint(key):
    check = judged(not key, key)
    assert (check.label, check.credit, check.message) == ("verdict", 0, HINT)


@pytest.mark.parametrize(("answer", "key"), [(1, True), (0, False), (None, False), ("True", True)])
def test_what_is_neither_true_nor_false_is_no_verdict(answer, key):
    assert judged(answer, key).credit == 0


def test_a_missing_verdict_is_named():
    with asking(Submission(Responder({}).answer, Path())):
        check = verdict(student.verdict_layers, True, hint=HINT)
    assert (check.credit, "There is no `verdict_layers`" in check.message) == (0, True)
