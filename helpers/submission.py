"""Pack a notebook and its artifacts into the file that a student hands in."""

import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from helpers.artifacts import (
    ArtifactError,
    artifact_files,
    artifact_folder,
    load_artifact,
    provenance_of,
)
from helpers.asked_names import names_not_defined
from helpers.colab import notebook_file, offer_download, on_colab
from helpers.documents import DOCUMENTS, Document, DocumentError, ai_logs, written_up
from helpers.files import replacing, written_ago
from helpers.kernel import is_graded
from helpers.kernel_runs import running_notebook, unsaved_code_was_run, watch
from helpers.measurements import MEASUREMENTS
from helpers.notebook_file import Notebook, NotebookError, Question, read_notebook
from helpers.provenance import functions_in
from helpers.scorecard import show_answered
from helpers.write_up import PACKAGES as WRITE_UP_PACKAGES
from helpers.write_up import write_up as made_write_up

__all__ = ["SubmissionError", "pack"]

MAX_TOTAL_BYTES = 200 << 20
MAX_NAME = 40

watch()


class SubmissionError(Exception):
    """The notebook cannot be packed; the message says what to do."""


def pack(
    assignment: str,
    student: str = "",
    folder: Path | str = ".",
    *,
    write_up: bool | str | Path = False,
    ai_log: str | Path | Sequence[str | Path] = (),
) -> Path:
    """Pack what is handed in into a zip beside the notebook; print its content and what is missing.

    The file holds ``<assignment>.ipynb`` and the artifacts and measurements of the current profile,
    and nothing else from the folder but the documents that are named. A missing artifact or answer
    affects only its own questions, so the rest is packed nevertheless. The scorecard of the saved
    notebook comes last: of each question, whether it is answered; no check is run. While a
    submission is graded, nothing is packed. On Google Colab, the notebook is the one in the
    browser, which then offers the zip for download.

    Parameters
    ----------
    assignment
        Name of the assignment, such as ``"quantization"``.
    student
        Name of the student, after whom the file is named. By default, it has only the name of the
        assignment.
    folder
        Folder of the notebook. By default, the current folder.
    write_up
        The file of the write-up, a PDF or HTML, if the course asks for one. True makes it from the
        saved notebook: the written answers and the figures, question by question, in
        ``<assignment>_write_up.html``. By default, there is none.
    ai_log
        The file, or files, with what AI tools have answered, if the course asks for it: text,
        Markdown, PDF, HTML or JSON.

    Returns
    -------
    Path
        Path of the zip file.

    Raises
    ------
    SubmissionError
        If the notebook is missing or damaged, if a document is missing or is not what its name
        says, or if the notebook or the whole is too large; or if a write-up cannot be made, because
        its packages are not installed.
    """
    folder = Path(folder)
    called = _file_name(student)
    submission = folder / (f"{called}_{assignment}.zip" if called else f"{assignment}.zip")
    if is_graded():
        print("Nothing is packed while a submission is graded.")
        return submission
    with notebook_file(folder / f"{assignment}.ipynb") as file:
        notebook = _read(file)
        documents = _documents(notebook, folder, assignment, student, write_up, ai_log)
        _pack(file, notebook, folder, submission, documents, named=bool(called))
    show_answered(notebook)
    offer_download(submission)
    return submission


def _pack(
    file: Path,
    notebook: Notebook,
    folder: Path,
    submission: Path,
    documents: Sequence[Document],
    *,
    named: bool,
) -> None:
    artifacts = artifact_folder(folder)
    networks, missing = _networks(artifacts)
    missing += [
        f"{_owner(notebook, name)}the network {name} is not trained yet: run its cell."
        for name in notebook.artifacts
        if not artifact_files(artifacts, name)[0].exists()
    ]

    packed = [path for name in networks for path in artifact_files(artifacts, name)]
    packed += [path for path in [artifacts / MEASUREMENTS] if path.is_file()]
    content = json.dumps(notebook.data).encode() if notebook.repairs else file.read_bytes()
    size = len(content) + sum(path.stat().st_size for path in packed)
    size += sum(len(document.content) for document in documents)
    if size > MAX_TOTAL_BYTES:
        raise SubmissionError(
            f"The files have {size >> 20} MB together, but the limit is {MAX_TOTAL_BYTES >> 20} "
            f"MB: delete artifacts that no question asks for from {artifacts}."
        )
    with (
        replacing(submission) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr(file.name, content)
        for path in packed:
            archive.write(path, path.relative_to(folder))
        for document in documents:
            archive.writestr(f"{DOCUMENTS}/{document.name}", document.content)

    what = f"{file.name} (as saved {written_ago(file)})"
    if networks or notebook.artifacts:
        what += f" and {', '.join(networks) or 'no trained network'}"
    what += "".join(f", {document.said}" for document in documents)
    print(f"{submission.name} ({_size(submission)}) holds {what}.")
    doubts = _doubts(file, notebook, named=named)
    doubts += _trained_by_other_code(notebook, artifacts, networks)
    _say("Look at this before you hand it in:", doubts)
    _say("Not complete:", missing)


def _read(file: Path) -> Notebook:
    if not file.is_file():
        if on_colab():
            raise SubmissionError(
                "The browser did not hand over the notebook: run this cell again. If that does not "
                "help, choose File > Download > Download .ipynb, name the file "
                f"{file.name}, drag it into the folder of files on the left, and run this cell "
                "once more."
            )
        others = sorted(path.name for path in file.parent.glob("*.ipynb"))
        here = f" There is {' and '.join(others)}: rename the one with your work." if others else ""
        raise SubmissionError(
            f"There is no {file.name} in {file.parent.resolve()}: save the notebook under this "
            f"name in the folder in which it runs.{here}"
        )
    try:
        return read_notebook(file)
    except NotebookError as error:
        raise SubmissionError(str(error)) from error


def _documents(
    notebook: Notebook,
    folder: Path,
    assignment: str,
    student: str,
    write_up: bool | str | Path,
    ai_log: str | Path | Sequence[str | Path],
) -> list[Document]:
    """Read the documents that are packed, or make the write-up and save it beside the notebook."""
    found = []
    logs = [ai_log] if isinstance(ai_log, str | Path) else [*ai_log]
    try:
        if write_up is True:
            made = folder / f"{assignment}_write_up.html"
            title = f"{assignment}, {student}" if student else assignment
            with replacing(made) as temporary:
                temporary.write_text(made_write_up(notebook, title), encoding="utf-8")
            found.append(written_up(made))
        elif write_up:
            found.append(written_up(folder / write_up))
        found += ai_logs([folder / path for path in logs])
    except DocumentError as error:
        raise SubmissionError(str(error)) from error
    except ModuleNotFoundError:
        raise SubmissionError(
            "To make a write-up, run this in a cell of its own first, and then this cell again: "
            f"%pip install {' '.join(WRITE_UP_PACKAGES)}"
        ) from None  # whose traceback would say nothing more
    return found


def _trained_by_other_code(
    notebook: Notebook, artifacts: Path, networks: list[str]
) -> Iterator[str]:
    """Yield which networks were trained by functions that the saved notebook does not hold."""
    code = [cell["source"] for cell in notebook.cells if cell["cell_type"] == "code"]
    known = {function for source in code for function in functions_in(source)}
    for name in networks:
        trained_from = provenance_of(artifact_files(artifacts, name)[0])
        others = [] if trained_from is None else trained_from.other_functions(known)
        if others:
            yield (
                f"{name} was trained by other code than that of the saved notebook: "
                f"{', '.join(others)}. To train it again, delete {name}.safetensors from "
                f"{artifacts}, and run its cell."
            )


def _networks(artifacts: Path) -> tuple[list[str], list[str]]:
    """Return the names of the artifacts that can be handed in, and why others cannot."""
    names, problems = [], []
    for name in sorted(path.stem for path in artifacts.glob("*.safetensors")):
        try:
            load_artifact(artifacts, name)
        except (ArtifactError, ValueError) as error:
            problems.append(f"{name} is left out. {error}")
        else:
            names.append(name)
    return names, problems


def _owner(notebook: Notebook, artifact: str) -> str:
    question: Question | None = notebook.question_about(artifact)
    return "" if question is None else f"{question}: "


def _doubts(file: Path, notebook: Notebook, *, named: bool) -> list[str]:
    """Return what may be wrong with the notebook, though it can be packed."""
    doubts = [*_signs_of_another_state(file, notebook)]
    if notebook.repairs:
        doubts.append(
            f"{file.name} was repaired for the zip: {'; '.join(notebook.repairs)}. "
            "Your own file was not changed."
        )
    if not notebook.marks:
        doubts.append(
            "The marks of the questions are gone from all cells: an editor has removed them. Copy "
            "your answers into a fresh copy of the notebook, or tell your instructor."
        )
    doubts += [
        f"{title} has the same cell twice, and only one is graded: keep the original, and delete "
        "the copy."
        for title in notebook.doubled()
    ]
    doubts += [
        *names_not_defined(notebook),
        *notebook.too_long(),
        *notebook.not_run_in_order(),
    ]
    if not named:
        doubts.append(
            "The zip does not have your name yet: write it between the quotes in this cell, and "
            "run it again."
        )
    return doubts


def _signs_of_another_state(file: Path, notebook: Notebook) -> list[str]:
    """Return signs that the student's work is not, or not all, in the file that was packed."""
    signs = []
    if unsaved_code_was_run(file, [cell["source"] for cell in notebook.cells]):
        signs.append(
            f"You have run code that is not in {file.name}: the notebook was changed after it was "
            "saved. Save it (Ctrl+S or ⌘S), and run this cell again."
        )
    running = running_notebook()
    if running not in (None, file.name):
        signs.append(
            f"You are working in {running}, but {file.name} was packed. If your work is in "
            f"{running}, give it the name {file.name}."
        )
    signs += [
        f"{twin.name} is a copy of the notebook, and was not packed. If your work is there, give "
        f"it the name {file.name}; if not, delete it."
        for twin in sorted(file.parent.glob("*.ipynb"))
        if twin.name not in (file.name, running) and _is_twin(twin, notebook)
    ]
    return signs


def _is_twin(other: Path, notebook: Notebook) -> bool:
    """Return whether another notebook holds questions of this one."""
    try:
        return not set(read_notebook(other).marks).isdisjoint(notebook.marks)
    except (NotebookError, OSError):
        return False


def _file_name(student: str) -> str:
    """Return the name of a student as a part of a file name that every system accepts."""
    letters = unicodedata.normalize("NFC", student)
    return re.sub(r"[\W_]+", "_", letters)[:MAX_NAME].strip("_")


def _say(heading: str, points: list[str]) -> None:
    if points:
        print(heading, *points, sep="\n  - ")


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{-(-size // 1024)} kB"
