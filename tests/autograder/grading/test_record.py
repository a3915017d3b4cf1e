"""The record of a submission is read as it was written, or reported as missing."""

import nbformat
import pytest
from nbformat.v4 import new_notebook

from autograder.grading.record import NamedMisconception, NoRecord, QuestionRecord, Record

RECORD = Record(
    seconds=12.5,
    sandbox="none",
    flags=["cell 7: the kernel died"],
    questions={
        "a": QuestionRecord(2.5, 4.0, ["got 4"], [NamedMisconception("squares", "You square.")])
    },
)


def test_a_record_is_read_as_it_was_written_even_from_a_file(tmp_path):
    notebook = new_notebook()
    RECORD.write(notebook)
    nbformat.write(notebook, tmp_path / "graded.ipynb")
    assert Record.read(nbformat.read(tmp_path / "graded.ipynb", as_version=4)) == RECORD


def test_a_notebook_that_nobody_graded_has_no_record():
    with pytest.raises(NoRecord):
        Record.read(new_notebook())


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": "long"},
        {"flags": None},
        {"questions": []},
        {"questions": {"a": {"score": 1.0}}},
        {"questions": {"a": 3}},
    ],
)
def test_a_malformed_record_counts_as_missing(change):
    notebook = new_notebook()
    RECORD.write(notebook)
    notebook.metadata["autograder"].update(change)
    with pytest.raises(NoRecord):
        Record.read(notebook)
