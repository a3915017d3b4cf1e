"""Pictures come from the cell of the hand-in with the same text, and anything else is ignored."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading.intake.pictures import MISSING, PNG, pictures_in, with_pictures

FIGURE = {
    "output_type": "display_data",
    "data": {"text/plain": "<Figure size 640x480 with 1 Axes>"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["data", PNG, "source"]), inner)
    ),
)


def drawn(*pictures):
    return [{"output_type": "display_data", "data": {PNG: picture}} for picture in pictures]


def test_pictures_are_found_by_the_text_of_their_cell(tmp_path):
    cells = [
        {"cell_type": "code", "source": ["plt.plot(x)\n", "plt.show()"], "outputs": drawn("AAAA")},
        {"cell_type": "code", "source": "plt.plot(y)", "outputs": drawn("BBBB", ["CC", "CC"])},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"data": {"text/plain": "2"}}]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert pictures_in(path) == {
        "plt.plot(x)\nplt.show()": ["AAAA"],
        "plt.plot(y)": ["BBBB", "CCCC"],
    }


def test_figures_get_the_pictures_in_order_and_say_where_one_is_missing():
    text = {"output_type": "stream", "name": "stdout", "text": "<Figure size 1x1>"}
    first, same, second, third = with_pictures([FIGURE, text, FIGURE, FIGURE], ["AAAA", "BBBB"])
    assert (first["data"][PNG], second["data"][PNG]) == ("AAAA", "BBBB")
    assert same == text
    assert third["data"] == {"text/plain": MISSING}


@pytest.mark.parametrize("text", ["", "not json", "[1", '{"cells": 3}', "[" * 100_000, "\udc80"])
def test_a_file_that_is_no_notebook_has_no_pictures(text, tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert pictures_in(path) == {}
    assert pictures_in(tmp_path) == pictures_in(tmp_path / "missing") == {}


@given(st.lists(JSON))
def test_outputs_of_any_form_are_left_as_they_are(outputs):
    assert with_pictures(outputs, ["AAAA"]) == outputs


@given(JSON)
def test_cells_of_any_form_are_read(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("any") / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    for pictures in pictures_in(path).values():
        assert all(isinstance(picture, str) for picture in pictures)
