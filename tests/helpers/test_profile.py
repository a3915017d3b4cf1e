"""One environment variable chooses the profile, and importing the helpers takes little time."""

import subprocess
import sys

import pytest

from helpers.profile import pick, profile


@pytest.mark.parametrize(
    ("value", "expected"), [("quick", "quick"), ("full", "full"), ("", "quick")]
)
def test_the_environment_chooses(monkeypatch, value, expected):
    monkeypatch.setenv("COURSE_PROFILE", value)
    assert profile() == expected


def test_quick_is_the_default(monkeypatch):
    monkeypatch.delenv("COURSE_PROFILE", raising=False)
    assert profile() == "quick"


def test_an_unknown_profile_is_refused_with_a_message(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "fast")
    with pytest.raises(ValueError, match=r"'fast'.*'quick'.*'full'"):
        profile()


def test_pick_takes_the_value_of_the_profile(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    assert pick(quick=3, full=20) == 20
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    assert pick(quick=3, full=20) == 3


def test_importing_what_a_notebook_needs_loads_no_slow_library():
    modules = "artifacts, data, models, plots, pretrained, profile, submission, training"
    code = f"import sys; from helpers import {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torchvision", "sklearn", "matplotlib"} & set(done.stdout.split())
