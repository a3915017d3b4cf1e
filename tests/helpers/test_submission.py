"""`pack` puts the notebook and its artifacts into a zip, and names what is missing."""

import copy
import json
import os
import re
import time
import zipfile

import nbformat
import pytest
from fake_colab import FakeColab
from IPython.core.interactiveshell import InteractiveShell
from source_notebook import assignments, marks, read, trained_networks
from torch import nn

from autograder.notebook.source import solved_text, visible_text
from helpers import kernel_runs, notebook_file, submission
from helpers.artifacts import artifact_folder, save_artifact
from helpers.asked_names import names_not_defined
from helpers.notebook_file import read_notebook
from helpers.submission import SubmissionError, pack
from helpers.training import History

HISTORY = History([1.0], [0.5], [0.5], [0.1], [2.0])


def cell(grade_id, source, solution=True, points=None):
    marks = {"grade_id": grade_id, "solution": solution}
    graded = marks | {"grade": True, "points": points}
    return {
        "cell_type": "code",
        "metadata": {"nbgrader": marks if points is None else graded},
        "outputs": [],
        "execution_count": 1,
        "source": source,
    }


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


ANSWERED = cell("answered_solution", "def answered(): ...")


def write_notebook(folder, cells=(ANSWERED,), artifacts=(), name="quantization"):
    cells = [{"id": f"cell-{number}", **each} for number, each in enumerate(cells)]
    metadata = {"course": {"artifacts": list(artifacts)}}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (folder / f"{name}.ipynb").write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a student's folder with a notebook and the artifact qat_4bit."""
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setattr(kernel_runs, "_runs", [])
    write_notebook(tmp_path)
    save_artifact(artifact_folder(tmp_path), "qat_4bit", nn.Linear(2, 2), HISTORY)
    return tmp_path


def names(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return set(archive.namelist())


def test_a_submission_holds_the_notebook_and_its_artifacts(folder):
    path = pack("quantization", folder=folder)
    assert path == folder / "quantization.zip"
    assert names(path) == {
        "quantization.ipynb",
        "artifacts/quick/qat_4bit.safetensors",
        "artifacts/quick/qat_4bit.json",
    }
    with zipfile.ZipFile(path) as archive:
        packed = archive.read("artifacts/quick/qat_4bit.safetensors")
    assert packed == (folder / "artifacts/quick/qat_4bit.safetensors").read_bytes()


def test_nothing_else_is_packed(folder, monkeypatch):
    before = names(pack("quantization", folder=folder))
    (folder / "diary.txt").write_text("private")
    (folder / "artifacts" / "quick" / "notes.txt").write_text("private")
    (folder / "artifacts" / "quick" / "qat_3bit.checkpoint").write_bytes(b"half a training")
    save_artifact(folder / "artifacts" / "full", "qat_2bit", nn.Linear(2, 2), HISTORY)
    assert names(pack("quantization", folder=folder)) == before


def test_a_link_to_another_file_is_not_packed(folder, capsys):
    (folder / "secret").write_bytes(b"private")
    (folder / "artifacts" / "quick" / "stolen.safetensors").symlink_to(folder / "secret")
    assert not any("stolen" in name for name in names(pack("quantization", folder=folder)))
    assert "stolen is left out" in capsys.readouterr().out


def test_a_complete_submission_is_not_called_incomplete(folder, capsys):
    write_notebook(folder, [cell("ste_solution", "def f(): ...")], ["qat_4bit"])
    pack("quantization", folder=folder)
    out = capsys.readouterr().out
    assert "quantization.ipynb (as saved just now) and qat_4bit" in out
    assert "Not complete" not in out


def test_a_network_that_is_not_trained_is_named(folder, capsys):
    write_notebook(folder, artifacts=["qat_4bit", "qat_3bit"])
    pack("quantization", folder=folder)
    assert "qat_3bit is not trained yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    "stub", ["# YOUR CODE HERE\nraise NotImplementedError", "YOUR ANSWER HERE"]
)
def test_a_question_that_is_empty_is_named(folder, capsys, stub):
    cells = [cell("ste_forward_solution", ["def f():\n", stub]), cell("ste", stub, solution=False)]
    write_notebook(folder, cells)
    pack("quantization", folder=folder)
    out = capsys.readouterr().out
    assert out.count(": empty") == 1
    assert "○ ste_forward: empty" in out


def test_a_damaged_artifact_is_left_out_and_named(folder, capsys):
    (folder / "artifacts" / "quick" / "qat_4bit.safetensors").write_bytes(b"torn")
    assert names(pack("quantization", folder=folder)) == {"quantization.ipynb"}
    assert "qat_4bit is left out. qat_4bit.safetensors is damaged" in capsys.readouterr().out


def test_the_age_of_an_old_notebook_is_reported(folder, capsys):
    notebook = folder / "quantization.ipynb"
    hours_ago = notebook.stat().st_mtime - 2 * 3600 - 5
    os.utime(notebook, (hours_ago, hours_ago))
    pack("quantization", folder=folder)
    assert "as saved 120 min ago" in capsys.readouterr().out


def test_packing_again_replaces_the_submission(folder):
    pack("quantization", folder=folder)
    write_notebook(folder, [cell("a", "changed")])
    with zipfile.ZipFile(pack("quantization", folder=folder)) as archive:
        assert b"changed" in archive.read("quantization.ipynb")


def test_a_missing_notebook_says_where_it_should_be(tmp_path):
    with pytest.raises(SubmissionError, match=r"no quantization\.ipynb.*save the notebook"):
        pack("quantization", folder=tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json"])
def test_a_damaged_notebook_is_refused(tmp_path, content):
    (tmp_path / "quantization.ipynb").write_text(content)
    with pytest.raises(SubmissionError, match="is damaged"):
        pack("quantization", folder=tmp_path)


def test_a_notebook_that_the_grader_would_not_read_is_refused_with_a_message(folder):
    os.truncate(folder / "quantization.ipynb", notebook_file.MAX_BYTES + 1)
    with pytest.raises(SubmissionError, match="clear the outputs"):
        pack("quantization", folder=folder)
    assert not (folder / "quantization.zip").exists()


def test_too_many_artifacts_are_refused_with_a_message(folder, monkeypatch):
    monkeypatch.setattr(submission, "MAX_TOTAL_BYTES", 100)
    with pytest.raises(SubmissionError, match="delete artifacts"):
        pack("quantization", folder=folder)


def test_without_networks_the_message_does_not_mention_any(tmp_path, capsys):
    write_notebook(tmp_path)
    pack("quantization", "Ada", tmp_path)
    said = capsys.readouterr().out
    assert said.startswith(
        "Ada_quantization.zip (1 kB) holds quantization.ipynb (as saved just now).\n"
    )


# ------------------------------------------------------------------------------------------------
# Questions


SECTION = text("## 4. To 80 %")
HEADING = text("### 4.1 One-shot (2 points)\n\nCall the artifact `one_shot`.")
STUB = "# YOUR CODE HERE"


def test_an_empty_question_is_named_by_number_and_title_with_its_points(folder, capsys):
    cells = [SECTION, HEADING, cell("shot_solution", STUB), cell("shot", "", False, points=2)]
    write_notebook(folder, cells)
    pack("quantization", folder=folder)
    assert "\n  ○ 4.1 One-shot (2 points): empty\n" in capsys.readouterr().out


def test_a_part_of_a_question_that_is_empty_has_its_own_points(folder, capsys):
    parts = [cell("even_solution", "even = True"), cell("even", "", False, points=1)]
    graded = {"grade_id": "even_reason", "solution": True}
    written = text("YOUR ANSWER HERE") | {
        "metadata": {"nbgrader": graded | {"grade": True, "points": 2}}
    }
    write_notebook(folder, [text("### 5.1 Even? (1 + 2 points)"), *parts, written])
    pack("quantization", folder=folder)
    said = capsys.readouterr().out
    assert said.endswith("5.1 Even? (3 points): empty\n      2 of 3 points are empty.\n")


def test_a_missing_network_is_named_with_the_question_that_asks_for_it(folder, capsys):
    cells = [SECTION, HEADING, cell("shot_solution", ""), cell("shot", "", False, points=2)]
    write_notebook(folder, [*cells, text("### 4.2 More\n\nLike `one_shot`.")], ["one_shot"])
    pack("quantization", folder=folder)
    assert (
        "  - 4.1 One-shot (2 points): the network one_shot is not trained yet: run its cell."
        in capsys.readouterr().out
    )


def test_it_ends_with_the_scorecard_of_the_saved_notebook(folder, capsys):
    shot = [HEADING, cell("shot_solution", STUB), cell("shot", "", False, points=2)]
    why = [
        text("### 4.2 Why (3 points)"),
        cell("why_solution", "1"),
        cell("why", "", False, points=3),
    ]
    write_notebook(folder, [SECTION, *shot, *why])
    pack("quantization", folder=folder)
    assert capsys.readouterr().out.endswith(
        "\n3 of 5 points attempted; empty: 4.1\n"
        "  ○ 4.1 One-shot (2 points): empty\n"
        "  ● 4.2 Why (3 points): answered\n"
    )


def asking(folder, answer, check="checks.shot(shot)", more=()):
    """Save a notebook with an answer and its check."""
    graded = cell("shot", "", False, points=2)
    cells = [SECTION, HEADING, cell("shot_solution", answer), cell("x", check, False), graded]
    write_notebook(folder, [*more, *cells])


def test_a_function_that_the_check_asks_for_and_nothing_defines_is_named(folder, capsys):
    asking(folder, "def shoot(w):\n    shot = w\n    return shot")
    path = pack("quantization", folder=folder)
    assert path.is_file()
    assert (
        "4.1 One-shot: the check asks for `shot`, and no code of the saved notebook defines it."
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "answer",
    [
        "def shot(w): ...",
        "class shot: ...",
        "from somewhere import once as shot",
        "if fast:\n    shot = 1",
        "%matplotlib inline\n!ls\nfor shot in range(3): pass",
        "files = !ls\nshot, other = 1, 2",
        "from somewhere import *",
        "def shoot(w):\n    # YOUR CODE HERE\n    ...",
    ],
)
def test_a_name_that_is_or_may_be_defined_is_not_missed(folder, capsys, answer):
    asking(folder, answer)
    pack("quantization", folder=folder)
    assert "the check asks for" not in capsys.readouterr().out


def test_to_look_for_names_runs_nothing(folder):
    asking(folder, f"open({str(folder / 'ran')!r}, 'w')\nshot = 1")
    pack("quantization", folder=folder)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("assignment", assignments())
def test_every_name_that_the_checks_of_the_course_ask_for_is_defined(assignment, tmp_path):
    file = tmp_path / "solved.ipynb"
    solved = copy.deepcopy(read(assignment))
    for each in solved.cells:
        each.source = solved_text(each)
    nbformat.write(solved, file)
    notebook = read_notebook(file)
    assert sum(len(section.checks) for section in notebook.sections()) > 5
    assert list(names_not_defined(notebook)) == []


@pytest.mark.parametrize("assignment", assignments())
def test_pack_finds_the_question_of_every_network_that_the_course_asks_for(assignment, tmp_path):
    released = copy.deepcopy(read(assignment))
    for each in released.cells:
        each.source = visible_text(each)
    nbformat.write(released, tmp_path / "released.ipynb")
    notebook = read_notebook(tmp_path / "released.ipynb")
    headings = {}
    for each in read(assignment).cells:
        if found := re.findall(r"^### (\d\S* .+) \(", each.source, re.MULTILINE):
            heading = found[-1]
        if marks(each).get("grade") and each.cell_type == "code":
            headings |= dict.fromkeys(trained_networks(each), heading)
    assert set(headings) == set(notebook.artifacts)
    for name, heading in headings.items():
        assert notebook.question_about(name).title == heading


# ------------------------------------------------------------------------------------------------
# The name of the zip


@pytest.mark.parametrize(
    ("student", "name"),
    [
        ("", "quantization.zip"),
        ("  ", "quantization.zip"),
        ("Ada Lovelace", "Ada_Lovelace_quantization.zip"),
        ("Zoë O'Brien", "Zoë_O_Brien_quantization.zip"),
        ("李雷", "李雷_quantization.zip"),
        ("../../etc/passwd", "etc_passwd_quantization.zip"),
        ("a:b*c?<d>|e\\f\n", "a_b_c_d_e_f_quantization.zip"),
        ("x" * 500, f"{'x' * 40}_quantization.zip"),
    ],
)
def test_the_zip_is_named_after_the_student_by_a_name_that_is_safe(folder, student, name):
    path = pack("quantization", student, folder)
    assert path == folder / name
    assert path.is_file()


def test_a_zip_without_a_name_says_how_it_gets_one(folder, capsys):
    pack("quantization", folder=folder)
    assert "write it between the quotes in this cell" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------
# Work that is not in the file


def kernel_has_run(monkeypatch, *codes):
    """Let the kernel run some cells now, and then the one that packs."""
    runs = [(time.time() + 1, code) for code in (*codes, "pack(...)")]
    monkeypatch.setattr(kernel_runs, "_runs", runs)


def test_code_that_ran_and_was_not_saved_is_noticed(folder, capsys, monkeypatch):
    kernel_has_run(monkeypatch, "def answered():\n    return 1")
    pack("quantization", folder=folder)
    assert "You have run code that is not in quantization.ipynb" in capsys.readouterr().out


def test_code_that_was_saved_is_not_mentioned(folder, capsys, monkeypatch):
    kernel_has_run(monkeypatch, f"{ANSWERED['source']}\n")
    pack("quantization", folder=folder)
    assert "You have run code" not in capsys.readouterr().out


def test_code_that_ran_before_the_notebook_was_saved_may_have_been_changed(
    folder, capsys, monkeypatch
):
    runs = [(time.time() - 100, "an earlier attempt"), (time.time() + 1, "pack(...)")]
    monkeypatch.setattr(kernel_runs, "_runs", runs)
    pack("quantization", folder=folder)
    assert "You have run code" not in capsys.readouterr().out


def test_the_kernel_remembers_what_it_runs(monkeypatch):
    shell = InteractiveShell(colors="nocolor")
    monkeypatch.setattr(kernel_runs, "ipython_shell", lambda: shell)
    monkeypatch.setattr(kernel_runs, "_runs", [])
    kernel_runs.watch()
    kernel_runs.watch()
    for code in ("first = 1", "%pwd", "pack"):
        shell.run_cell(code)
    assert kernel_runs.code_run_since(0) == ["first = 1", "%pwd"]


@pytest.mark.parametrize("name", ["Copy of quantization", "quantization-Copy1", "quantization (1)"])
def test_a_copy_of_the_notebook_is_named(folder, capsys, name):
    write_notebook(folder, name=name)
    assert names(pack("quantization", folder=folder)) >= {"quantization.ipynb"}
    assert f"{name}.ipynb is a copy of the notebook, and was not" in capsys.readouterr().out


def test_another_notebook_in_the_folder_is_not_taken_for_a_copy(folder, capsys):
    write_notebook(folder, [cell("other_solution", "")], name="pruning")
    (folder / "broken.ipynb").write_text("{")
    pack("quantization", folder=folder)
    said = capsys.readouterr().out
    assert "pruning.ipynb" not in said
    assert "broken" not in said


def test_work_in_a_copy_is_noticed(folder, capsys, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/Copy of quantization.ipynb")
    write_notebook(folder, name="Copy of quantization")
    pack("quantization", folder=folder)
    said = capsys.readouterr().out
    assert "You are working in Copy of quantization.ipynb, but quantization.ipynb was" in said
    assert "is a copy of the notebook" not in said


def test_a_notebook_under_another_name_is_mentioned_where_the_right_one_is_missing(tmp_path):
    write_notebook(tmp_path, name="Copy of quantization")
    with pytest.raises(SubmissionError, match=r"There is Copy of quantization\.ipynb: rename"):
        pack("quantization", folder=tmp_path)


# ------------------------------------------------------------------------------------------------
# Notebooks that editors have changed


def packed_notebook(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("quantization.ipynb").decode("utf-8"))


def change(folder, changed):
    file = folder / "quantization.ipynb"
    content = json.loads(file.read_text(encoding="utf-8"))
    changed(content)
    file.write_text(json.dumps(content), encoding="utf-8")


def without_ids(content):
    for each in content["cells"]:
        del each["id"]


def same_ids(content):
    content["cells"] = [content["cells"][0], text("More") | {"id": "cell-0"}]


def without_outputs(content):
    del content["cells"][0]["outputs"], content["cells"][0]["execution_count"]


def null_metadata(content):
    content["cells"].append({"id": "x", "cell_type": "markdown", "metadata": None, "source": "?"})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (without_ids, "one cell had no identifier of their own"),
        (same_ids, "one cell had no identifier of their own"),
        (without_outputs, "one cell lacked parts that belong to every cell"),
        (null_metadata, "one cell lacked parts that belong to every cell"),
    ],
)
def test_what_an_editor_broke_is_repaired_in_the_zip_and_said(folder, capsys, changed, words):
    change(folder, changed)
    before = (folder / "quantization.ipynb").read_bytes()
    found = packed_notebook(pack("quantization", folder=folder))
    nbformat.validate(found)
    assert found["cells"][0]["source"] == ANSWERED["source"]
    assert f"quantization.ipynb was repaired for the zip: {words}." in capsys.readouterr().out
    assert (folder / "quantization.ipynb").read_bytes() == before


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_another_encoding_is_repaired_in_the_zip_and_said(folder, capsys, encoding):
    file = folder / "quantization.ipynb"
    file.write_text(file.read_text(encoding="utf-8"), encoding=encoding)
    assert packed_notebook(pack("quantization", folder=folder))["cells"]
    assert "it was not stored as plain UTF-8" in capsys.readouterr().out


def test_a_notebook_that_is_valid_is_packed_as_it_is(folder, capsys):
    with zipfile.ZipFile(pack("quantization", folder=folder)) as archive:
        packed = archive.read("quantization.ipynb")
    assert packed == (folder / "quantization.ipynb").read_bytes()
    assert "repaired" not in capsys.readouterr().out


def test_a_notebook_with_huge_outputs_is_packed_without_them(folder, capsys, monkeypatch):
    def plotted(content):
        content["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]

    change(folder, plotted)
    monkeypatch.setattr(notebook_file, "MAX_WITH_OUTPUTS", 100)
    found = packed_notebook(pack("quantization", folder=folder))
    assert found["cells"][0]["outputs"] == []
    assert "its outputs were left out" in capsys.readouterr().out


def test_marks_that_an_editor_removed_are_missed(folder, capsys):
    write_notebook(folder, [text("Answer")])
    pack("quantization", folder=folder)
    assert "The marks of the questions are gone" in capsys.readouterr().out


def test_a_question_whose_cell_is_there_twice_is_named(folder, capsys):
    write_notebook(folder, [HEADING, cell("shot_solution", "1"), cell("shot_solution", "2")])
    pack("quantization", folder=folder)
    assert "4.1 One-shot has the same cell twice, and only one is graded" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------
# Grading


def test_nothing_is_packed_and_nothing_fails_while_a_submission_is_graded(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COURSE_GRADING", "1")  # there, the notebook itself is out of reach
    assert pack("quantization", folder=tmp_path) == tmp_path / "quantization.zip"
    assert capsys.readouterr().out == "Nothing is packed while a submission is graded.\n"
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------
# Colab, where the notebook is in the browser


@pytest.fixture
def google(tmp_path, monkeypatch):
    fake = FakeColab(tmp_path / "drive")
    fake.install(monkeypatch)
    return fake


def test_on_colab_the_notebook_in_the_browser_is_packed_and_offered(folder, google, capsys):
    google.notebook = json.loads((folder / "quantization.ipynb").read_text())
    (folder / "quantization.ipynb").unlink()
    path = pack("quantization", "Ada", folder)
    assert names(path) == {
        "quantization.ipynb",
        "artifacts/quick/qat_4bit.json",
        "artifacts/quick/qat_4bit.safetensors",
    }
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("quantization.ipynb")) == google.notebook
    assert google.downloads == [str(path)]
    assert capsys.readouterr().out == (
        "Ada_quantization.zip (1 kB) holds quantization.ipynb (as saved just now) and qat_4bit.\n"
    )


def test_on_colab_an_older_file_is_not_taken_for_the_notebook_in_the_browser(folder, google):
    google.notebook = json.loads((folder / "quantization.ipynb").read_text())
    before = (folder / "quantization.ipynb").read_bytes()
    google.notebook["cells"][0]["source"] = "def answered(): return 1"
    with zipfile.ZipFile(pack("quantization", folder=folder)) as archive:
        assert json.loads(archive.read("quantization.ipynb")) == google.notebook
    assert (folder / "quantization.ipynb").read_bytes() == before


def test_on_colab_a_browser_that_does_not_answer_is_no_dead_end(folder, google):
    (folder / "quantization.ipynb").unlink()
    with pytest.raises(SubmissionError, match=r"run this cell again.*Download \.ipynb.*drag it"):
        pack("quantization", folder=folder)
    write_notebook(folder)
    assert "quantization.ipynb" in names(pack("quantization", folder=folder))
