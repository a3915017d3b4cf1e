"""The settings of a course: what the file says, and what is said about a fault in it."""

from datetime import UTC, datetime

import pytest

from autograder.errors import UserError
from autograder.settings import TEMPLATE, Late, Settings, read_settings


@pytest.fixture
def written(tmp_path):
    """Return a function that writes the file and reads the settings in it."""

    def read(text):
        (tmp_path / "course.toml").write_text(text, encoding="utf-8")
        return read_settings(tmp_path)

    return read


def test_a_course_without_the_file_has_the_defaults(tmp_path):
    assert read_settings(tmp_path) == Settings()


def test_the_template_changes_nothing(written):
    assert written(TEMPLATE) == Settings()


def test_every_setting_of_the_template_can_be_switched_on(written, tmp_path):
    lines = TEMPLATE.splitlines()
    settings = written(
        "\n".join(line.removeprefix("# ") if " = " in line else line for line in lines)
    )
    assert settings == Settings(
        assignments=("pruning", "quantization"),
        roster=tmp_path / "roster.csv",
        gradebook="postgresql+psycopg://grader@db.example.edu/course",
        data=settings.data,
        releases="https://www.example.edu/course",
        mirror="https://www.example.edu/data",
        due={
            "pruning": datetime(2027, 2, 15, 23, 59, 59, tzinfo=UTC),
            "quantization": datetime(2027, 3, 1, 18, tzinfo=UTC),
        },
        late=Late("none", 10, 0),
        limits={"cell_seconds": 60, "total_seconds": 900, "memory_mib": 4096},
    )


def test_the_defaults_that_the_template_shows_are_those_of_the_grader(written):
    shown = written(TEMPLATE.replace("# cell_", "cell_").replace("# total_", "total_"))
    from autograder.sandbox.limits import Limits

    assert shown.limits == {
        "cell_seconds": Limits.cell_seconds,
        "total_seconds": Limits.total_seconds,
    }


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2027-07-15", datetime(2027, 7, 15, 21, 59, 59, tzinfo=UTC)),
        ("2027-01-15", datetime(2027, 1, 15, 22, 59, 59, tzinfo=UTC)),
        ("2027-07-15T12:00:00", datetime(2027, 7, 15, 10, tzinfo=UTC)),
        ("2027-07-15T12:00:00-05:00", datetime(2027, 7, 15, 17, tzinfo=UTC)),
    ],
)
def test_a_due_date_is_in_the_time_zone_of_the_course_unless_it_names_one(written, date, moment):
    assert written(f'timezone = "Europe/Berlin"\n[due]\npruning = {date}').due["pruning"] == moment


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('profil = "full"', "'profil' was unexpected"),
        ('profile = "fast"', "profile: 'fast' is not one of ['quick', 'full']"),
        ('assignments = "pruning"', "assignments: 'pruning' is not of type 'array'"),
        ('[due]\npruning = "tomorrow"', "due.pruning: 'tomorrow' is not of type 'date'"),
        ('[late]\npenalty = "half"', "late.penalty: 'half' is not one of"),
        ("[late]\npercent_per_day = 300", "late.percent_per_day: 300 is greater than"),
        ("[limits]\nmemory_mib = 0", "limits.memory_mib: 0 is less than"),
        ('mirror = "ftp://x"', "mirror: 'ftp://x' does not match"),
        ('timezone = "Mars"', "there is no such time zone"),
        ('timezone = "../etc"', "there is no such time zone"),
        ("profile = ", "is not valid TOML"),
    ],
)
def test_a_fault_is_one_sentence_that_names_the_file_and_the_setting(written, text, fault):
    with pytest.raises(UserError) as raised:
        written(text)
    assert "course.toml" in str(raised.value)
    assert fault in str(raised.value)


def test_a_file_in_another_encoding_is_a_fault(tmp_path):
    (tmp_path / "course.toml").write_bytes("profile = 'full'".encode("utf-16"))
    with pytest.raises(UserError, match="cannot be read"):
        read_settings(tmp_path)
