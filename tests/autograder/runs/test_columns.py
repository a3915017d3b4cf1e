"""A table for a terminal fits its width, and shows the most important columns."""

import pytest

from autograder.references import FROZEN
from autograder.runs.columns import Column, table
from autograder.runs.show import shown
from autograder.runs.table import experiments

NAME = Column("name", ["one_of_two", "b"], least=5)
FIGURE = Column("figure", ["0.5", "0.25"], right=True)
NOTE = Column("note", ["a long remark in words", "short"], least=8)


def test_numbers_are_at_the_right_and_words_at_the_left():
    assert table([NAME, FIGURE], 80).splitlines() == [
        "name        figure",
        "----------  ------",
        "one_of_two     0.5",
        "b             0.25",
    ]


def test_a_column_for_which_there_is_no_room_is_left_out():
    assert "note" not in table([NAME, FIGURE, NOTE], 18)


def test_a_long_text_is_wrapped_where_there_is_little_room():
    lines = table([NAME, FIGURE, NOTE], 32).splitlines()
    assert max(map(len, lines)) <= 32
    assert lines[2].endswith("a long")
    assert lines[3].strip() == "remark in"


def test_a_long_name_is_wrapped_as_well():
    assert table([NAME, FIGURE], 13).splitlines()[2:4] == ["one_o     0.5", "f_two"]


def test_a_column_without_text_is_left_out():
    assert "nothing" not in table([NAME, Column("nothing", ["", ""]), FIGURE], 80)


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("profile", ["quick", "full"])
def test_the_results_fit_the_terminal(profile, width, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    lines = shown(profile, width).splitlines()
    assert lines.pop() == f"More, with figures: {FROZEN / profile / 'README.md'}"
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert all(e.name in text for e in experiments() if e.assignment == "pruning")
    assert ("recipe" in text) == (width == 140)
