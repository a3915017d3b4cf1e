"""Notebooks that the schema refuses, because an editor wrote them so, are read all the same."""

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading.intake.repaired_notebook import repaired

CODE = {"cell_type": "code", "id": "a", "source": ["x = 1\n", "x"], "metadata": {}}
CODE |= {"outputs": [], "execution_count": 3}
TEXT = {"cell_type": "markdown", "id": "b", "source": "Because.", "metadata": {}}


def notebook(*cells, **more):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | more


def without(cell, key):
    return {name: value for name, value in cell.items() if name != key}


FAULTS = {
    "nothing": notebook(CODE, TEXT),
    "no outputs": notebook(without(CODE, "outputs"), TEXT),
    "no execution count": notebook(without(CODE, "execution_count"), TEXT),
    "an output without its parts": notebook(CODE | {"outputs": [{"output_type": "stream"}]}, TEXT),
    "outputs that are null": notebook(CODE | {"outputs": None}, TEXT),
    "no ids": notebook(without(CODE, "id"), without(TEXT, "id")),
    "ids in minor version 4": notebook(CODE, TEXT, nbformat_minor=4),
    "the same id twice": notebook(CODE, TEXT | {"id": "a"}),
    "an id with spaces": notebook(CODE | {"id": "a b"}, TEXT),
    "an id that is null": notebook(CODE | {"id": None}, TEXT),
    "no metadata of a cell": notebook(without(CODE, "metadata"), TEXT),
    "metadata that are null": notebook(CODE | {"metadata": None}, TEXT, metadata=None),
    "a tag that is no text": notebook(CODE | {"metadata": {"tags": [1], "collapsed": 3}}, TEXT),
    "outputs of a text": notebook(CODE, TEXT | {"outputs": [], "execution_count": None}),
    "attachments that are null": notebook(CODE, TEXT | {"attachments": None}),
    "a kernel without a name": notebook(CODE, TEXT, metadata={"kernelspec": {}}),
    "no version": without(without(notebook(CODE, TEXT), "nbformat"), "nbformat_minor"),
    "a version as text": notebook(CODE, TEXT, nbformat="4"),
    "a version to come": notebook(CODE, TEXT, nbformat=5),
    "another entry": notebook(CODE | {"colab": {}}, TEXT, colab={}),
    "an entry that is no cell": notebook(CODE, None, TEXT),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_text_of_every_cell_is_kept(fault):
    found = repaired(FAULTS[fault])
    nbformat.validate(found)
    assert [(cell.cell_type, cell.source) for cell in found.cells] == [
        ("code", "x = 1\nx"),
        ("markdown", "Because."),
    ]


def test_metadata_and_attachments_of_a_cell_are_kept():
    marks = {"nbgrader": {"grade_id": "q"}}
    image = {"figure.png": {"image/png": "AAAA"}}
    found = repaired(notebook(CODE | {"metadata": marks}, TEXT | {"attachments": image}))
    assert found.cells[0].metadata == marks
    assert found.cells[1].attachments == image


def test_ids_that_are_allowed_are_kept():
    found = repaired(notebook(CODE, TEXT, CODE, TEXT | {"id": "cell-2"}))
    ids = [cell.id for cell in found.cells]
    assert ids[:2] == ["a", "b"]
    assert len(set(ids)) == 4


def test_a_cell_of_an_unknown_type_becomes_raw_text():
    found = repaired(notebook(CODE | {"cell_type": "sql"}))
    assert found.cells[0].cell_type == "raw"
    assert found.cells[0].source == "x = 1\nx"


def test_a_notebook_of_version_3_is_converted():
    cells = [
        {"cell_type": "code", "input": "x = 1", "language": "python", "outputs": []},
        {"cell_type": "heading", "level": 2, "source": "Why"},
    ]
    old = {"worksheets": [{"cells": cells}], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}
    found = repaired(old)
    nbformat.validate(found)
    assert [cell.source for cell in found.cells] == ["x = 1", "## Why"]


@pytest.mark.parametrize("data", [[], 3, None, "text", {}, {"cells": 3}, {"cells": {"a": 1}}])
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError, match="no list of cells"):
        repaired(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = ("cell_type", "id", "source", "metadata", "outputs", "execution_count", "attachments")
CELL = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON)) | st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"])},
    optional=dict.fromkeys(FIELDS[1:], JSON),
)


@given(st.lists(CELL | JSON, max_size=4))
def test_whatever_the_cells_are_the_result_is_a_valid_notebook(cells):
    nbformat.validate(repaired(notebook(*cells)))
