"""Answers that are nearly the same stand together, and nobody's answer is left out."""

import random

import pytest

from autograder.marking.answers import Answer, Written
from autograder.marking.groups import grouped
from autograder.marking.marks import Mark, Standing

OWN = "The rate 0.1 is best: 0.0001 makes little progress in 400 steps, and 1.0 overshoots at once."
SAME = [
    OWN,
    "the rate 0.1 is best; 0.0001 makes little progress in 400 steps and 1.0 overshoots at once",
    "The rate of 0.1 is best: 0.0001 makes little progress in 400 steps; 1.0 overshoots at once!",
]
OTHER = [
    "I like the smallest rate, because its curve is smooth.",
    "All of them diverge, since the batch is too large for this network.",
    "Steps of one overshoot, tiny ones creep; a tenth lies between the two.",
]
EMPTY = ["", "  \n", "YOUR ANSWER HERE"]


def answer(text, number=0):
    return Answer(str(number), f"s{number}", Written(text), (), Standing(Mark(), None, True))


def texts(*found):
    return [
        {answer.written.text for answer in group.answers}
        for group in grouped([answer(text, number) for number, text in enumerate(found)])
    ]


def test_answers_that_differ_in_punctuation_and_a_word_are_one_group():
    assert texts(*SAME, *OTHER) == [set(SAME), set(OTHER)]


def test_empty_answers_come_first_then_the_largest_group_then_the_others():
    pair = {OTHER[0], f"{OTHER[0]}!"}
    assert texts(*pair, *OTHER[1:], *SAME, *EMPTY) == [
        set(EMPTY),
        set(SAME),
        pair,
        set(OTHER[1:]),
    ]


def test_the_same_topic_in_other_words_is_not_a_group():
    opposite = "The best rate is 1.0, as 0.1 makes little progress and 0.0001 none."
    [group] = grouped([answer(OWN, 0), answer(opposite, 1)])
    assert not group.alike


@pytest.mark.parametrize("text", ["💥", "   .", "\x00", "a" * 2_000_000, "$$ x $$", "the"])
def test_any_text_can_be_compared(text):
    found = grouped([answer(text, 0), answer(OWN, 1), answer(text, 2)])
    assert sorted(a.key for group in found for a in group.answers) == ["0", "1", "2"]
    assert len(found[0].answers) == 2


def test_a_class_without_answers_has_no_groups():
    assert grouped([]) == []


def test_one_answer_is_alone():
    [group] = grouped([answer(OWN)])
    assert (group.title, group.alike) == ("All answers", False)


def test_a_large_class_is_grouped_with_every_answer_once():
    words = ["rate", "step", "loss", "small", "large", "best", "plateau", "noise", "batch", "sharp"]
    draw = random.Random(3)
    several = [answer(" ".join(draw.choices(words, k=40)), number) for number in range(300)]
    found = grouped(several)
    assert sorted(a.key for group in found for a in group.answers) == sorted(a.key for a in several)
