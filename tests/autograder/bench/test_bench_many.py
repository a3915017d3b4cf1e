"""A class that is multiplied counts as graded."""

import pytest
from small_class import released, sandbox
from small_course import ASSIGNMENT, small_course

from autograder.bench import many

__all__ = ["released", "sandbox"]  # fixtures


@pytest.mark.slow
@pytest.mark.thorough
def test_multiplied_submissions_are_unchanged(released, tmp_path, monkeypatch):
    monkeypatch.setattr(many, "COUNTS", (2, 5))
    found = many.many_unchanged(ASSIGNMENT, small_course(released), tmp_path / "many")
    assert set(found) == {2, 5}
