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


def code_answer(source):
    kind = {"grade": False, "solution": True, "locked": False, "task": False}
    mark = {"schema_version": 3, "grade_id": "affine_solution", **kind}
    return new_code_cell(source, metadata={"nbgrader": mark})


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

    def write(
        notebook,
        late_penalty=None,
        comments=None,
        automatic_comments=None,
        manual=None,
        **grades,
    ):
        course = GradedCourse(tmp_path)
        course.gradebook.add_solution_cell("affine_solution", ASSIGNMENT, ASSIGNMENT)
        course.submit("ada", grades, manual=manual, late_penalty=late_penalty)
        [submitted] = course.gradebook.find_submission(ASSIGNMENT, "ada").notebooks
        for comment in submitted.comments:
            comment.manual_comment = (comments or {}).get(comment.name)
            comment.auto_comment = (automatic_comments or {}).get(comment.name)
        course.gradebook.db.commit()
        file = tmp_path / "autograded" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        nbformat.write(notebook, file)
        config = course_config(course.paths)
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


def test_the_scores_are_at_the_top_under_the_headings_of_the_course(feedback_page):
    title = new_markdown_cell("# My own title\n\n## 9.9 My own heading (8 points)")

    page = words(feedback_page(graded(title, hidden_test(result())), affine_quantize=5.0))

    assert "Feedback Quantization: fewer bits, the same answers ada 5 of 8 points" in page
    assert "1.1 quantize and dequantize 5 of 8" in page


def test_questions_under_one_heading_are_told_apart_without_their_internal_names(feedback_page):
    other = new_code_cell("", metadata=marks("affine_dequantize"))

    page = feedback_page(graded(hidden_test(result()), other), affine_quantize=5.0)

    top, _, notebook = words(page).partition("Your notebook, with the result")
    assert "answer in code: Affine quantize 5 of 8" in top
    assert "answer in code: Affine dequantize 0 of 3" in top
    assert "affine_" not in top + notebook


def test_a_file_that_is_no_notebook_is_explained_instead_of_every_answer_that_it_lacks(
    feedback_page,
):
    notebook = graded(hidden_test(result()))
    Record(unreadable="not JSON", questions={"affine_quantize": LOST}).write(notebook)

    page = words(feedback_page(notebook, affine_quantize=0.0))

    assert "What went wrong, and why The file that you handed in cannot be read" in page
    assert "as a notebook (not JSON)" in page
    assert "is missing <here>" not in page


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

    first, _, rest = page.partition('<details class="notebook">')
    assert "What went wrong, and why" in first
    assert "You cut off the fraction." in first
    assert "is missing &lt;here&gt;" in first
    assert '<a href="#affine_quantize">' in first
    assert 'id="affine_quantize"' in rest


@pytest.mark.parametrize("score", [8.0, None])
def test_nothing_went_wrong_where_a_person_gave_all_points_or_has_to_look(feedback_page, score):
    page = feedback_page(with_record(graded(hidden_test(result())), LOST), affine_quantize=score)

    assert "What went wrong" not in page


def test_a_link_to_a_question_leads_to_the_answer_and_not_to_the_result_below(feedback_page):
    setup = new_code_cell("import torch")
    page = feedback_page(
        graded(setup, code_answer("w / 2"), hidden_test(result())), affine_quantize=5.0
    )

    assert '<div class="card answer" id="affine_quantize">' in page
    assert page.count('id="affine_quantize"') == 1


def top_and_notebook(page):
    top, fold, notebook = page.partition('<details class="notebook">')
    assert fold
    return top, notebook


def test_what_a_person_took_off_and_wrote_stands_before_the_notebook(feedback_page):
    page = feedback_page(
        graded(written_answer("The second one.")),
        stochastic_comparison=None,
        manual={"stochastic_comparison": 0.5},
        comments={"stochastic_comparison": "Which of them has *no bias*?"},
    )

    top, notebook = top_and_notebook(page)
    assert (
        "What went wrong, and why 2.1 Which rounding is better? 0.5 of 2 "
        "Comment Which of them has no bias ?"
    ) in words(top)
    assert "<em>no bias</em>" in top
    assert "<em>no bias</em>" in notebook


def test_points_that_a_person_took_off_without_a_comment_are_named(feedback_page):
    page = feedback_page(
        graded(written_answer("The second one.")),
        stochastic_comparison=None,
        manual={"stochastic_comparison": 0.5},
    )

    assert "better? 0.5 of 2 A person graded this answer and left no comment." in words(
        top_and_notebook(page)[0]
    )


def test_a_comment_on_an_answer_with_full_points_stands_before_the_notebook(feedback_page):
    page = feedback_page(
        graded(written_answer("The second one.")),
        stochastic_comparison=None,
        manual={"stochastic_comparison": 2.0},
        comments={"stochastic_comparison": "Well put."},
    )

    top = words(top_and_notebook(page)[0])
    assert "Comments on your answers 2.1 Which rounding is better? 2 of 2 Comment Well put." in top
    assert "What went wrong" not in top


def test_a_comment_on_code_stands_with_what_its_hidden_test_says(feedback_page):
    page = feedback_page(
        with_record(graded(code_answer("w / 2"), hidden_test(result())), LOST),
        affine_quantize=5.0,
        comments={"affine_solution": "See the lecture."},
    )

    top = words(top_and_notebook(page)[0])
    assert "5 of 8 Comment See the lecture. You cut off the fraction. 3 bits:" in top


def test_a_comment_on_a_file_that_is_no_notebook_stands_before_the_notebook(feedback_page):
    notebook = graded(written_answer(""))
    Record(unreadable="not JSON").write(notebook)

    comments = {"stochastic_comparison": "Please come to my office."}
    page = feedback_page(notebook, comments=comments, stochastic_comparison=0.0)

    assert "Comment Please come to my office." in words(top_and_notebook(page)[0])


def test_a_comment_that_nbgrader_made_is_not_taken_for_a_persons(feedback_page):
    page = feedback_page(
        graded(written_answer("")),
        stochastic_comparison=0.0,
        automatic_comments={"stochastic_comparison": "No response."},
    )

    top, notebook = top_and_notebook(page)
    assert "Comment No response." in words(notebook)
    assert "Comment" not in words(top)


def test_a_script_in_a_comment_does_not_reach_the_page(feedback_page):
    attack = "<script>steal()</script><img src=x onerror='steal()'>[x](javascript:steal())"
    page = feedback_page(
        graded(written_answer("Yes.")),
        stochastic_comparison=1.0,
        comments={"stochastic_comparison": f"No: {attack}"},
    )

    assert "Comment No: x" in words(top_and_notebook(page)[0])
    assert "steal()" not in page


def test_a_picture_has_an_alternative_text(feedback_page):
    cell = new_code_cell("plt.show()", outputs=[new_output("display_data", {"image/png": "AAAA"})])

    page = feedback_page(graded(cell, hidden_test(result())), affine_quantize=5.0)

    [image] = re.findall(r"<img[^>]*>", page)
    assert "alt=" in image


def test_a_score_that_a_person_changed_is_shown(feedback_page):
    page = words(feedback_page(graded(hidden_test(result())), affine_quantize=7.5))

    assert "Result 7.5 of 8" in page


def test_an_answer_that_nobody_has_read_yet_is_not_shown_as_zero(feedback_page):
    page = words(feedback_page(graded(written_answer("Yes.")), stochastic_comparison=None))

    assert "1 answer still waits" in page
    assert "Your answer to be graded, out of 2" in page


def test_a_written_answer_is_shown_with_its_score_and_the_graders_comment(feedback_page):
    notebook = graded(written_answer("The **second** one."))

    comments = {"stochastic_comparison": "Why?"}
    page = words(feedback_page(notebook, comments=comments, stochastic_comparison=1.5))

    assert "Your answer 1.5 of 2 The second one. Comment Why?" in page
    assert "still waits" not in page


def test_a_late_penalty_is_shown(feedback_page):
    page = words(feedback_page(graded(hidden_test()), late_penalty=2.0, affine_quantize=5.0))

    assert "3 of 8 points" in page
    assert "2 points are taken off because the submission was late" in page


def test_one_point_of_a_late_penalty_is_singular(feedback_page):
    page = words(feedback_page(graded(hidden_test()), late_penalty=1.0, affine_quantize=5.0))

    assert "1 point is taken off because the submission was late" in page


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
    assert "<mi>a</mi><mo>&lt;</mo><mi>b</mi>" in page
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
