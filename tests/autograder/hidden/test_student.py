"""What a student reads about code that cannot answer: the function at fault is the one named."""

from pathlib import Path

import pytest

from autograder.hidden import student
from autograder.hidden.student import StudentError, Submission, asking
from autograder.sandbox.inside.responder import Responder

NOTEBOOK = """
def unwritten(x):
    raise NotImplementedError

def caller(x):
    return unwritten(x)

def lacks_a_name(x):
    return gone(x)

def wrong(x):
    return 1 / 0

class Block:
    def forward(self, x):
        raise NotImplementedError

    def twice(self, x):
        return self.forward(self.forward(x))
"""


@pytest.fixture(autouse=True)
def notebook():
    namespace = {}
    exec(NOTEBOOK, namespace)
    with asking(Submission(Responder(namespace).answer, Path())):
        yield namespace


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: student.unwritten(1), "`unwritten` is not written yet."),
        (lambda: student.caller(1), "`caller` uses `unwritten`, which is not written yet."),
        (
            lambda: student.lacks_a_name(1),
            "`lacks_a_name` uses `gone`, and there is no `gone`: its cell is missing, or stopped "
            "with an error.",
        ),
        (
            lambda: student.absent(1),
            "There is no `absent`: its cell is missing, or stopped with an error.",
        ),
        (lambda: student.wrong(1), "`wrong` stopped with ZeroDivisionError."),
        (lambda: student.Block().forward(1), "`forward` is not written yet."),
        (
            lambda: student.Block().twice(1),
            "`twice` uses `Block.forward`, which is not written yet.",
        ),
    ],
)
def test_the_message_names_what_is_missing(ask, message):
    with pytest.raises(StudentError) as raised:
        ask()
    assert str(raised.value) == message
