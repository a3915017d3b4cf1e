"""The results page can be looked at in a browser."""

import sys
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.errors import UserError
from autograder.runs import page as reference_page
from autograder.runs import run as reference_run
from autograder.runs.html_page import html_page

MARKDOWN = "# Runs\n\n![plot](plots/a.png)\n\n| run | mean |\n|---|---:|\n| `one` | 0.9 |\n"


@pytest.fixture
def page(tmp_path):
    found = tmp_path / "quick" / "README.md"
    found.parent.mkdir()
    found.write_text(MARKDOWN)
    return found


def test_tables_are_tables_and_plots_are_found_beside_the_page(page, tmp_path):
    html = html_page(page, tmp_path / "work").read_text()
    assert "<td><code>one</code></td>" in html
    assert 'src="plots/a.png"' in html
    assert f'<base href="{page.parent.as_uri()}/">' in html


def test_without_nbconvert_the_page_is_named_in_a_sentence(page, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbconvert.filters", None)
    with pytest.raises(UserError, match=r"It is written: .*README\.md"):
        html_page(page, tmp_path)


@pytest.mark.parametrize("wanted", [True, False])
def test_the_page_is_opened_at_the_end_if_that_is_asked_for(wanted, page, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(reference_run, "run", lambda *arguments: [])
    monkeypatch.setattr(reference_page, "write_page", lambda profile: page)
    work = tmp_path / "work"
    arguments = ["reference", "run", "--device", "cpu", "--work", str(work)]
    assert main([*arguments, *(["--open"] if wanted else [])]) == 0
    assert opened == ([(work / "quick.html").as_uri()] if wanted else [])
    assert Path(work, "quick.html").exists() == wanted
