"""What hidden-test cells import. A cell reaches student code through `student` and nothing else."""

from autograder.hidden import reference
from autograder.hidden.checks import Check, close, holds, same
from autograder.hidden.score import Score, score
from autograder.hidden.student import StudentError, gradient, student, value
from autograder.hidden.trained import trained

__all__ = [
    "Check",
    "Score",
    "StudentError",
    "close",
    "gradient",
    "holds",
    "reference",
    "same",
    "score",
    "student",
    "trained",
    "value",
]
