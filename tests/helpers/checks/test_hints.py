"""A student whose check has objected gets one hint after the other."""

import json
import sys
from types import ModuleType

import pytest

from helpers.checks.hints import Hints, has_hint
from helpers.checks.result import Wrong, public_check


@pytest.fixture
def file(tmp_path):
    """Return a file with the hints of one check."""
    entry = {
        "steps": ["Look at the sign.", "It is twice `x`."],
        "example": {"given": {"x": [1.0, 2.5], "bits": None}, "gives": {"y": [2.0, 5.0]}},
    }
    found = tmp_path / "hints.json"
    found.write_text(json.dumps({"double": entry}))
    return found


def test_each_call_shows_the_next_step_and_then_the_first_again(file):
    hint = Hints(file)
    shown = [repr(hint("double")) for _ in range(4)]
    assert shown[0] == "Hint 1 of 3 for double\n  Look at the sign."
    assert shown[1].startswith("Hint 2 of 3")
    assert shown[2] == (
        "Hint 3 of 3 for double\n"
        "  With `x = [1, 2.5]`, `bits = None`, the answer is `{'y': [2, 5]}`."
    )
    assert shown[3] == shown[0]


def test_each_check_has_its_own_place(file):
    hint = Hints(file)
    hint("double")
    assert "Hint 1 of 2" in repr(hint("accuracies"))  # those that assignments share
    assert "Hint 2 of 3" in repr(hint("double"))


def test_a_notebook_shows_a_box_without_live_html(file):
    html = Hints(file)("<b>no such check</b>")._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_an_unknown_name_is_answered_with_those_that_are_known(file):
    assert "There are hints for accuracies, repeats, trained, double." in repr(
        Hints(file)("dobule")
    )


def check_in(module):
    def double(found):
        yield "is twice 1"
        raise Wrong("It is 1.")

    double.__module__ = module
    return public_check("twice")(double)


def test_an_objection_says_how_to_get_a_hint(file, monkeypatch):
    module = ModuleType("checks_of_a_test")
    module.__file__ = str(file.with_name("checks.py"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    result = check_in(module.__name__)(1)
    assert repr(result).splitlines()[-2:] == [
        "    It is 1.",
        '    `checks.hint("double")` gives a hint.',
    ]
    assert "checks.hint(&quot;double&quot;)</code> gives a hint." in result._repr_html_()
    assert result.problem == "It is 1."


def test_without_hints_an_objection_names_none(file):
    assert "hint" not in repr(check_in(__name__)(1))
    assert not has_hint("double", "no.such.module")
