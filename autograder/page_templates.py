"""The templates of pages that are not made by nbconvert."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autograder.grading.question_box import points_text


def page_templates(folder: Path) -> Environment:
    """Return the templates in a folder, which escape every text that they are given.

    Their filter ``number`` writes points. A name that nobody has defined is an error.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = points_text
    return environment
