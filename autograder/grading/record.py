"""The record of a graded submission: what the grader noted, kept in the graded notebook.

Scores are kept in the gradebook. The record holds what the gradebook has no place for: how long
grading took, whether there was a sandbox, what the instructor should look at, and the reasons for
the score of each question.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from nbformat import NotebookNode

KEY = "autograder"
"""The record's key in the notebook's metadata."""


class NoRecord(ValueError):
    """A notebook holds no record written by our grader."""


@dataclass(frozen=True)
class NamedMisconception:
    """A known wrong solution that gave the same answers as the student's."""

    name: str
    explanation: str


@dataclass(frozen=True)
class QuestionRecord:
    """The score of one question, and the reasons for it.

    Attributes
    ----------
    score, points
        The points that the student earned, and those that the question is worth.
    messages
        What the student is told.
    misconceptions
        The known wrong solutions that agree with the answers.
    judged
        Whether the hidden test reached a result. If it did not, because of a fault in the test or a
        limit on the grader's own work, a person has to look, and `score` is zero until then.
    """

    score: float
    points: float
    messages: list[str] = field(default_factory=list)
    misconceptions: list[NamedMisconception] = field(default_factory=list)
    judged: bool = True


@dataclass
class Record:
    """What the grader noted about one submission.

    Attributes
    ----------
    seconds
        Wall time of grading.
    sandbox
        What student code ran in: ``"bubblewrap"``, or ``"none"`` if it ran unprotected.
    flags
        Reasons why the instructor should look at the submission.
    questions
        The questions that have a hidden test, by their ``grade_id``.
    answers
        A digest of the answer that each score in the gradebook belongs to, by ``grade_id``; see
        `autograder.grading.answers`.
    unreadable
        Why the submitted file is not a notebook; empty if it is one.
    """

    seconds: float = 0.0
    sandbox: str = "bubblewrap"
    flags: list[str] = field(default_factory=list)
    questions: dict[str, QuestionRecord] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    unreadable: str = ""

    def write(self, notebook: NotebookNode) -> None:
        """Put the record into the metadata of a notebook."""
        notebook.metadata[KEY] = asdict(self)

    @classmethod
    def read(cls, notebook: NotebookNode) -> Record:
        """Return the record that `write` put into a notebook.

        Raises
        ------
        NoRecord
            If there is none, or it does not have this form.
        """
        try:
            found: dict[str, Any] = notebook.metadata[KEY]
            return cls(
                seconds=float(found["seconds"]),
                sandbox=str(found["sandbox"]),
                flags=[str(flag) for flag in found["flags"]],
                questions={
                    str(name): _question(question) for name, question in found["questions"].items()
                },
                # Earlier versions of the grader did not write it.
                answers={str(k): str(v) for k, v in found.get("answers", {}).items()},
                unreadable=str(found.get("unreadable", "")),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise NoRecord("the notebook holds no record of our grader") from error


def _question(found: dict[str, Any]) -> QuestionRecord:
    return QuestionRecord(
        score=float(found["score"]),
        points=float(found["points"]),
        messages=[str(message) for message in found["messages"]],
        misconceptions=[
            NamedMisconception(str(named["name"]), str(named["explanation"]))
            for named in found["misconceptions"]
        ],
        judged=bool(found.get("judged", True)),  # earlier versions of the grader did not write it
    )
