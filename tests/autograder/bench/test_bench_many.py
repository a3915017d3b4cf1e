"""A class that is multiplied counts as graded."""

import pytest
from small_course import ASSIGNMENT, small_course
from test_regrade import released, sandbox

from autograder.bench import many

__all__ = ["released", "sandbox"]  # fixtures


@pytest.mark.slow
def test_multiplied_submissions_are_unchanged(released, tmp_path, monkeypatch):
    monkeypatch.setattr(many, "COUNTS", (2, 5))
    found = many.many_unchanged(ASSIGNMENT, small_course(released), tmp_path / "many")
    assert set(found) == {2, 5}
