"""The release that `autograder release` makes, and the course after a release fails."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from small_course import (
    ARTIFACTS,
    ASSIGNMENT,
    HIDDEN_TEST_LINE,
    MARK_SCHEME_LINE,
    REASON_LINE,
    SOLUTION_LINE,
    VERDICT_LINE,
    cell_of,
    small_course,
    small_notebook,
    write_source,
)

from autograder.assignments import NOTEBOOKS, NoSuchAssignment, assignments
from autograder.course import Course
from autograder.releasing import release
from autograder.releasing.audit import AuditFailed, audit
from autograder.releasing.release import FULL, SETUP_HEADING, Release, ReleaseError, make_release
from helpers.data_folder import MIRROR_FILE


def make(project: Path, notebook: NotebookNode) -> Release:
    write_source(project, notebook)
    return make_release(ASSIGNMENT, small_course(project))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return make(tmp_path_factory.mktemp("project"), small_notebook())


@pytest.fixture
def project(released: Release, tmp_path: Path) -> Path:
    """Return a copy of the course after its first release."""
    shutil.copytree(released.folder.parents[2], tmp_path / "project")
    return tmp_path / "project"


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_notebook_has_stubs_in_place_of_answers(released: Release) -> None:
    text = released.notebook.read_text(encoding="utf-8")
    assert "YOUR CODE HERE" in text
    assert "YOUR ANSWER HERE" in text
    for line in (
        SOLUTION_LINE,
        json.dumps(HIDDEN_TEST_LINE)[1:-1],
        VERDICT_LINE,
        REASON_LINE,
        MARK_SCHEME_LINE,
    ):
        assert line not in text


def test_notebook_does_not_say_what_is_unlocked(released: Release) -> None:
    course = nbformat.read(released.notebook, as_version=4).metadata.course
    assert "unlocks" not in course


def test_notebook_says_which_artifacts_to_hand_in(released: Release) -> None:
    course = nbformat.read(released.notebook, as_version=4).metadata.course
    assert course.artifacts == ARTIFACTS


def test_folder_and_zip_hold_the_notebook_and_the_wheel(released: Release) -> None:
    names = {released.notebook.name, released.wheel.name}
    assert set(contents(released.folder)) == names
    with zipfile.ZipFile(released.archive) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    assert packed == {f"{ASSIGNMENT}/{k}": v for k, v in contents(released.folder).items()}


def test_wheel_holds_the_unlocked_reference_modules_only(released: Release) -> None:
    with zipfile.ZipFile(released.wheel) as wheel:
        reference = {name for name in wheel.namelist() if name.startswith("helpers/reference/")}
    assert reference == {"helpers/reference/__init__.py", "helpers/reference/masks.py"}


def test_gradebook_knows_the_questions_and_keeps_the_hidden_tests(released: Release) -> None:
    with Gradebook(f"sqlite:///{released.folder.parents[1]}/gradebook.db") as gradebook:
        notebook = gradebook.find_notebook(ASSIGNMENT, ASSIGNMENT)
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
        sources = {cell.name: cell.source for cell in notebook.source_cells}
    assert points == {"halve": 4, "reason": 1}
    assert HIDDEN_TEST_LINE in sources["halve"]


def test_addresses_of_the_course_reach_the_students(project: Path) -> None:
    course = small_course(project)
    course.folder.mkdir(exist_ok=True)
    (course.folder / "course.toml").write_text(
        'releases = "https://example.edu/course/"\nmirror = "https://example.edu/data"\n'
    )
    released = make_release(ASSIGNMENT, course)
    notebook = nbformat.read(released.notebook, as_version=4)
    heading = cell_of(notebook, SETUP_HEADING)
    assert "<https://example.edu/course/small.zip>" in heading.source
    with zipfile.ZipFile(released.wheel) as wheel:
        assert wheel.read(f"helpers/{MIRROR_FILE}") == b"https://example.edu/data\n"


def release_with(project: Path, settings: str, notebook: NotebookNode | None = None) -> Release:
    """Make a release in a course with these settings."""
    write_source(project, notebook or small_notebook())
    course = small_course(project)
    (course.folder / "course.toml").write_text(settings)
    return make_release(ASSIGNMENT, course)


def with_setup() -> NotebookNode:
    """Return a source notebook whose setup cell takes an address."""
    notebook = small_notebook()
    cell_of(notebook, "setup").source = 'ADDRESS = ""\nimport numpy as np'
    return notebook


def test_the_setup_cell_knows_the_address_and_the_digest_of_its_wheel(project: Path) -> None:
    released = release_with(project, 'releases = "https://example.edu/course"\n', with_setup())
    digest = hashlib.sha256(released.wheel.read_bytes()).hexdigest()
    name = released.wheel.name.replace("+", "%2B")
    cell = cell_of(nbformat.read(released.notebook, as_version=4), "setup")
    assert cell.source.splitlines() == [
        f'ADDRESS = "https://example.edu/course/small/{name}#sha256={digest}"',
        "import numpy as np",
    ]


def test_a_notebook_on_github_has_a_badge_below_its_title(project: Path) -> None:
    address = "https://github.com/owner/course/tree/main"
    released = release_with(project, f'releases = "{address}"\n', with_setup())
    title = nbformat.read(released.notebook, as_version=4).cells[0].source
    heading, empty, badge, *text = title.splitlines()
    assert (heading, empty) == ("# Halves", "")
    assert badge.startswith("[![Open in Colab](")
    assert "/github/owner/course/blob/main/small/small.ipynb)" in badge
    assert text == small_notebook().cells[0].source.splitlines()[1:]


def test_a_notebook_on_another_server_has_no_badge(project: Path) -> None:
    released = release_with(project, 'releases = "https://example.edu/course"\n', with_setup())
    assert "colab" not in released.notebook.read_text(encoding="utf-8")


def test_the_audit_excuses_the_lines_with_addresses_and_nothing_else(project: Path) -> None:
    source = write_source(project, with_setup())
    settings = 'releases = "https://github.com/owner/course/tree/main"\n'
    released = release_with(project, settings, with_setup())
    leaks = audit(released.notebook, source, unlocks=["masks"])
    assert [(leak.cell, leak.kind) for leak in leaks] == [
        ("intro", "unknown line"),
        ("setup-heading", "unknown line"),
        ("setup", "unknown line"),
    ]


@pytest.mark.parametrize(
    ("profile", "artifacts", "asks"),
    [("full", ARTIFACTS, True), ("quick", ARTIFACTS, False), ("full", [], False)],
)
def test_colab_is_asked_for_a_gpu_where_the_course_trains_with_the_full_profile(
    project: Path, profile: str, artifacts: list[str], asks: bool
) -> None:
    notebook = small_notebook()
    notebook.metadata.course.artifacts = artifacts
    released = release_with(project, f'profile = "{profile}"\n', notebook)
    metadata = nbformat.read(released.notebook, as_version=4).metadata
    assert ("accelerator" in metadata, "colab" in metadata) == (asks, asks)
    assert metadata.get("accelerator", "GPU") == "GPU"


CHOICE = '# os.environ["COURSE_PROFILE"] = "full"  # remove the first # for CIFAR-10 on a GPU'
CHOSEN = 'os.environ["COURSE_PROFILE"] = "full"  # CIFAR-10 on a GPU; put a # in front for quick'


@pytest.mark.parametrize(("profile", "line"), [("full", CHOSEN), ("quick", CHOICE)])
def test_the_setup_cell_chooses_the_profile_of_the_course(
    project: Path, profile: str, line: str
) -> None:
    notebook = small_notebook()
    cell_of(notebook, "setup").source = f"import os\n\n{CHOICE}\nprint()"
    released = release_with(project, f'profile = "{profile}"\n', notebook)
    cell = cell_of(nbformat.read(released.notebook, as_version=4), "setup")
    assert cell.source == f"import os\n\n{line}\nprint()"


@pytest.mark.parametrize("assignment", assignments())
def test_every_notebook_that_trains_has_the_line_that_chooses_the_profile(assignment: str) -> None:
    notebook = nbformat.read(NOTEBOOKS / assignment / f"{assignment}.ipynb", as_version=4)
    chooses = bool(FULL.search(cell_of(notebook, "setup").source))
    assert chooses == bool(notebook.metadata.course.artifacts)


def test_without_addresses_the_release_has_none(released: Release) -> None:
    with zipfile.ZipFile(released.wheel) as wheel:
        assert f"helpers/{MIRROR_FILE}" not in wheel.namelist()


def test_artifacts_of_the_instructor_stay_behind(project: Path) -> None:
    trained = project / "notebooks" / ASSIGNMENT / "artifacts" / "quick" / "solved.safetensors"
    trained.parent.mkdir(parents=True)
    trained.write_bytes(b"weights")
    released = make(project, small_notebook())
    assert set(contents(released.folder)) == {released.notebook.name, released.wheel.name}


def test_same_source_gives_the_same_release(released: Release, project: Path) -> None:
    again = make(project, small_notebook())
    assert again.archive.read_bytes() == released.archive.read_bytes()


def test_the_course_may_be_given_as_a_relative_path(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    course = Course(Path("course"), project / "notebooks")
    assert make_release(ASSIGNMENT, course).archive == project / "course" / "release" / "small.zip"


def test_new_release_replaces_the_old_one(project: Path) -> None:
    notebook = small_notebook()
    cell_of(notebook, "intro").source = "# Quarters"
    released = make(project, notebook)
    assert "# Quarters" in released.notebook.read_text(encoding="utf-8")
    beside = {path.name for path in (project / "course").iterdir()}
    assert beside == {".releases", "gradebook.db", "release"}


def test_leak_is_named_by_file_and_line_and_an_earlier_release_stays(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_leaky_wheel(folder: Path, *_: object, **__: object) -> Path:
        wheel = folder / "helpers-1-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("helpers/plots.py", f"import numpy as np\n\n{SOLUTION_LINE}\n")
        return wheel

    monkeypatch.setattr(release, "build_wheel", build_leaky_wheel)
    before = contents(project / "course")
    changed = small_notebook()
    cell_of(changed, "test").metadata["nbgrader"]["points"] = 5
    cell_of(changed, "test").source = cell_of(changed, "test").source.replace("of=4", "of=5")
    with pytest.raises(AuditFailed) as failure:
        make(project, changed)
    place = "small.zip/small/helpers-1-py3-none-any.whl/helpers/plots.py, line 3: solution"
    assert place in str(failure.value)
    # Neither the release nor the gradebook has changed.
    assert contents(project / "course") == before


def test_fault_in_the_source_is_named_by_cell_and_line(project: Path) -> None:
    faulty = small_notebook()
    cell_of(faulty, "test").metadata["nbgrader"]["points"] = 5
    before = contents(project / "course")
    with pytest.raises(AuditFailed, match=r"small.ipynb, cell halve, line \d+: score\(of=4\)"):
        make(project, faulty)
    assert contents(project / "course") == before


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # raised by nbgrader's own code
def test_what_nbgrader_refuses_is_reported_in_one_sentence(project: Path) -> None:
    with Gradebook(f"sqlite:///{project / 'course' / 'gradebook.db'}") as gradebook:
        gradebook.add_student("ada")
        gradebook.add_submission(ASSIGNMENT, "ada")
    before = contents(project / "course" / "release")
    smaller = small_notebook()
    smaller.cells.remove(cell_of(smaller, "test"))
    with pytest.raises(ReleaseError, match=r"Cannot add or remove cells.* new course folder"):
        make(project, smaller)
    assert contents(project / "course" / "release") == before


def test_unlocking_what_does_not_exist_is_refused(project: Path) -> None:
    with pytest.raises(ReleaseError, match="no reference module 'maskz'"):
        make(project, small_notebook(unlocks=("maskz",)))


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("assignment", assignments())
def test_every_assignment_of_the_course_can_be_released(assignment: str, tmp_path: Path) -> None:
    assert make_release(assignment, Course(tmp_path)).archive.exists()


def test_unknown_assignment_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchAssignment, match="no source notebook of 'nothing'"):
        make_release("nothing", Course(tmp_path))
