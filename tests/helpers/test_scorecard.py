"""The scorecard says of each question whether it is answered and what its checks say."""

import json
import os
import time
from types import SimpleNamespace

import pytest
from fake_colab import FakeColab

from helpers import kernel_runs, scorecard
from helpers.checks.result import Wrong, public_check
from helpers.notebook_file import Notebook
from helpers.scorecard import check_all, show_answered

EMPTY = "# YOUR CODE HERE\nraise NotImplementedError()"


def marks(name, *, points=None, solution=False):
    found = {"schema_version": 3, "grade_id": name, "solution": solution, "locked": not solution}
    found |= {"grade": points is not None, "task": False}
    return {"nbgrader": found if points is None else {**found, "points": points}}


def code(source, metadata=None):
    cell = {"cell_type": "code", "metadata": metadata or {}, "source": source}
    return {**cell, "execution_count": None, "outputs": []}


def question(title, name, answer, points, check=None):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": f"### {title} ({points} points)\n"},
        code(answer, metadata=marks(f"{name}_solution", solution=True)),
    ]
    if check:
        cells.append(code(check))
    return [*cells, code("", metadata=marks(name, points=points))]


class Checks:
    """The public checks of an assignment."""

    @staticmethod
    @public_check("half")
    def half(found):
        print("printed by a check")
        yield "half of 2 is 1"
        if found != 1:
            raise Wrong(f"`half` is {found}.")


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Save a notebook with these questions; return its scorecard, given the kernel's names."""
    monkeypatch.delenv("COURSE_GRADING", raising=False)

    def card(*questions, **names):
        cells = [cell for cells in questions for cell in cells]
        saved = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        (tmp_path / "small.ipynb").write_text(json.dumps(saved))
        monkeypatch.setattr(scorecard, "_namespace", lambda: {"checks": Checks, **names})
        return check_all("small", tmp_path)

    return card


def test_every_state_of_a_question(notebook, capsys):
    card = notebook(
        question("1.1 Half", "half", "half = 1", 4, "checks.half(half)"),
        question("1.2 Wrong half", "wrong", "wrong = 2", 3, "checks.half(wrong)"),
        question("1.3 Not run", "unrun", "unrun = 1", 2, "checks.half(unrun)"),
        question("2.1 Empty", "empty", EMPTY, 1.5),
        question("2.2 Reasons", "reasons", "reasons = 1", 0.5),
        half=1,
        wrong=2,
    )
    assert repr(card).splitlines() == [
        "9.5 of 11 points attempted; empty: 2.1",
        "  ✓ 1.1 Half (4 points): checks pass",
        "  ✗ 1.2 Wrong half (3 points): not right yet",
        "      `half` is 2.",
        "  ✗ 1.3 Not run (2 points): not right yet",
        "      `unrun` does not exist yet: run the cells of this question.",
        "  ○ 2.1 Empty (1.5 points): empty",
        "  – 2.2 Reasons (0.5 points): no public check",
    ]
    assert capsys.readouterr().out == ""


def test_the_checks_of_a_question_are_told_apart_unless_the_title_names_them(notebook):
    both = "checks.half(one)\nchecks.half(two)"
    said = repr(
        notebook(
            question("1.1 Parts", "parts", "one, two = 1, 2", 4, both),
            question("1.2 One half", "halves", "one, two = 1, 2", 4, both),
            one=1,
            two=2,
        )
    )
    assert "not right yet\n      half: `half` is 2." in said
    assert "not right yet\n      `half` is 2." in said


def test_a_question_that_is_partly_empty_says_how_much(notebook):
    cells = question("1.1 Half?", "half", "half = 1", 1) + question("", "why", EMPTY, 2)[1:]
    assert "(3 points): empty\n      2 of 3 points are empty." in repr(notebook(cells, half=1))


def test_titles_lead_to_their_headings_and_text_is_escaped(notebook):
    cells = question("1.1 Half <b>", "half", "half = 1", 4, "checks.half(half)")
    html = notebook(cells, half="<i>")._repr_html_()
    assert '<a href="#1.1-Half-&lt;b&gt;-(4-points)">1.1 Half &lt;b&gt;</a>' in html
    assert "<i>" not in html


def test_a_heading_with_code_is_found_under_its_text_as_shown(notebook):
    html = notebook(question("1.1 Half of `w`", "half", "half = 1", 4), half=1)._repr_html_()
    assert 'href="#1.1-Half-of-w-(4-points)"' in html


def test_bonus_questions_count_apart(notebook):
    card = notebook(
        question("1.1 Half", "half", "half = 1", 4),
        question("2.1 More", "bonus_more", EMPTY, 10),
    )
    assert card.heading == "4 of 4 points attempted; empty: 2.1"
    assert "2.1 More (10 bonus points)" in repr(card)


def test_other_code_is_not_run_again(notebook):
    cells = question("1.1 Half", "half", "half = 1", 4, "checks.half(half)\nhalf = spoil()")
    assert "no public check" in repr(notebook(cells, half=1))


def test_checks_do_not_change_the_names_of_the_notebook(notebook):
    names = {"half": 1}
    notebook(question("1.1 Half", "half", "half = 1", 4, "checks.half(half)"), **names)
    assert names == {"half": 1}


def test_while_a_submission_is_graded_nothing_is_checked(notebook, monkeypatch):
    monkeypatch.setenv("COURSE_GRADING", "1")
    assert check_all("small") is None


@pytest.mark.parametrize("content", [None, "{", json.dumps({"cells": 3})])
def test_a_missing_or_damaged_file_is_said(tmp_path, monkeypatch, capsys, content):
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    if content is not None:
        (tmp_path / "small.ipynb").write_text(content)
    assert check_all("small", tmp_path) is None
    assert "small.ipynb" in capsys.readouterr().out


def test_on_colab_the_notebook_in_the_browser_counts(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    google = FakeColab(tmp_path / "drive")
    google.install(monkeypatch)
    cells = question("1.1 Half", "half", EMPTY, 3)
    google.notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    assert check_all("small", tmp_path).heading == "0 of 3 points attempted; empty: 1.1"


def test_a_notebook_shows_what_is_answered_as_a_box_and_runs_no_check(monkeypatch):
    shown = []
    shell = SimpleNamespace(display_pub=SimpleNamespace(publish=shown.append))
    monkeypatch.setattr(scorecard, "ipython_shell", lambda: shell)
    cells = question("1.1 Half", "half", "half = 2", 4, "checks.half(half)")
    show_answered(Notebook({"cells": cells, "metadata": {}}))
    (box,) = shown
    assert 'aria-label="answered"' in box["text/html"]
    assert box["text/plain"].endswith("● 1.1 Half (4 points): answered")


def test_on_colab_titles_are_plain_text_because_links_lead_nowhere(notebook, tmp_path, monkeypatch):
    card = notebook(question("1.1 Half", "half", "half = 1", 4, "checks.half(half)"), half=1)
    assert "<a " in card._repr_html_()
    FakeColab(tmp_path / "drive").install(monkeypatch)
    html = card._repr_html_()
    assert "1.1 Half (4 points)" in html
    assert "<a " not in html


@pytest.fixture
def saved_and_run(notebook, tmp_path, monkeypatch):
    """Return the scorecard of a notebook saved 12 minutes ago, after code was run just now."""

    def card(code):
        runs = [(time.time(), code), (time.time(), "check_all(...)")]
        monkeypatch.setattr(kernel_runs, "_runs", runs)
        notebook(question("1.1 Half", "half", "half = 1", 4, "checks.half(half)"))
        then = time.time() - 12 * 60
        os.utime(tmp_path / "small.ipynb", (then, then))
        return check_all("small", tmp_path)

    return card


def test_code_that_was_run_and_not_saved_is_said_with_the_age_of_the_file(saved_and_run):
    card = saved_and_run("half = 3")
    said = "This is the notebook as saved 12 min ago, and you have run other code since: save it"
    assert repr(card).splitlines()[1].startswith(f"  {said}")
    assert said in card._repr_html_()


def test_nothing_is_said_if_only_saved_cells_were_run_again(saved_and_run):
    card = saved_and_run("half = 1\n")
    assert card.warning == ""
    assert "as saved" not in repr(card) + card._repr_html_()
