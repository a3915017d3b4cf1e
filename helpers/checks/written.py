"""The check of a written answer. Only its length matters."""

import json
from pathlib import Path

from helpers.checks.result import Claims, Wrong, public_check
from helpers.notebook_file import answer_text

EMPTY = "YOUR ANSWER HERE"  # nbgrader's text in the place of an answer


@public_check("length of the answer")
def words(question: str, at_most: int) -> Claims:
    """Count the words of a written answer in the saved notebook.

    Parameters
    ----------
    question
        Name of the question: the ``grade_id`` of the cell with the answer.
    at_most
        Number of words that the question allows.
    """
    yield "is in the saved notebook"
    answer = _answer(question)
    if answer is None:
        raise Wrong("The notebook is not in this folder, or lacks the cell of this answer.")
    if not answer.strip() or EMPTY in answer:
        raise Wrong("There is no answer yet. Once you have written one, save the notebook.")

    yield f"has at most {at_most} words"
    count = len(answer.split())
    if count > at_most:
        raise Wrong(
            f"The answer has {count} words, as the notebook was last saved. (A formula counts as "
            "a word for each of its parts between spaces.)"
        )


def _answer(question: str) -> str | None:
    """Return the answer in the first notebook of the current folder that has the question."""
    for path in sorted(Path().glob("*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            for cell in cells:
                marks = cell["metadata"].get("nbgrader", {})
                if marks.get("grade_id") == question:
                    return answer_text("".join(cell["source"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # not a notebook
    return None
