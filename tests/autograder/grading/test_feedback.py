"""Students see the results of a graded notebook, and nothing in it acts in a reader's browser."""

import re
import time
from html import unescape

import nbformat
import pytest
from graded_course import ASSIGNMENT, QUESTIONS, GradedCourse
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader import handlers

from autograder.configuration import course_config
from autograder.course import Course
from autograder.grading.execution import MAX_NOTEBOOK_OUTPUT, shown_outputs
from autograder.grading.feedback import HideHiddenTests
from autograder.grading.question_box import GradedCheck, question_box
from autograder.grading.record import NamedMisconception, QuestionRecord, Record

SECRET = "same(student.quantize, affine.quantize, on=[(w, 3)], within=0.5 * scale)"
TEST = f"# Hidden tests: 8 points\n### BEGIN HIDDEN TESTS\n{SECRET}\n### END HIDDEN TESTS\n"
BOX = question_box(
    5, 8, [GradedCheck("3 bits", 0.5, "half of it is right", "You cut off the fraction.")]
)


def graded(*cells):
    """Return a graded notebook with these cells."""
    notebook = new_notebook(cells=list(cells))
    notebook.metadata["autograder"] = {"flags": ["took the network"]}
    return notebook


def marks(name):
    """Return nbgrader's metadata for the graded cell of a question."""
    _, points, written = QUESTIONS[name]
    kind = {"grade": True, "solution": written, "locked": not written, "task": False}
    return {"nbgrader": {"schema_version": 3, "grade_id": name, "points": points, **kind}}


def hidden_test(*outputs, source=TEST):
    return new_code_cell(source, outputs=list(outputs), metadata=marks("affine_quantize"))


def written_answer(text):
    return new_markdown_cell(text, metadata=marks("stochastic_comparison"))


def result(html=BOX, number="5.0"):
    return new_output("execute_result", {"text/plain": number, "text/html": html})


def error(*traceback):
    return new_output("error", ename="ValueError", evalue="no", traceback=list(traceback))


def hide(notebook):
    """Return the notebook as its student may see it."""
    return HideHiddenTests().preprocess(notebook, {})[0]


def test_the_hidden_region_is_removed_and_the_rest_of_the_cell_stays():
    cell = hide(graded(hidden_test(result()))).cells[0]

    assert cell.source == "# Hidden tests: 8 points\n"


def test_the_result_box_stays():
    cell = hide(graded(hidden_test(result()))).cells[0]

    assert cell.outputs == [result()]


def test_a_mark_scheme_is_hidden():
    source = "Explain.\n### BEGIN MARK SCHEME\n1 point for the slope\n### END MARK SCHEME"

    assert hide(graded(new_markdown_cell(source))).cells[0].source == "Explain."


def test_the_graders_record_is_removed():
    assert "autograder" not in hide(graded()).metadata


def test_a_traceback_of_a_hidden_test_is_replaced_by_a_sentence():
    (output,) = hide(graded(hidden_test(error(f"----> 1 {SECRET}")))).cells[0].outputs

    assert output.output_type == "stream"
    assert "did not reach a result" in output.text


@pytest.mark.parametrize(
    "output",
    [
        new_output("stream", text=f"I read: {SECRET}\n"),
        error("\x1b[32m      1\x1b[39m " + SECRET.replace(".", "\x1b[38;5;241m.\x1b[39m")),
        new_output("display_data", {"text/html": SECRET.replace("[", "&#91;")}),
        new_output("display_data", {"text/plain": "a plot"}, metadata={"note": SECRET}),
    ],
    ids=["print", "coloured traceback", "HTML entities", "metadata"],
)
def test_an_output_elsewhere_that_quotes_a_hidden_line_is_left_out(output):
    notebook = hide(graded(hidden_test(result()), new_code_cell("spy()", outputs=[output])))

    assert notebook.cells[1].outputs == [
        new_output("stream", text="[This output is left out because it quotes a hidden test.]\n")
    ]


@pytest.mark.parametrize("number", ["&#" + "9" * 5_000 + ";", "&#000000099;", "&#", "&#x63;"])
def test_an_invalid_character_reference_does_not_stop_the_feedback(number):
    output = new_output("stream", text=number)

    notebook = hide(graded(hidden_test(result()), new_code_cell("spy()", outputs=[output])))

    assert notebook.cells[1].outputs == [output]


def test_an_output_that_quotes_what_the_student_can_see_stays():
    shared = "from helpers.reference import masks"
    test = TEST.replace(SECRET, shared)
    student = new_code_cell(shared, outputs=[error(f"----> 1 {shared}")])

    notebook = hide(graded(hidden_test(result(), source=test), student))

    assert notebook.cells[1].outputs == [error(f"----> 1 {shared}")]


def test_a_region_that_a_student_never_closed_does_not_stop_the_feedback():
    notebook = hide(graded(new_code_cell("x = 1\n### BEGIN HIDDEN TESTS\ny = 2")))

    assert notebook.cells[0].source == "x = 1"


@pytest.fixture
def feedback_page(tmp_path):
    """Let nbgrader write the feedback page of a graded notebook; return its source."""

    def write(notebook, late_penalty=None, comment=None, **grades):
        course = GradedCourse(tmp_path)
        course.submit("ada", grades, late_penalty=late_penalty)
        if comment:
            names = ("stochastic_comparison", ASSIGNMENT, ASSIGNMENT, "ada")
            course.gradebook.find_comment(*names).manual_comment = comment
            course.gradebook.db.commit()
        file = tmp_path / "autograded" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        nbformat.write(notebook, file)
        config = course_config(Course(tmp_path))
        config.CourseDirectory.assignment_id = ASSIGNMENT
        GenerateFeedback(coursedir=CourseDirectory(config=config), config=config).start()
        return (tmp_path / "feedback" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text()

    return write


def words(page):
    """Return the words of a page, without its tags, style sheets and scripts."""
    page = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


def test_the_page_shows_the_box_and_no_hidden_line(feedback_page):
    page = feedback_page(graded(hidden_test(result(number="5.125"))), affine_quantize=5.0)

    assert "You cut off the fraction." in page
    assert "5.125" not in page, "the box replaces the bare number"
    assert SECRET.replace(" ", "") not in words(page).replace(" ", "")
    assert "took the network" not in page


def test_the_scores_are_at_the_top_under_the_notebooks_headings(feedback_page):
    title = new_markdown_cell("# Quantization\n\n## 1.1 Quantize (8 points)")

    page = words(feedback_page(graded(title, hidden_test(result())), affine_quantize=5.0))

    assert "Feedback Quantization ada 5 of 8 points" in page
    assert "1.1 Quantize 5 of 8" in page


@pytest.mark.parametrize(
    "heading",
    ["# a" + " " * 100_000 + "b", "# (" + "point " * 20_000, "#" * 100_000, "# " + "( " * 50_000],
)
def test_a_heading_of_any_length_does_not_delay_the_page(feedback_page, heading):
    before = time.monotonic()

    feedback_page(graded(new_markdown_cell(heading), hidden_test(result())), affine_quantize=5.0)

    assert time.monotonic() - before < 10


@pytest.mark.slow
def test_20_cells_of_8_mb_html_and_long_texts_give_a_page_within_seconds(feedback_page):
    html = {"output_type": "display_data", "data": {"text/html": "<div>" * (8 * 2**20 // 5)}}
    flood = [html, html, {"output_type": "stream", "text": "a < b\n" * 2**20}] * 20
    cells = [new_code_cell("", outputs=shown_outputs(flood, MAX_NOTEBOOK_OUTPUT))]
    cells += [new_code_cell("x = '<' + 1\n" * 300_000), new_markdown_cell("[*a](" * 700_000)]
    before = time.monotonic()

    page = feedback_page(graded(*cells, hidden_test(result())), affine_quantize=5.0)

    assert time.monotonic() - before < 60
    assert "The grader left out" in words(page)
    assert "more characters are left out here" in words(page)


def with_record(notebook, question):
    Record(questions={"affine_quantize": question}).write(notebook)
    return notebook


LOST = QuestionRecord(
    5.0,
    8.0,
    ["3 bits: `round` is missing <here>"],
    [NamedMisconception("cut_off", "You cut off the fraction.")],
)


def test_what_went_wrong_stands_before_the_notebook(feedback_page):
    notebook = with_record(graded(hidden_test(result(html="<p>box</p>"))), LOST)

    page = feedback_page(notebook, affine_quantize=5.0)

    first, _, rest = page.partition('<details class="notebook"')
    assert "What went wrong, and why" in first
    assert "You cut off the fraction." in first
    assert "is missing &lt;here&gt;" in first
    assert '<a href="#affine_quantize">' in first
    assert 'id="affine_quantize"' in rest


@pytest.mark.parametrize("score", [8.0, None])
def test_nothing_went_wrong_where_a_person_gave_all_points_or_has_to_look(feedback_page, score):
    page = feedback_page(with_record(graded(hidden_test(result())), LOST), affine_quantize=score)

    assert "What went wrong" not in page


def test_a_picture_has_an_alternative_text(feedback_page):
    cell = new_code_cell("plt.show()", outputs=[new_output("display_data", {"image/png": "AAAA"})])

    page = feedback_page(graded(cell, hidden_test(result())), affine_quantize=5.0)

    [image] = re.findall(r"<img[^>]*>", page)
    assert "alt=" in image


def test_a_score_that_a_person_changed_is_shown(feedback_page):
    page = words(feedback_page(graded(hidden_test(result())), affine_quantize=7.5))

    assert "Result affine_quantize 7.5 of 8" in page


def test_an_answer_that_nobody_has_read_yet_is_not_shown_as_zero(feedback_page):
    page = words(feedback_page(graded(written_answer("Yes.")), stochastic_comparison=None))

    assert "1 answer still waits" in page
    assert "stochastic_comparison to be graded, out of 2" in page


def test_a_written_answer_is_shown_with_its_score_and_the_graders_comment(feedback_page):
    notebook = graded(written_answer("The **second** one."))

    page = words(feedback_page(notebook, comment="Why?", stochastic_comparison=1.5))

    assert "Your answer stochastic_comparison 1.5 of 2 The second one. Comment Why?" in page
    assert "still waits" not in page


def test_a_late_penalty_is_shown(feedback_page):
    page = words(feedback_page(graded(hidden_test()), late_penalty=2.0, affine_quantize=5.0))

    assert "3 of 8 points" in page
    assert "2 points are taken off because the submission was late" in page


def test_a_script_in_a_written_answer_or_an_output_does_not_reach_the_page(feedback_page):
    attack = "<script>steal()</script><img src=x onerror='steal()'>"
    html = new_output("display_data", {"text/html": attack})
    script = new_output("display_data", {"application/javascript": "steal()"})
    cells = new_markdown_cell(f"Well: {attack}"), new_code_cell("", outputs=[html, script])

    assert "steal()" not in feedback_page(graded(*cells))


def test_a_written_answer_keeps_its_formatting_and_its_formulas(feedback_page):
    answer = "A **bold** answer, $a < b$:\n\n```python\nreturn w < 0\n```\n\n| x |\n|---|\n| 1 |"

    page = feedback_page(graded(new_markdown_cell(answer)))

    assert "<strong>bold</strong>" in page
    assert re.search(r"<mi>a</mi><mo>&lt;</mo><mi>b</mi>", page)
    assert 'class="highlight"' in page
    assert "<td>1</td>" in page


@pytest.mark.filterwarnings("ignore:No lexer found")
def test_nothing_that_a_student_wrote_acts_in_the_formgrader(tmp_path):
    def attack(number):
        return f"\"'></title><script>steal({number})</script>"

    image = {"image/png": {"width": attack(1)}}
    outputs = [
        new_output("display_data", {"text/html": attack(2)}),
        new_output("display_data", {"text/markdown": attack(3)}),
        new_output("display_data", {"text/latex": attack(4)}),
        new_output("display_data", {"image/svg+xml": f"<svg>{attack(5)}</svg>"}),
        new_output("display_data", {"image/png": attack(6)}, metadata=image),
        new_output("stream", text=attack(7)),
        new_output("error", ename=attack(8), evalue="", traceback=[attack(9)]),
    ]
    notebook = new_notebook(
        cells=[
            new_raw_cell(attack(10), metadata={"raw_mimetype": "text/html"}),
            new_markdown_cell(attack(11)),
            new_code_cell(attack(12), outputs=outputs, metadata={"tags": [attack(13)]}),
        ],
        metadata={"title": attack(14), "language_info": {"name": attack(15)}},
    )
    config = course_config(Course(tmp_path))
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]

    resources = {"metadata": {}, "index": 0, "total": 1}

    page, _ = HTMLExporter(config=config).from_notebook_node(notebook, resources)

    assert "&lt;script&gt;steal(7)" in page, "what was printed is shown"
    assert "<script>steal" not in page


def test_a_missing_attachment_does_not_stop_the_page(feedback_page):
    assert "![plot]" in feedback_page(graded(new_markdown_cell("![plot](attachment:gone.png)")))
