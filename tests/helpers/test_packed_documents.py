"""`pack` takes a write-up and logs of AI tools, or makes the write-up from the notebook."""

import base64
import json
import sys
import zipfile

import pytest

from helpers import documents, kernel_runs
from helpers.artifacts import train_or_load
from helpers.notebook_file import Notebook
from helpers.provenance import functions_in
from helpers.submission import SubmissionError, pack
from helpers.training import History
from helpers.write_up import write_up

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def heading(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def answer(grade_id, text, **more):
    marks = {"grade_id": grade_id, "solution": True, "grade": True, "points": 2}
    return {"cell_type": "markdown", "metadata": {"nbgrader": marks}, "source": text, **more}


def code(source, count=1, outputs=()):
    return {
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "execution_count": count,
        "outputs": list(outputs),
    }


def figure(data=PIXEL):
    return {"output_type": "display_data", "metadata": {}, "data": {"image/png": data}}


def written(cells):
    return write_up(Notebook({"cells": list(cells), "metadata": {}}), "Ada's work")


def save(folder, cells):
    cells = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "quantization.ipynb").write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    monkeypatch.setattr(kernel_runs, "_runs", [])
    monkeypatch.chdir(tmp_path)
    save(tmp_path, [heading("### 1.1 Bits (2 points)"), answer("bits", "Half of $2^n$.")])
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7 ...")
    (tmp_path / "chat.txt").write_text("I asked for a hint.")
    return tmp_path


def packed(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# ------------------------------------------------------------------------------------------------
# Files that students bring


def test_a_write_up_and_a_log_are_packed_under_names_of_their_own(folder, capsys):
    found = packed(pack("quantization", write_up="report.pdf", ai_log="chat.txt"))
    assert found["documents/write_up.pdf"] == b"%PDF-1.7 ..."
    assert found["documents/ai_log.txt"] == b"I asked for a hint."
    assert "the write-up report.pdf, the AI log chat.txt." in capsys.readouterr().out


def test_several_logs_are_numbered(folder):
    (folder / "more.md").write_text("And for another.")
    found = packed(pack("quantization", ai_log=["chat.txt", "more.md"]))
    assert {"documents/ai_log_1.txt", "documents/ai_log_2.md"} <= set(found)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.pdf", None, "There is no file"),
        ("report.docx", b"PK", "not of a kind that is taken: .pdf, .html"),
        ("empty.pdf", b" ", "is empty"),
        ("renamed.pdf", b"PK word", "not a PDF"),
    ],
)
def test_a_write_up_that_nobody_could_read_is_refused(folder, name, content, said):
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(SubmissionError, match=said):
        pack("quantization", write_up=name)
    assert not (folder / "quantization.zip").exists()


def test_a_document_that_is_too_large_is_refused(folder, monkeypatch):
    monkeypatch.setattr(documents, "MAX_BYTES", 5)
    with pytest.raises(SubmissionError, match="make its pictures smaller"):
        pack("quantization", write_up="report.pdf")


# ------------------------------------------------------------------------------------------------
# The write-up that is made


def test_pack_makes_the_write_up_and_leaves_it_beside_the_notebook(folder):
    found = packed(pack("quantization", "Ada", write_up=True))
    page = (folder / "quantization_write_up.html").read_bytes()
    assert found["documents/write_up.html"] == page
    assert b"<title>quantization, Ada</title>" in page


@pytest.mark.parametrize(
    "module", ["markdown_it", "mdit_py_plugins.dollarmath", "latex2mathml.converter"]
)
def test_a_write_up_without_its_packages_says_what_to_install(folder, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    wanted = "run this in a cell .* %pip install markdown-it-py mdit-py-plugins latex2mathml$"
    with pytest.raises(SubmissionError, match=wanted):
        pack("quantization", write_up=True)
    assert not (folder / "quantization.zip").exists()


def test_answers_and_figures_stand_below_their_questions_in_the_order_of_the_notebook():
    page = written(
        [
            heading("# Part 1"),
            code("plt.plot()", outputs=[figure()]),  # of no question
            heading("### 1.1 First (2 points)"),
            answer("first", "Because *this*."),
            heading("### 1.2 Second (2 points)"),
            code("plot()", outputs=[figure(), figure()]),
            answer("second", "Therefore."),
            heading("### 1.3 Third (2 points)"),
            code("1 + 1"),
        ]
    )
    order = ["1.1 First", "<em>this</em>", "1.2 Second", "Figure 1, of 1.2 Second<", "Figure 2"]
    places = [page.index(text) for text in [*order, "Therefore."]]
    assert places == sorted(places)
    assert page.count("<h2>") == 2
    assert page.count("<img") == 2


def test_formulas_are_part_of_the_page():
    page = written([heading("### 1.1 A (2 points)"), answer("a", "$x^2$ and $$\\frac{1}{n}$$")])
    assert page.count("<math") == 2
    assert "<mfrac>" in page
    assert "http:" not in page


def test_a_formula_with_a_mistake_is_shown_as_it_was_typed():
    page = written([heading("### 1.1 A (2 points)"), answer("a", r"$\left(<b>$")])
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_html_in_an_answer_does_not_act():
    page = written(
        [heading("### 1.1 A (2 points)"), answer("a", "<script>x()</script>[y](javascript:z())")]
    )
    assert "<script" not in page
    assert 'href="javascript' not in page


def test_a_pasted_picture_is_shown_and_others_are_not_loaded():
    pasted = {"shot.png": {"image/png": PIXEL}}
    text = "![a](attachment:shot.png) ![b](https://example.org/b.png) ![c](attachment:no.png)"
    page = written([heading("### 1.1 A (2 points)"), answer("a", text, attachments=pasted)])
    assert f'src="data:image/png;base64,{PIXEL}"' in page
    assert "example.org" not in page


def test_an_output_that_is_no_picture_is_left_out():
    broken = [figure('"><script>'), figure(None), "nothing", {"output_type": "stream"}]
    page = written([heading("### 1.1 A (2 points)"), code("plot()", outputs=broken)])
    assert "<img" not in page
    assert "<script" not in page


def test_an_empty_answer_is_named():
    page = written([heading("### 1.1 A (2 points)"), answer("a", "YOUR ANSWER HERE")])
    assert "This answer is still empty." in page


# ------------------------------------------------------------------------------------------------
# What pack says about the notebook


def test_an_answer_that_is_too_long_is_named(folder, capsys):
    limit = code('checks.words("bits", 3)')
    save(folder, [heading("### 1.1 Bits (2 points)"), answer("bits", "one two three four"), limit])
    pack("quantization", "Ada")
    assert "1.1 Bits: the answer has 4 words, and may have 3." in capsys.readouterr().out
    save(folder, [heading("### 1.1 Bits (2 points)"), answer("bits", "one two three"), limit])
    pack("quantization", "Ada")
    assert "words" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((1, 2, 3), None),
        ((5, 7, 9), None),
        ((1, None, 2), "has not been run (1.2 B)"),
        ((1, 4, 3), "has been run before code above it (1.3 C)"),
    ],
)
def test_cells_that_did_not_run_from_top_to_bottom_are_named(folder, capsys, counts, said):
    cells = []
    for name, count in zip("ABC", counts, strict=True):
        cells += [heading(f"### 1.{'ABC'.index(name) + 1} {name} (2 points)"), code("x = 1", count)]
    save(folder, [*cells, code('pack("quantization");', None), code("# the end", None)])
    pack("quantization", "Ada")
    out = capsys.readouterr().out
    assert ("In the saved notebook" in out) == (said is not None)
    assert said is None or said in out


TRAINING = '''
def train(model, checkpoint):
    """Train the model."""
    return History([1.0], [0.5], [0.5], [0.1], {seconds})  # quickly
'''


def trained(folder, source):
    """Train a network with code as a notebook would hold it."""
    file = folder / "cell.py"
    file.write_text(source)
    names = {"History": History, "__name__": "a_notebook"}
    exec(compile(source, str(file), "exec"), names)
    from torch import nn

    train_or_load("net", names["train"], nn.Linear(2, 2))


def test_a_network_that_was_trained_by_other_code_is_named(folder, capsys):
    trained(folder, TRAINING.format(seconds="[2.0]"))
    save(folder, [code("%%time\n" + TRAINING.format(seconds="[2.0]"))])
    pack("quantization", "Ada")
    assert "other code" not in capsys.readouterr().out
    save(folder, [code(TRAINING.format(seconds="[3.0]"))])
    pack("quantization", "Ada")
    assert "net was trained by other code than that of the saved notebook: train." in (
        capsys.readouterr().out
    )


def test_functions_are_found_within_functions_and_classes():
    source = "class A:\n    def f(self):\n        def g(): return 1  # one\n        return g\n"
    assert set(functions_in(source)) == {
        "def f(self):\n\n    def g():\n        return 1\n    return g",
        "def g():\n    return 1",
    }
    assert not list(functions_in("def ("))


def test_the_pixel_of_these_tests_is_a_picture():
    assert base64.b64decode(PIXEL, validate=True).startswith(b"\x89PNG")
