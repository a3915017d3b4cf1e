"""Where data are downloaded from: the student decides, then the course."""

import pytest

from helpers import data_folder as module
from helpers.data_folder import mirror


@pytest.fixture
def address(monkeypatch, tmp_path):
    """Return the file with the address that a course has set."""
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    return tmp_path / module.MIRROR_FILE


def test_there_is_none_by_default(address):
    assert mirror() == ""


def test_the_course_can_set_one(address):
    address.write_text("https://example.edu/data/\n")
    assert mirror() == "https://example.edu/data"


def test_the_environment_comes_first(address, monkeypatch):
    address.write_text("https://example.edu/data\n")
    monkeypatch.setenv("COURSE_MIRROR", "file:///srv/data/")
    assert mirror() == "file:///srv/data"
