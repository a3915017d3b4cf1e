"""The audit finds every kind of leak that is planted in a release, and reports nothing else."""

import base64
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import safetensors.torch
import torch
from nbformat import NotebookNode
from small_course import (
    ASSIGNMENT,
    HIDDEN_TEST_LINE,
    MARK_SCHEME_LINE,
    REASON_LINE,
    SOLUTION_COMMENT,
    SOLUTION_LINE,
    VERDICT_LINE,
    cell_of,
    small_course,
    small_notebook,
    write_source,
)

from autograder.assignments import NOTEBOOKS, Assignment, assignments
from autograder.notebook.source import cell_name, lines
from autograder.releasing.audit import SECRET_PARTS, STARTING_NETWORKS, Leak, audit
from autograder.releasing.release import make_release
from autograder.releasing.student_build import data_files, reference_source

NOTEBOOK = f"{ASSIGNMENT}.ipynb"
REFERENCE_LINE = "levels = torch.round(steps * (w - beta) / divisor)"
MEASURED = 0.9712345678
TRAINED = {"stem.weight": torch.arange(64, dtype=torch.float32)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with a clean release and the frozen results of a reference run."""
    project = tmp_path_factory.mktemp("project")
    write_source(project, small_notebook())
    make_release(ASSIGNMENT, small_course(project))
    references = project / "references" / "quick"
    (references / ASSIGNMENT).mkdir(parents=True)
    manifest = {"seeds": [123456], "accuracies": [MEASURED, 0.9625, 0.912341], "loss": 0.30000004}
    (references / f"{ASSIGNMENT}.json").write_text(json.dumps(manifest))
    safetensors.torch.save_file(TRAINED, references / ASSIGNMENT / "trained.safetensors")
    return project


class Released:
    """A release to plant leaks into."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.project = project
        self.folder = folder
        shutil.copytree(project / "course" / "release" / ASSIGNMENT, folder)
        [self.wheel] = folder.glob("*.whl")

    def change_notebook(self, change: Callable[[NotebookNode], object]) -> None:
        notebook = nbformat.read(self.folder / NOTEBOOK, as_version=4)
        change(notebook)
        nbformat.write(notebook, self.folder / NOTEBOOK)

    def add_line(self, cell: str, line: str) -> None:
        def change(notebook: NotebookNode) -> None:
            cell_of(notebook, cell).source += f"\n{line}"

        self.change_notebook(change)

    def add_to_wheel(self, name: str, content: str | bytes) -> None:
        with zipfile.ZipFile(self.wheel, "a") as wheel:
            wheel.writestr(name, content)

    def audit(self, place: Path | None = None) -> list[Leak]:
        return audit(
            place or self.folder,
            self.project / "notebooks" / ASSIGNMENT / NOTEBOOK,
            unlocks=["masks"],
            references=self.project / "references",
        )

    def kinds(self) -> set[str]:
        return {leak.kind for leak in self.audit()}


@pytest.fixture
def released(made: Path, tmp_path: Path) -> Released:
    return Released(made, tmp_path / ASSIGNMENT)


def test_clean_release_passes(released: Released) -> None:
    assert released.audit() == []


@pytest.mark.parametrize("assignment", assignments())
def test_every_secret_cell_of_a_source_notebook_is_found(assignment: str, tmp_path: Path) -> None:
    source = NOTEBOOKS / assignment / f"{assignment}.ipynb"
    shutil.copy(source, tmp_path)
    cells = nbformat.read(source, as_version=4).cells
    unlocks = Assignment(assignment, source).unlocks
    secret = {cell_name(c) for c in cells if any(line.part in SECRET_PARTS for line in lines(c))}
    assert {leak.cell for leak in audit(tmp_path, source, unlocks=unlocks)} == secret


# In the notebook -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "line", "kind"),
    [
        ("answer", f"    {SOLUTION_LINE}", "solution"),
        ("setup", SOLUTION_LINE, "solution"),
        ("intro", f"The answer is `{SOLUTION_LINE}`, by the way.", "solution"),
        ("setup", f"# {SOLUTION_LINE}", "solution"),
        ("setup", f"# {SOLUTION_COMMENT}", "solution"),
        ("verdict", VERDICT_LINE, "solution"),
        ("reason", REASON_LINE, "solution"),
        ("intro", REASON_LINE.upper(), "solution"),
        ("test", HIDDEN_TEST_LINE, "hidden test"),
        ("intro", HIDDEN_TEST_LINE, "hidden test"),
        ("task", MARK_SCHEME_LINE, "mark scheme"),
        ("intro", MARK_SCHEME_LINE, "mark scheme"),
        ("setup", REFERENCE_LINE, "reference module"),
        ("setup", "anything = that_the_source(does_not, show)", "unknown line"),
    ],
)
def test_line_in_a_cell(released: Released, cell: str, line: str, kind: str) -> None:
    released.change_notebook(lambda notebook: None)
    before = cell_of(nbformat.read(released.folder / NOTEBOOK, 4), cell)
    released.add_line(cell, line)
    name = before.metadata.get("nbgrader", {}).get("grade_id", cell)
    number = before.source.count("\n") + 2
    found = {(leak.file, leak.cell, leak.line, leak.kind) for leak in released.audit()}
    assert (NOTEBOOK, name, number, kind) in found


def test_line_broken_over_several(released: Released) -> None:
    released.add_line("setup", "return np.multiply(\n    w,\n    factor,  # why\n dtype=w.dtype)")
    assert "solution" in released.kinds()


def test_message_says_file_cell_line_and_what(released: Released) -> None:
    released.add_line("setup", SOLUTION_LINE)
    leak = next(leak for leak in released.audit() if leak.kind == "solution")
    assert str(leak) == (
        f"{NOTEBOOK}, cell setup, line 2: solution: {SOLUTION_LINE} (of halve_solution)"
    )


def test_output_of_a_cell(released: Released) -> None:
    output = nbformat.v4.new_output("stream", text=f"the source:\n{SOLUTION_LINE}\n")
    released.change_notebook(lambda notebook: cell_of(notebook, "setup").outputs.append(output))
    assert released.kinds() == {"output", "solution"}


def test_metadata_of_a_cell_and_of_the_notebook(released: Released) -> None:
    def change(notebook: NotebookNode) -> None:
        cell_of(notebook, "setup").metadata["hint"] = {"code": [SOLUTION_LINE]}
        notebook.metadata["accuracy"] = MEASURED

    released.change_notebook(change)
    found = {(leak.cell, leak.kind) for leak in released.audit()}
    assert found == {("setup", "solution"), (None, "reference value")}


def test_attachment(released: Released) -> None:
    encoded = base64.b64encode(f"hint: {SOLUTION_LINE}".encode()).decode()

    def change(notebook: NotebookNode) -> None:
        cell_of(notebook, "intro")["attachments"] = {"hint.txt": {"text/plain": encoded}}

    released.change_notebook(change)
    [leak] = released.audit()
    assert (leak.kind, leak.file) == ("solution", f"{NOTEBOOK}/attachment of intro/hint.txt")


def test_cell_that_the_source_does_not_have(released: Released) -> None:
    fresh = nbformat.v4.new_markdown_cell("A hint.", id="hint")
    released.change_notebook(lambda notebook: notebook.cells.append(fresh))
    assert released.kinds() == {"unknown line"}


# In the wheel and other files ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (SOLUTION_LINE, "solution"),
        (HIDDEN_TEST_LINE, "hidden test"),
        (f"# {REASON_LINE}", "solution"),
        (MARK_SCHEME_LINE, "mark scheme"),
        (REFERENCE_LINE, "reference module"),
        (f"accuracy = {MEASURED}", "reference value"),
    ],
)
def test_line_in_the_wheel(released: Released, line: str, kind: str) -> None:
    released.add_to_wheel("helpers/hints.py", f"import torch\n\n{line}\n")
    [leak] = released.audit()
    assert (leak.file, leak.line, leak.kind) == (f"{released.wheel.name}/helpers/hints.py", 3, kind)


def test_reference_module_by_its_path(released: Released) -> None:
    released.add_to_wheel("helpers/reference/quantization/ste.py", "")
    assert released.kinds() == {"reference module"}


def test_module_of_another_assignment(released: Released) -> None:
    released.add_to_wheel("helpers/assignments/pruning/plots.py", "")
    assert released.kinds() == {"other assignment"}


@pytest.mark.parametrize("module", ["affine", "mixed_precision", "ste"])
def test_reference_module_under_another_name(released: Released, module: str) -> None:
    released.add_to_wheel("helpers/tools.py", reference_source(f"quantization.{module}"))
    assert released.kinds() == {"reference module"}


def test_compiled_reference_module(released: Released) -> None:
    released.add_to_wheel(
        "helpers/reference/quantization/__pycache__/ste.cpython-311.pyc", b"\xa7\r\r\n\x00"
    )
    assert released.kinds() == {"reference module", "unreadable file"}


def test_files_of_the_grader(released: Released) -> None:
    released.add_to_wheel("autograder/__init__.py", "")
    assert released.kinds() == {"autograder"}


def test_zip_in_a_zip(released: Released, tmp_path: Path) -> None:
    with zipfile.ZipFile(released.folder / "inner.zip", "w") as inner:
        inner.writestr("notes/hint.txt", SOLUTION_LINE)
    archive = tmp_path / "outer.zip"
    with zipfile.ZipFile(archive, "w") as outer:
        outer.write(released.folder / "inner.zip", f"{ASSIGNMENT}/inner.zip")
    [leak] = released.audit(archive)
    assert leak.file == f"outer.zip/{ASSIGNMENT}/inner.zip/notes/hint.txt"
    assert leak.kind == "solution"


def test_text_in_an_image(released: Released) -> None:
    content = b"\x89PNG\r\n\x1a\n\x00\xfftEXtComment\x00" + SOLUTION_LINE.encode()
    (released.folder / "figure.png").write_bytes(content)
    assert released.kinds() == {"solution"}


@pytest.mark.parametrize("name", ["weights.pt", "broken.zip", "broken.safetensors", "broken.ipynb"])
def test_file_that_cannot_be_read(released: Released, name: str) -> None:
    (released.folder / name).write_bytes(b"\x80\x04\x95 no text")
    assert released.kinds() == {"unreadable file"}


# Reference values ----------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["0.9712345678", "0.97123", "0.971234", "97.123", "97.12346 %"])
def test_measured_value_however_it_is_rounded(released: Released, written: str) -> None:
    (released.folder / "notes.md").write_text(f"We measured:\n{written}.\n")
    [leak] = released.audit()
    assert (leak.file, leak.line, leak.kind) == ("notes.md", 2, "reference value")


@pytest.mark.parametrize(
    "written",
    [
        "0.9712",  # reported with four digits
        "0.9625",
        "123456",  # a seed
        "0.91234",  # the source notebook shows it
        "0.30000",  # too short without its zeros: many numbers round to it
        "10.97123",
        "0.971231",
        "1.0.97123",
        "v0.97123",
    ],
)
def test_other_numbers_are_no_leak(released: Released, written: str) -> None:
    (released.folder / "notes.md").write_text(f"{written}\n")
    assert released.audit() == []


def test_copy_of_a_reference_file(released: Released) -> None:
    manifest = released.project / "references" / "quick" / f"{ASSIGNMENT}.json"
    (released.folder / "readme").write_bytes(manifest.read_bytes())
    texts = [leak.text for leak in released.audit()]
    assert f"this is a copy of quick/{ASSIGNMENT}.json" in texts


def test_tensor_of_a_reference_in_another_file(released: Released) -> None:
    tensors = {"w": TRAINED["stem.weight"].reshape(8, 8), "count": torch.tensor(5)}
    safetensors.torch.save_file(tensors, released.folder / "data.safetensors")
    found = {(leak.kind, leak.text) for leak in released.audit()}
    origin = f"stem.weight of quick/{ASSIGNMENT}/trained.safetensors"
    assert ("reference value", f"w is {origin}") in found


def test_network_that_is_not_a_starting_network(released: Released) -> None:
    safetensors.torch.save_file({"w": torch.rand(64)}, released.folder / "solved.safetensors")
    assert released.kinds() == {"trained network"}


def test_starting_network_is_no_leak(released: Released) -> None:
    shutil.copyfile(STARTING_NETWORKS[0], released.folder / "start.safetensors")
    assert released.audit() == []


def test_data_files_are_no_leak_if_their_module_is_unlocked(
    released: Released, tmp_path: Path
) -> None:
    files = data_files("baseline.network")
    assert files
    for file in files:
        shutil.copyfile(file, released.folder / file.name)
    assert "trained network" in released.kinds()
    source = write_source(tmp_path / "open", small_notebook())
    unlocks = ["masks", "baseline.network"]
    assert audit(released.folder, source, unlocks=unlocks) == []


# What is no leak -----------------------------------------------------------------------------


def test_what_students_see_in_the_source_is_no_leak(made: Path, released: Released) -> None:
    notebook = small_notebook()
    cell_of(notebook, "intro").source += f"\n\n    {SOLUTION_LINE}"
    source = write_source(made.parent / f"{made.name}-open", notebook)
    released.add_line("intro", f"\n    {SOLUTION_LINE}")
    assert audit(released.folder, source, unlocks=["masks"]) == []


def test_idioms_are_no_leak(released: Released) -> None:
    idioms = (
        "model.eval()\nwith torch.no_grad():\n    loss.backward()\n"
        "def forward(self, x: Tensor) -> Tensor:\n    return x\n"
        "super().__init__(*args, **kwargs)\nfrom autograder.hidden import score\n"
    )
    released.add_to_wheel("helpers/idioms.py", idioms)
    assert released.audit() == []


def test_unlocked_module_is_no_leak(released: Released) -> None:
    released.add_to_wheel("helpers/copied.py", reference_source("masks"))
    assert released.audit() == []


def test_missing_release_is_not_clean(released: Released, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        released.audit(tmp_path / "nothing")
