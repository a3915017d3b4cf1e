"""The rubric is a plain file of the course: items come and go, and nothing else changes."""

import pytest

from autograder.course import Course
from autograder.errors import UserError
from autograder.marking.rubric import Item, Rubric


@pytest.fixture
def rubric(tmp_path):
    return Rubric("pruning", Course(tmp_path))


def test_items_keep_their_order_which_is_that_of_the_keys(rubric):
    items = [Item("Names the rate.", 1.0), Item("Too long.", -1.0), Item("Nice plot.")]
    for item in items:
        rubric.add("rates", item)
    rubric.add("other", Item("Elsewhere."))
    assert rubric.items("rates") == items
    rubric.remove("rates", "Too long.")
    assert rubric.items("rates") == [items[0], items[2]]
    assert rubric.items("other") == [Item("Elsewhere.")]


def test_the_file_is_plain_and_can_be_edited_by_hand(rubric):
    rubric.add("rates", Item("Schön: α = ½.", 0.5))
    text = rubric.file.read_text(encoding="utf-8")
    assert "Schön: α = ½." in text
    rubric.file.write_text(text.replace("0.5", "2"), encoding="utf-8")
    assert rubric.items("rates") == [Item("Schön: α = ½.", 2)]


def test_two_items_cannot_have_the_same_comment(rubric):
    rubric.add("rates", Item("Good.", 1.0))
    with pytest.raises(UserError, match="already"):
        rubric.add("rates", Item("Good.", 2.0))


@pytest.mark.parametrize("text", ["{", "[]", '{"rates": [{"points": 1}]}', '{"rates": [1]}'])
def test_a_damaged_file_is_one_sentence_and_is_kept(rubric, text):
    rubric.file.parent.mkdir()
    rubric.file.write_text(text)
    with pytest.raises(UserError, match="is not a rubric"):
        rubric.add("rates", Item("Good."))
    assert rubric.file.read_text() == text


@pytest.mark.parametrize(
    ("points", "comment", "item"),
    [
        ("2", " In\ntwo  lines ", Item("In two lines", 2.0)),
        ("-0,5", "Comma.", Item("Comma.", -0.5)),
        ("−1", "Minus sign.", Item("Minus sign.", -1.0)),
        ("+1", "Plus sign.", Item("Plus sign.", 1.0)),
        (" ", "Comment only.", Item("Comment only.")),
    ],
)
def test_items_are_read_as_people_type_them(points, comment, item):
    assert Item.read(points, comment) == item


@pytest.mark.parametrize(
    ("points", "comment"), [("two", "x"), ("nan", "x"), ("inf", "x"), ("1", " \n")]
)
def test_an_item_needs_a_number_and_a_comment(points, comment):
    with pytest.raises(UserError):
        Item.read(points, comment)
