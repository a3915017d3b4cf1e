"""In which profile a submission is graded."""

import os
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.grading.submission_profile import grading_in, profile_of
from autograder.settings import Settings
from helpers.profile import profile

CHOSEN = 'import os\n\nos.environ["COURSE_PROFILE"] = "full"  # on a GPU'


def submission(files, *trained, setup="import os"):
    for name in trained:
        (files / "artifacts" / name).mkdir(parents=True)
        (files / "artifacts" / name / "resnet20.safetensors").touch()
    return new_notebook(cells=[new_markdown_cell(CHOSEN), new_code_cell(setup)])


@pytest.mark.parametrize(
    ("trained", "setup", "course", "found"),
    [
        ((), "import os", "quick", "quick"),
        (("quick",), "import os", "quick", "quick"),
        (("full",), "import os", "quick", "full"),
        (("quick",), "import os", "full", "quick"),
        (("quick", "full"), "import os", "quick", "quick"),
        (("quick", "full"), "import os", "full", "full"),
        ((), CHOSEN, "quick", "full"),
        (("quick",), CHOSEN, "quick", "quick"),
        ((), f"# {CHOSEN}".replace("\n", "\n# "), "quick", "quick"),
        ((), CHOSEN.replace("full", "fast"), "quick", "quick"),
    ],
)
def test_a_submission_is_graded_in_its_own_profile(tmp_path, trained, setup, course, found):
    nb = submission(tmp_path, *trained, setup=setup)
    graded, notes = profile_of(nb, tmp_path, Settings(profile=course))
    assert graded == found
    assert bool(notes) == (found != course)


def test_the_instructor_reads_what_differed(tmp_path):
    nb = submission(tmp_path, "full")
    _, [note] = profile_of(nb, tmp_path, Settings())
    assert note == (
        "its networks were trained in the profile 'full', and the course's is 'quick': "
        "it was graded in its own"
    )


def test_a_course_may_grade_all_in_its_own_profile_and_flag_the_others(tmp_path):
    nb = submission(tmp_path, "full")
    graded, [note] = profile_of(nb, tmp_path, Settings(other_profile="flag"))
    assert graded == "quick"
    assert note.endswith("in which it was graded")


def test_the_environment_of_the_grader_decides_nothing_in_the_block(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    monkeypatch.setenv("COURSE_DATA", "/elsewhere")
    with grading_in("quick", Settings(data=Path("/data"))):
        assert profile() == "quick"
        assert os.environ["COURSE_DATA"] == "/data"
    assert profile() == "full"
    assert os.environ["COURSE_DATA"] == "/elsewhere"


def test_what_was_not_set_before_is_not_set_afterwards(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    with pytest.raises(RuntimeError), grading_in("full", Settings()):
        raise RuntimeError
    assert "COURSE_PROFILE" not in os.environ
