"""The picture and the table of a training."""

import base64
import re
import time
from xml.etree import ElementTree

import pytest

from helpers.course_runs import CourseRuns
from helpers.curve import BLUE, GREY, ORANGE, headline, html, svg, table_text
from helpers.history import History

COURSE = CourseRuns(count=3, epochs=4, lowest=0.91, highest=0.92)


def history(epochs):
    accuracy = [0.5 + 0.4 * epoch / epochs for epoch in range(epochs)]
    return History(
        train_loss=[2.0 / (1 + epoch) for epoch in range(epochs)],
        train_accuracy=accuracy,
        test_accuracy=[value - 0.05 for value in accuracy],
        learning_rate=[0.1] * epochs,
        seconds=[12.5] * epochs,
    )


def picture(page):
    """Return the parsed picture of a page."""
    return ElementTree.fromstring(base64.b64decode(re.search(r"base64,([^\"]+)", page)[1]))


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colour", [GREY, BLUE, ORANGE])
@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
def test_each_colour_can_be_told_from_a_light_and_from_a_dark_page(colour, ground):
    dark, light = sorted((luminance(colour), luminance(ground)))
    assert (light + 0.05) / (dark + 0.05) > 3.9


def test_the_newest_figures_are_the_text_of_the_picture_for_a_screen_reader():
    page = html(history(3), 4, None, finished=False)
    newest = "Epoch 3 of 4: training loss 0.6667, training accuracy 0.7667, test accuracy 0.7167."
    assert headline(history(3), 4) == newest
    assert f'alt="{newest}"' in page
    assert picture(page).get("aria-label") == newest


def test_axes_have_names_and_each_line_its_own():
    said = [text.text for text in picture(html(history(3), 4, None, finished=False)).iter()]
    assert {"training loss", "accuracy", "epoch", "training", "test"} <= set(said)
    assert "the course's runs ended here" not in said


def test_the_band_lies_where_the_runs_of_the_course_ended():
    (shape, swatch) = (
        each for each in ElementTree.fromstring(svg(history(3), 4, COURSE)) if "rect" in each.tag
    )
    top, height = float(shape.get("y")), float(shape.get("height"))
    # The axis goes from 0.4 to 1 over 150 pixels from 34.
    assert top == pytest.approx(34 + 150 * (1 - 0.92) / 0.6 - 1, abs=0.1)
    assert height == pytest.approx(150 * 0.01 / 0.6 + 2, abs=0.1)
    assert swatch.get("fill") == shape.get("fill")


def test_the_page_says_how_the_runs_of_the_course_ended():
    page = html(history(3), 4, COURSE, finished=False)
    assert "3 runs ended between 0.9100 and 0.9200 after 4 epochs." in page
    assert str(CourseRuns(1, 1, 0.5, 0.5)) == "The course's run ended at 0.5000 after one epoch."


def test_the_table_has_the_last_epochs_and_the_best_one():
    found = history(9)
    found.test_accuracy[1] = 0.99
    rows = table_text(found).splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [
        ["best", "2"],
        ["7", "0.2857"],
        ["8", "0.2500"],
        ["9", "0.2222"],
    ]


def test_only_a_finished_training_has_the_table_of_all_epochs():
    assert "<details>" not in html(history(9), 9, None, finished=False)
    page = html(history(9), 9, None, finished=True)
    assert page.partition("<details>")[2].count("<tr>") == 1 + 9


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_the_first_epochs_can_be_drawn(epochs):
    assert ElementTree.fromstring(svg(history(epochs), 2, COURSE)).tag.endswith("svg")


def test_a_loss_that_is_not_a_number_is_left_out():
    found = history(3)
    found.train_loss[1:] = [float("inf"), float("nan")]
    assert "inf" not in svg(found, 3, None).replace(headline(found, 3), "")
    assert "nan" not in svg(found, 3, None).replace(headline(found, 3), "")


def test_a_long_training_gives_a_picture_of_limited_size():
    assert len(html(history(20_000), 20_000, COURSE, finished=True)) < 40_000


def test_drawing_a_picture_takes_less_than_20_ms():
    # An epoch of `quick` takes seconds, so that this is well below 1 % of it. The best of several
    # tries, because other tests run at the same time.
    found, best = history(100), float("inf")
    for _ in range(20):
        started = time.perf_counter()
        html(found, 100, COURSE, finished=False)
        best = min(best, time.perf_counter() - started)
    assert best < 0.02
