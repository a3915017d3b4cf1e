"""The result box under a graded test."""

import pytest

from autograder.grading.question_box import GradedCheck, in_points, points_text, prose, question_box


def test_the_points_are_in_the_heading():
    assert "5 of 8 points" in question_box(5.0, 8, [])
    assert "0.67 of 1 point<" in question_box(2 / 3, 1.0, [])


@pytest.mark.parametrize(("credit", "mark"), [(1.0, "✓"), (0.5, "◐"), (0.0, "✗")])
def test_a_mark_tells_whether_a_check_was_right(credit, mark):
    html = question_box(credit, 1, [("the grid", credit, "")])

    assert [m for m in "✓◐✗" if m in html] == [mark]


def test_a_screen_reader_hears_what_the_mark_shows():
    assert 'aria-label="partly right"' in question_box(1, 2, [("the grid", 0.5, "")])


def test_label_message_and_explanation_are_shown():
    html = question_box(
        0, 8, [GradedCheck("3 bits", 0.0, "0 of 6 cases right", "You cut off the fraction.")]
    )

    assert "<b>3 bits</b>: 0 of 6 cases right" in html
    assert "You cut off the fraction." in html


def test_an_explanation_that_two_checks_share_is_shown_once():
    html = question_box(
        0, 8, [GradedCheck(label, 0.0, "", "You cut it off.") for label in ("3 bits", "4 bits")]
    )

    assert html.count("You cut it off.") == 1


def test_texts_are_escaped():
    attack = "<script>alert('x')</script>"

    html = question_box(0, 8, [GradedCheck(attack, 0.0, attack, attack)])

    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 3


def test_backticks_become_code_and_lines_stay_lines():
    html = prose("write `w < 0`\nor not")

    assert ">w &lt; 0</code><br>or not" in html


@pytest.mark.parametrize(("points", "text"), [(8.0, "8"), (2.5, "2.5"), (20 / 3, "6.67"), (0, "0")])
def test_points_are_written_as_a_person_would(points, text):
    assert points_text(points) == text


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (1.0, "1 point"),
        (0.999, "1 point"),
        (0.5, "0.5 points"),
        (0.0, "0 points"),
        (21.0, "21 points"),
    ],
)
def test_one_point_is_singular(points, text):
    assert in_points(points) == text
