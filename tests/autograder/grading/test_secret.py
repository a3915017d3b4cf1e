"""The inputs of hidden tests depend on a secret of the course and on the hand-in."""

import stat
import threading
from pathlib import Path

import pytest

from autograder.errors import UserError
from autograder.grading.secret import FILE, course_secret, submission_seed
from autograder.hidden import fresh
from autograder.hidden.student import Submission, asking


def test_a_course_keeps_its_secret(tmp_path):
    assert course_secret(tmp_path) == course_secret(tmp_path)


def test_every_course_has_its_own(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert course_secret(one) != course_secret(other)


def test_only_the_instructor_may_read_it(tmp_path):
    course_secret(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_graders_that_start_together_agree(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(course_secret(tmp_path))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]


def test_a_damaged_secret_is_reported(tmp_path):
    (tmp_path / FILE).write_bytes(b"short")
    with pytest.raises(UserError, match="should hold 32 bytes and has 5"):
        course_secret(tmp_path)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "net.safetensors").write_bytes(b"weights")
    return tmp_path


def test_the_same_hand_in_has_the_same_seed(files):
    assert submission_seed(b"s", ["x = 1"], files) == submission_seed(b"s", ["x = 1"], files)


@pytest.mark.parametrize("sources", [["x = 2"], ["x", " = 1"], [], ["x = \ud800"]])
def test_another_answer_has_another_seed(files, sources):
    assert submission_seed(b"s", sources, files) != submission_seed(b"s", ["x = 1"], files)


def test_another_network_has_another_seed(files):
    before = submission_seed(b"s", ["x = 1"], files)
    (files / "net.safetensors").write_bytes(b"others")
    assert submission_seed(b"s", ["x = 1"], files) != before


def test_the_time_and_the_outputs_do_not_matter(files):
    before = submission_seed(b"s", ["x = 1"], files)
    (files / "timestamp.txt").write_text("2026-11-27 10:00:00 UTC")
    (files / "pruning.ipynb").write_text("{}")
    assert submission_seed(b"s", ["x = 1"], files) == before


def asked(seed: bytes, number: int) -> int:
    with asking(Submission(lambda request: request, Path(), seed)):
        return fresh(number)


def test_a_seed_depends_on_the_submission_and_on_the_number():
    assert asked(b"one", 1) == asked(b"one", 1)
    assert len({asked(seed, number) for seed in (b"one", b"two") for number in (1, 2)}) == 4
    assert all(0 <= asked(bytes([n]), n) < 2**63 for n in range(100))


def test_without_a_secret_the_number_is_the_seed():
    assert asked(b"", 7) == 7
