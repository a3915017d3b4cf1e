"""Every question of the course documents is a question of a notebook."""

import re
from pathlib import Path

import pytest
from source_notebook import cells, marks

PAGE = Path(__file__).parents[1] / "docs" / "documents.md"
PLACE = re.compile(r"`(\w+)`: (`[\w-]+`(?:, `[\w-]+`)*)")


def parts(name, letters):
    return [f"{name}{letter}" for letter in letters]


# What the documents ask, by their own numbers; read from the documents, not from the page.
ASKED = {
    "Homework 3": [
        *[f"1.{n}" for n in range(1, 6)],
        *parts("Lab 1", "abcdef"),
        *parts("Lab 2", "abcd"),
        *parts("Lab 3", "abcde"),
        "Lab 4",
    ],
    "Homework 4, 2020": [
        *[f"1.{n}" for n in range(1, 11)],
        *parts("Lab 1", "abcdefg"),
        *parts("Lab 2", "abcdef"),
    ],
    "Homework 4, 2021": [
        *[f"1.{n}" for n in range(1, 11)],
        *parts("Lab 1", "abcdef"),
        *parts("Lab 2", "abcde"),
        *parts("Lab 3", "abcde"),
    ],
    "Problem set": [
        f"{part}.{n}"
        for part, count in {
            **{"1.1": 4, "1.2": 4, "2.1": 4, "2.2": 4, "2.3": 1, "3.1": 1, "3.2": 2, "3.3": 4},
            **{"3.4": 5, "4.1": 3, "4.2": 1, "5.1": 2, "6.1": 3, "6.2": 3},
        }.items()
        for n in range(1, count + 1)
    ],
}


def rows():
    """Return the rows of the page's tables: document, question, and where it is."""
    document, found = None, []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            document = line.removeprefix("## ")
        elif line.startswith("| ") and not line.startswith("| question"):
            question, _, where = (cell.strip() for cell in line.strip("|").split("|"))
            found.append((document, question, where))
    return found


ROWS = rows()


@pytest.mark.parametrize("document", ASKED)
def test_the_page_has_every_question_once_and_in_order(document):
    assert [question for name, question, _ in ROWS if name == document] == ASKED[document]


@pytest.mark.parametrize(("document", "question", "where"), ROWS)
def test_every_question_leads_to_cells_that_exist(document, question, where):
    for place in where.split("; "):
        assignment, names = PLACE.fullmatch(place).groups()
        known = {marks(cell).get("grade_id") for cell in cells(assignment)}
        known |= {cell.id for cell in cells(assignment)}
        assert set(re.findall(r"[\w-]+", names)) <= known
