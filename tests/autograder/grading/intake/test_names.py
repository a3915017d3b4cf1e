"""The names of students and of their files are made safe."""

from pathlib import Path

import nbgrader
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader

from autograder.grading.intake.names import MAX_NAME_BYTES, printable, safe_name

SAFE = [
    "alice",
    "Zoë O'Brien",
    "Zoe\u0308",  # decomposed, as macOS writes it
    "李雷",
    "मीना",
    "Doe, Jane (evening group)",
    "s1234567@example.org",
    "j.doe+2",
    "_anonymous",
]
UNSAFE = [
    "<img src=x onerror=alert(1)>",
    '"; alert(1); "',
    "*",
    "a?ice",
    "[x]",
    "100%",
    "a#b",
    "a&lt;b",
    "back\\slash",
    "new\nline",
    "\x1b[2J",
    "\u202eecila",  # reverses the direction of text
    "not UTF-8: \udcff",
    " alice",
    "alice ",
    ".alice",
    "..",
    "-rf",
    "",
    "x" * (MAX_NAME_BYTES + 1),
]


@pytest.mark.parametrize("name", SAFE)
def test_a_safe_name_stays_as_it_is(name):
    assert safe_name(name) == name


@pytest.mark.parametrize("name", UNSAFE, ids=ascii)
def test_any_other_name_gets_a_safe_spelling(name):
    spelled = safe_name(name)
    assert spelled != name
    assert safe_name(spelled) == spelled
    assert len(spelled.encode()) <= MAX_NAME_BYTES


def test_a_spelling_is_stable_and_tells_names_apart():
    assert safe_name("a?ice") == safe_name("a?ice") == "a_ice-8186e1e6"
    spellings = {safe_name(name) for name in ["a?ice", "a*ice", "a_ice", "a[ice"]}
    assert len(spellings) == 4


@given(st.text(st.characters(), max_size=300))
def test_a_safe_spelling_does_not_change_again(name):
    assert safe_name(safe_name(name)) == safe_name(name)


@given(st.text(st.characters(), max_size=20))
def test_printable_text_can_be_encoded_and_has_no_control_characters(text):
    shown = printable(text)
    assert shown.encode().decode() == shown
    assert not any(ord(c) < 32 or ord(c) == 127 for c in shown)
    assert len(shown) == len(text)


@pytest.mark.parametrize("name", [*SAFE, *map(safe_name, UNSAFE)], ids=ascii)
@pytest.mark.parametrize(
    "page", ["manage_students_assignments.tpl", "manage_students_notebook_submissions.tpl"]
)
def test_the_formgraders_pages_show_a_safe_name_as_it_is(name, page):
    """The pages put the name into JavaScript, links and HTML without any escaping."""
    templates = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"
    template = Environment(loader=FileSystemLoader(templates)).get_template(page)
    html = template.render(student_id=name, assignment_id="work", base_url="")
    assert f'var student_id = "{name}";' in html
    assert not set(name) & set('"\\<>&`\n')
