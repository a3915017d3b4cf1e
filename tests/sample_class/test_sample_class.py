"""The sample class and what each submission in it gets, question by question."""

from html import escape

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.samples import chosen_misconceptions, sample_name

# One worker grades the class, and all tests that look at it run there.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.xdist_group("sample class"),
]

# The points that can be had without a person: written answers are graded by hand.
FULL = {
    "affine_quantize": 8,
    "affine_dequantize": 3,
    "affine_memory": 3,
    "affine_network": 5,
    "affine_accuracy": 3,
    "stochastic_rounding": 8,
    "stochastic_accuracy": 3,
    "ste_forward": 8,
    "ste_backward": 6,
    "ste_layer": 5,
    "ste_sweep": 5,
    "qat_4bit": 4,
    "qat_3bit": 4,
    "qat_2bit": 4,
    "mixed_layer_bits": 3,
    "mixed_average_precision": 5,
    "mixed_before": 3,
    "mixed_after": 6,
    "concept_ste": 2,
    "concept_mixed": 2,
    "concept_stochastic": 2,
    "bonus_nonzero": 3,
    "bonus_sparse_4bit": 2,
    "bonus_iterative": 5,
}
NOTHING = dict.fromkeys(FULL, 0)
TRAINED = [
    "qat_4bit",
    "qat_3bit",
    "qat_2bit",
    "mixed_after",
    "bonus_sparse_4bit",
    "bonus_iterative",
]
"""Judged by the submitted networks alone."""

FIRST_ANSWER = {"affine_quantize": 0, "affine_network": 0, "affine_accuracy": 0}
"""Lost with `quantize`, the first answer: what is built on it goes with it, and nothing else."""

# What differs from full points, sample by sample. A mistake costs its own question, and the
# questions that measure or build on the function with it.
EXPECTED = {
    "solution": {},
    "untouched": NOTHING,
    "misconception-steps-as-many-as-levels": {
        "affine_quantize": 2.67,
        "affine_network": 0,
        "affine_accuracy": 1,
    },
    "misconception-forgets-the-minimum": {
        "affine_dequantize": 1,
        "affine_network": 0,
        "affine_accuracy": 1,
    },
    "misconception-overhead-forgotten": {"affine_memory": 0},
    "misconception-one-scale-for-the-network": {"affine_network": 0, "affine_accuracy": 2},
    "misconception-still-rounds-to-nearest": {"stochastic_rounding": 3},
    "misconception-power-of-two-steps": {
        "ste_forward": 2,
        "ste_backward": 4,
        "ste_layer": 3,
        "ste_sweep": 2,
        "mixed_before": 1,
        "bonus_nonzero": 1.2,
    },
    "misconception-gradient-of-rounding": {"ste_backward": 2, "ste_layer": 4},
    "misconception-quantizes-the-input": {"ste_layer": 2, "ste_sweep": 2, "mixed_before": 0},
    "misconception-stages-from-zero": {"mixed_layer_bits": 1.35},
    "misconception-mean-over-layers": {"mixed_average_precision": 0.71},
    "misconception-zeros-in-the-range": {"bonus_nonzero": 2.1},
    "warns-on-stderr": {},
    "endless-loop": FIRST_ANSWER,
    "kernel-dies": FIRST_ANSWER,
    "forges-scores": NOTHING,
    "snoops-around": {},
    "test-cell-deleted": {},
    "test-cell-twice": {},
    "not-json": {name: 0 for name in FULL if name not in TRAINED},
    "without-artifacts": dict.fromkeys(TRAINED, 0),
}
FLAGS = {
    "endless-loop": "it took more than 20 s of processor time",
    "kernel-dies": "the kernel died",
    "test-cell-deleted": "the cell affine_quantize was missing; it was put back",
    "test-cell-twice": "the cell affine_quantize was there more than once",
    "not-json": "the submitted file is not a notebook: not JSON",
}
"""Why a person should look."""


@pytest.fixture(scope="module")
def grades(course):
    """Points of every sample, question by question, as the gradebook has them."""
    found = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for submission in gradebook.assignment_submissions("quantization"):
            (notebook,) = submission.notebooks
            found[submission.student.id] = {
                grade.name: grade.auto_score for grade in notebook.grades if grade.name in FULL
            }
    return found


def graded(course, sample):
    path = course / "autograded" / sample / "quantization" / "quantization.ipynb"
    return nbformat.read(path, as_version=4)


def test_the_class_is_the_one_expected(grades):
    assert set(grades) == set(EXPECTED)


@pytest.mark.parametrize("sample", EXPECTED)
def test_each_sample_gets_its_points(grades, sample):
    assert grades[sample] == FULL | EXPECTED[sample]


@pytest.mark.parametrize("sample", EXPECTED)
def test_a_person_is_asked_to_look_where_something_is_odd(course, sample):
    flags = " ".join(graded(course, sample).metadata.autograder.flags)
    if sample == "forges-scores":
        return  # its objects that answer anything may keep the public checks busy for ever
    assert FLAGS[sample] in flags if sample in FLAGS else not flags


@pytest.mark.parametrize(
    "wrong", chosen_misconceptions("quantization", every=False), ids=sample_name
)
def test_the_feedback_names_the_misconception(course, wrong):
    questions = graded(course, sample_name(wrong)).metadata.autograder.questions
    named = {m.name for verdict in questions.values() for m in verdict.misconceptions}
    assert named == {wrong.name}
    page = course / "feedback" / sample_name(wrong) / "quantization" / "quantization.html"
    assert escape(wrong.explanation.split("`")[0], quote=False) in page.read_text()


def test_written_answers_wait_for_a_person(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        notebook = gradebook.find_submission_notebook("quantization", "quantization", "solution")
        waiting = {grade.name for grade in notebook.grades if grade.needs_manual_grade}
    assert waiting == {
        "stochastic_comparison",
        "mixed_stage",
        "concept_ste_reason",
        "concept_mixed_reason",
        "concept_stochastic_reason",
    }


def test_the_snoop_finds_nothing(course):
    printed = [
        output.text
        for cell in graded(course, "snoops-around").cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.text.startswith("FOUND")
    ]
    assert printed == ["FOUND []\n"]


def test_no_feedback_page_shows_a_hidden_test(course):
    pages = list((course / "feedback").glob("*/quantization/quantization.html"))
    assert len(pages) == len(EXPECTED)
    for page in pages:
        text = page.read_text()
        assert "HIDDEN TESTS" not in text
        assert "from autograder.hidden import" not in text


def test_the_class_report_and_the_grades_are_there(course):
    page = (course / "report" / "quantization.html").read_text()
    grades = (course / "report" / "quantization.csv").read_text().splitlines()
    assert all(sample in page for sample in EXPECTED)
    assert len(grades) == 1 + len(EXPECTED)
