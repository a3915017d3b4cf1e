"""The rubric of a question: points and comments that are given again and again.

It is a plain file of the course, ``marking/<assignment>.json``, which may be edited by hand and
copied to the next course. What was given with an item stays as it is when the item changes.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

import jsonschema

from autograder.course import Course
from autograder.errors import UserError
from helpers.files import replacing

_SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["comment"],
            "properties": {
                "points": {"type": ["number", "null"]},
                "comment": {"type": "string", "minLength": 1},
            },
            "additionalProperties": False,
        },
    },
}


@dataclass(frozen=True)
class Item:
    """An item of a rubric.

    Attributes
    ----------
    comment
        What the student reads, in one line. No two items of a question have the same.
    points
        What it adds to the points, or takes off if negative; None if it is only a comment.
    """

    comment: str
    points: float | None = None

    @classmethod
    def read(cls, points: str, comment: str) -> Item:
        """Return the item that a person typed.

        Raises
        ------
        UserError
            If the points are not a number, or there is no comment.
        """
        try:
            number = float(points.replace(",", ".").replace("−", "-")) if points.strip() else None
        except ValueError:
            number = math.nan
        if number is not None and not math.isfinite(number):
            raise UserError("The points of an item must be a number, such as 2 or -1, or empty.")
        if not (line := " ".join(comment.split())):
            raise UserError("An item needs a comment, which the student reads.")
        return cls(line, number)


class Rubric:
    """The rubric items of an assignment, in their file.

    Parameters
    ----------
    assignment
    course
    """

    def __init__(self, assignment: str, course: Course) -> None:
        self.file = course.rubric(assignment)

    def items(self, question: str) -> list[Item]:
        """Return the items of a question, in the order of their keys.

        Raises
        ------
        UserError
            If the file is not what this class writes.
        """
        return [Item(**item) for item in self._all().get(question, [])]

    def add(self, question: str, item: Item) -> None:
        """Add an item at the end.

        Raises
        ------
        UserError
            If the question has one with the same comment.
        """
        items = self.items(question)
        if any(other.comment == item.comment for other in items):
            raise UserError("There is an item with this comment already.")
        self._write(question, [*items, item])

    def remove(self, question: str, comment: str) -> None:
        """Remove the item with a comment, if there is one."""
        self._write(question, [item for item in self.items(question) if item.comment != comment])

    def _all(self) -> dict[str, list[dict]]:
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
            jsonschema.validate(found, _SCHEMA)
        except FileNotFoundError:
            return {}
        except (ValueError, jsonschema.ValidationError) as error:
            reason = getattr(error, "message", error)
            raise UserError(
                f"{self.file} is not a rubric: {reason}. Correct it, or move it away, and load the "
                "page again; marks do not depend on it."
            ) from error
        return found

    def _write(self, question: str, items: list[Item]) -> None:
        everything = self._all() | {question: [asdict(item) for item in items]}
        with replacing(self.file) as new:
            new.write_text(
                json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
