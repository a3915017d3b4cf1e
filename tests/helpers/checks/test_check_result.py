import warnings

import numpy as np
import pytest

from helpers.checks.answers import ask, expect, shown
from helpers.checks.result import CheckResult, public_check


@public_check("answer")
def answer_is_42(answer):
    yield "is a number"
    expect(isinstance(answer, int), f"`answer` is {answer}")
    yield "is 42"
    expect(answer == 42, "it is\nanother one")


def test_a_right_answer_fulfils_all_claims():
    result = answer_is_42(42)
    assert result
    assert repr(result) == "answer: all checks pass\n  ✓ is a number\n  ✓ is 42"


def test_the_first_claim_that_fails_is_explained():
    result = answer_is_42(41)
    assert not result
    assert repr(result) == (
        "answer: not right yet\n  ✓ is a number\n  ✗ is 42\n    it is\n    another one"
    )


def test_nothing_is_claimed_after_a_failure():
    assert repr(answer_is_42("x")) == ("answer: not right yet\n  ✗ is a number\n    `answer` is x")


def test_an_answer_that_cannot_be_checked_is_wrong():
    class Strange:
        def __eq__(self, other):
            raise RuntimeError("look away")

    @public_check("strange")
    def check(answer):
        yield "equals one"
        expect(answer == 1, "it does not")

    assert check(Strange()).problem == (
        "The answer has a form that cannot be checked (RuntimeError: look away)."
    )


def test_a_notebook_shows_a_box_with_the_same_text():
    html = answer_is_42(41)._repr_html_()
    for text in ("answer: not right yet", "is a number", "is 42", "it is<br>another one"):
        assert text in html


def test_code_in_backticks_is_set_as_code():
    html = answer_is_42("x")._repr_html_()
    assert ">answer</code> is x" in html
    assert "`" not in html


@pytest.mark.parametrize("field", ["name", "fulfilled", "failed", "problem", "warned", "hint"])
def test_no_text_of_a_student_becomes_html(field):
    evil = "<script>`<b>`</script>"
    texts = {"name": "n", "fulfilled": ("f",), "failed": "c", "problem": "p"}
    texts[field] = (evil,) if field in ("fulfilled", "warned") else evil
    html = CheckResult(**texts)._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html


def problem_of(function, *args):
    @public_check("function")
    def check():
        yield "can be called"
        ask("function(x)", function, *args)

    return check().problem


def test_a_function_that_is_not_written_yet_is_reported_as_such():
    def function():
        raise NotImplementedError

    assert problem_of(function).startswith("`function(x)` is not written yet")


def test_an_error_is_reported_with_its_line():
    def function():
        nothing = None
        return nothing.shape

    assert problem_of(function) == (
        "`function(x)` stopped with AttributeError: 'NoneType' object has no attribute 'shape'\n"
        "in the line `return nothing.shape`."
    )


def test_an_error_inside_a_library_is_reported_with_the_line_that_called_it():
    import numpy as np

    def function():
        return np.concatenate([np.zeros(2), np.zeros((2, 2))])

    assert problem_of(function).endswith(
        "in the line `return np.concatenate([np.zeros(2), np.zeros((2, 2))])`."
    )


def test_a_long_error_is_shortened():
    def function():
        raise ValueError("many words " * 1000)

    assert len(problem_of(function)) < 450


def test_an_error_about_wrong_arguments_names_no_line():
    assert problem_of(lambda a, b: None, 1).endswith("missing 1 required positional argument: 'b'.")


def test_what_is_not_a_function_cannot_be_called():
    assert problem_of(None) == "`function(x)` needs a function or a class, but this is None."


def test_arrays_are_shown_as_lists_of_short_numbers():
    import numpy as np

    assert shown(np.array([[-1.0, 1 / 3], [-0.0, 2e9]])) == "[[-1, 0.3333], [0, 2e+09]]"


def test_a_warning_is_said_in_a_sentence_after_the_result():
    @public_check("ratio")
    def check(function):
        yield "is a number"
        for _ in range(2):
            function(np.zeros(1))

    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        result = check(lambda x: x / x)
    assert shown == []
    assert repr(result).splitlines()[-1] == (
        "  ! While it ran, there was a warning: "
        "RuntimeWarning: invalid value encountered in divide."
    )
    assert "invalid value encountered in divide." in result._repr_html_()
