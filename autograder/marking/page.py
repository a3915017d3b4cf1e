"""The pages: an overview of the questions, and all answers to one of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from autograder.grading.question_box import points_text
from autograder.grading.safe_html import markdown_html
from autograder.marking.answers import Answer, Answers
from autograder.marking.groups import grouped
from autograder.marking.questions import WrittenQuestion
from autograder.marking.rubric import Item
from autograder.page_templates import page_templates

TEMPLATES = Path(__file__).parent / "templates"

SHOWN = 20_000
"""How many characters of an answer are shown; the longest model answer has 1,400."""
SECONDS = 1.0
"""Limit on the processor time of formatting one answer, which takes some milliseconds."""
MARKS = 10_000
"""Limit on the tags and entities of one answer; the longest model answer has 200."""


@dataclass(frozen=True)
class Progress:
    """How far the marking of a question is."""

    question: WrittenQuestion
    answers: Answers


def overview(assignment: str, progress: Sequence[Progress]) -> str:
    """Return the page with all written questions of an assignment."""
    return (
        _templates()
        .get_template("overview.html.j2")
        .render(
            assignment=assignment,
            progress=progress,
            marked=sum(each.answers.marked for each in progress),
            answers=sum(len(each.answers.found) for each in progress),
            missing=max(each.answers.missing for each in progress),
        )
    )


def question_page(
    assignment: str,
    questions: Sequence[WrittenQuestion],
    question: WrittenQuestion,
    answers: Answers,
    items: Sequence[Item],
) -> str:
    """Return the page on which all answers to a question are marked."""
    place = questions.index(question)
    groups = grouped(answers.found)
    shown = [answer for group in groups for answer in group.answers]
    return (
        _templates()
        .get_template("question.html.j2")
        .render(
            assignment=assignment,
            question=question,
            before=questions[place - 1] if place else None,
            after=questions[place + 1] if place + 1 < len(questions) else None,
            groups=groups,
            numbers={answer.key: number for number, answer in enumerate(shown, start=1)},
            marked=answers.marked,
            missing=answers.missing,
            items=json.dumps([asdict(item) for item in items]),
        )
    )


def standing(answer: Answer) -> dict[str, Any]:
    """Return what the page's script has to know about the mark of an answer."""
    mark = answer.standing.mark
    return {
        "points": mark.points,
        "typed": "" if mark.points is None else points_text(mark.points),
        "comment": mark.comment,
        "automatic": answer.standing.automatic,
        "waits": answer.standing.waits,
    }


@cache
def _templates() -> Environment:
    environment = page_templates(TEMPLATES)
    environment.filters["markdown"] = lambda text: Markup(markdown_html(text, SECONDS, MARKS))
    environment.filters["answer"] = _answer
    environment.filters["cut"] = _cut
    environment.filters["standing"] = lambda answer: json.dumps(standing(answer))
    return environment


def _answer(answer: Answer) -> Markup:
    written = answer.written
    return Markup(markdown_html(_cut(written.text), SECONDS, MARKS, written.attachments))


def _cut(text: str) -> str:
    left_out = len(text) - SHOWN
    if left_out <= 0:
        return text
    return f"{text[:SHOWN]}\n\n[{left_out:,} more characters are left out here.]"
