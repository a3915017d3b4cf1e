"""The class report and the grades file of a graded course."""

import csv
import re
import shutil
from html import unescape

import pytest
from graded_course import ASSIGNMENT, QUESTIONS, GradedCourse
from playwright.sync_api import sync_playwright

from autograder.course import Course, NoGradebook
from autograder.reporting import report as report_module
from autograder.reporting.copied_code import AlikeCode, ComparedCode
from autograder.reporting.copied_networks import Finding, SharedNetworks
from autograder.reporting.copies import LookAlikes
from autograder.reporting.report import class_report, grades_csv
from autograder.reporting.results import NothingGraded, read_class

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FULL = {"affine_quantize": 8.0, "affine_dequantize": 3.0, "stochastic_comparison": None}
TRUNCATED = ("truncated_codes", "You cut off the fraction: use `round`, and compare x < y.")


@pytest.fixture
def course(tmp_path):
    """Return an empty class of the small assignment (13 points and 3 bonus points)."""
    return GradedCourse(tmp_path)


def report(course):
    """Write the page; return its source."""
    path = class_report(ASSIGNMENT, course.paths)
    assert path == course.folder / "report" / f"{ASSIGNMENT}.html"
    return path.read_text(encoding="utf-8")


def visible(page):
    """Return the words of a page, without its tags, style sheet and script."""
    page = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


def section(page, heading):
    """Return the words of the section under a heading."""
    return visible(re.search(rf"<h2>{heading}</h2>.*?</section>", page, re.DOTALL).group())


def grades(course):
    """Return the grades file as one dict per student."""
    path = grades_csv(ASSIGNMENT, course.paths)
    with path.open(newline="", encoding="utf-8") as stream:
        return {row["student"]: row for row in csv.DictReader(stream)}


def test_the_figures_at_the_top_agree_with_the_gradebook(course):
    course.submit("ada", FULL)
    course.submit("ben", {"affine_quantize": 4.0, "stochastic_comparison": 0.0})
    course.submit("cai", {"affine_quantize": 6.5, "affine_dequantize": 3.0, "bonus_nonzero": 3.0})
    course.enrol("dee")

    words = visible(report(course))

    assert "13 points and 3 bonus points in 4 questions" in words
    assert "Submissions 3 of 4 students" in words
    assert "Median score 11 of 13" in words
    assert "Highest score 12.5 of 13 + 3" in words
    assert "Waiting for manual grading 1 submission, 1 answer" in words
    submissions = course.gradebook.assignment_submissions(ASSIGNMENT)
    assert sorted(s.score for s in submissions) == [4.0, 11.0, 12.5]


def test_a_screen_reader_says_how_many_questions_of_a_submission_are_right(course):
    course.submit("ada", {"affine_quantize": 8.0, "affine_dequantize": 1.0} | {"bonus_nonzero": 0})

    assert 'aria-label="1 with full points, 1 with part of the points, 2 without points"' in (
        report(course)
    )


def test_manual_grading_counts(course):
    course.submit("ada", FULL, manual={"stochastic_comparison": 1.5})

    page = report(course)

    assert "Highest score 12.5 of 13" in visible(page)
    assert "Waiting for manual grading 0 submissions" in visible(page)


def test_a_late_penalty_is_taken_off_but_never_below_zero(course):
    course.submit("ada", FULL, late_penalty=2.0)
    course.submit("ben", {}, late_penalty=2.0)

    results = read_class(ASSIGNMENT, course.paths)

    assert [submission.score for submission in results.submissions] == [9.0, 0.0]


def test_each_question_says_how_many_reached_full_part_or_no_points(course):
    course.submit("ada", {**FULL, "affine_quantize": 8.0})
    course.submit("ben", {**FULL, "affine_quantize": 8.0})
    course.submit("cai", {**FULL, "affine_quantize": 2.0})
    course.submit("dee", {**FULL, "affine_quantize": 0.0})

    row = next(r for r in report(course).split("<tr") if "<code>affine_quantize<" in r)

    assert "2 with full points, 1 with part of the points, 1 without points" in row
    assert "50 %" in row
    assert "4.5 of 8" in visible(row)


def test_names_lead_to_feedback_pages_and_misconceptions_to_the_question(course):
    course.submit("O'Neil Zoë", FULL, misconceptions={"affine_quantize": TRUNCATED})
    course.submit("ben", FULL)
    page = course.paths.feedback_page("O'Neil Zoë", ASSIGNMENT)
    page.parent.mkdir(parents=True)
    page.write_text("")
    address = f"../feedback/O%27Neil%20Zo%C3%AB/{ASSIGNMENT}/{ASSIGNMENT}.html"
    found = re.findall(r'<a href="([^"]*)">', report(course))
    assert set(found) == {address, f"{address}#affine_quantize"}


def test_documents_beside_the_notebook_are_linked_unless_a_browser_would_run_them(course):
    for student in ("ada", "ben", "cai"):
        course.submit(student, FULL)
    folder = course.paths.submission("ada", ASSIGNMENT) / "documents"
    folder.mkdir(parents=True)
    for name in ("write_up.html", "ai_log.txt", "diary.txt"):
        (folder / name).write_text("Ada's")
    linked = course.paths.submission("ben", ASSIGNMENT) / "documents"
    linked.mkdir(parents=True)
    (linked / "write_up.pdf").symlink_to(course.paths.database)

    page = report(course)
    place = f"submitted/ada/{ASSIGNMENT}/documents"
    assert f'<a href="../{place}/ai_log.txt">{place}/ai_log.txt</a>' in page
    assert f"<code>{place}/write_up.html</code>" in page
    assert "diary" not in page
    assert "write_up.pdf" not in page


def test_a_question_agrees_with_the_others_from_ten_answers_on(course):
    def agreement():
        return re.findall(r'<td class="number agrees">(.*?)</td>', report(course))

    for number in range(10):
        assert set(agreement() if number else "–") == {"–"}
        scores = {"affine_quantize": number % 3, "affine_dequantize": number % 3}
        course.submit(f"student-{number}", {**scores, "stochastic_comparison": 2.0})
    assert agreement() == ["1.00", "1.00", "–", "–"]  # in the others, all have the same points


def test_answers_that_wait_do_not_count_in_a_questions_rate(course):
    course.submit("ada", FULL, manual={"stochastic_comparison": 2.0})
    course.submit("ben", FULL)

    row = next(r for r in report(course).split("<tr") if "<code>stochastic_comparison<" in r)

    assert "1 with full points, 1 waiting for manual grading" in row
    assert "100 %" in row


def test_questions_are_listed_in_the_notebooks_order_under_its_headings(course):
    course.submit("ada", FULL)

    words = section(report(course), "Questions")

    expected = [
        *("1.1 quantize and dequantize", "affine_quantize", "affine_dequantize"),
        *("2.1 Which rounding is better?", "stochastic_comparison written"),
        *("Bonus: zeros stay zero", "bonus_nonzero bonus"),
    ]
    places = [words.index(text) for text in expected]
    assert places == sorted(places)
    assert words.count("1.1 quantize and dequantize") == 1


def test_without_the_source_notebook_the_report_uses_the_questions_names(course, tmp_path):
    course.submit("ada", FULL)

    page = class_report(ASSIGNMENT, Course(course.folder, tmp_path / "nowhere")).read_text()

    assert "Affine quantize" in visible(page)


def test_the_commonest_misconception_comes_first_with_its_explanation_and_students(course):
    rare = ("scale_by_max_only", "You divide by the largest weight alone.")
    course.submit("ada", {}, misconceptions={"affine_dequantize": rare})
    course.submit("ben", {}, misconceptions={"affine_quantize": TRUNCATED})
    course.submit("cai", {}, misconceptions={"affine_quantize": TRUNCATED})

    words = section(report(course), "Commonest misconceptions")

    assert "2 students Truncated codes affine_quantize You cut off the fraction" in words
    assert "compare x < y. ben, cai" in words
    assert words.index("Truncated codes") < words.index("Scale by max only")


def test_a_submission_that_needs_a_look_is_listed_with_the_reasons(course):
    course.submit("ada", {}, flags=("cell 7: the kernel died", "took the network"))
    course.submit("ben", {})

    words = section(report(course), "Submissions that need a look")

    assert "ada cell 7: the kernel died took the network" in words
    assert "ben" not in words


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"sandbox": "none"}, "graded without a sandbox"),
        ({"record": False}, "holds no record of our grader"),
    ],
)
def test_a_submission_graded_without_a_sandbox_or_a_record_needs_a_look(course, how, reason):
    course.submit("ada", {}, **how)

    assert reason in section(report(course), "Submissions that need a look")


def test_a_submission_whose_graded_notebook_is_missing_needs_a_look(course):
    course.submit("ada", FULL)
    (course.folder / "autograded" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").unlink()

    page = report(course)

    assert "there is no graded notebook" in section(page, "Submissions that need a look")
    assert "Highest score 11 of 13" in visible(page)


def found_alike(monkeypatch, *, networks=(), groups=(), cut=()):
    """Let the comparison of the class return these findings."""
    code = ComparedCode(tuple(groups), usual=0.314, usual_rare=0.042, cut=tuple(cut))
    found = LookAlikes(tuple(networks), code)
    monkeypatch.setattr(report_module, "look_alikes", lambda *arguments: found)


def test_one_training_of_several_students_is_listed_with_its_networks(course, monkeypatch):
    course.submit("ada", {})
    networks = ("quick/qat_4bit", "quick/qat_3bit")
    copied = SharedNetworks(("ada", "ben"), networks, Finding.ONE_TRAINING)
    found_alike(monkeypatch, networks=[copied])

    words = section(report(course), "Submissions that look alike")

    assert "no score depends on it" in words
    assert f"ada, ben {Finding.ONE_TRAINING.value} quick/qat_4bit , quick/qat_3bit" in words


def test_code_that_is_alike_is_listed_with_what_is_usual_in_the_class(course, monkeypatch):
    course.submit("ada", {})
    pair = AlikeCode(("ada", "ben"), share=0.967, rare=0.88, cells=("huffman_words_solution",))
    three = AlikeCode(("cai", "dee", "eve"), share=0.7, rare=0.6, cells=("cell 3", "cell 5"))
    found_alike(monkeypatch, groups=[pair, three])

    words = section(report(course), "Submissions that look alike")

    assert "ada, ben Much the same code, apart from the names of variables. They share" in words
    assert "They share 97 % of the shorter notebook's code (31 % is usual" in words
    assert "is usual in this class), and 88 % of the code that is rare in this class (4 %" in words
    assert "Most of it is in huffman_words_solution ." in words
    assert "cai, dee, eve Much the same code, apart from the names of variables. Each of" in words


def test_the_same_weights_are_listed_separately_and_explained(course, monkeypatch):
    course.submit("ada", {})
    same = SharedNetworks(("ada", "ben"), ("quick/qat_4bit",), Finding.SAME_WEIGHTS)
    found_alike(monkeypatch, networks=[same])

    words = section(report(course), "Submissions that look alike")

    assert "None: no two students handed in the same training" in words
    assert "The same weights, which mean little by themselves: 1 group" in words
    assert "the same code gives the same weights on the same kind of machine" in words
    assert f"ada, ben {Finding.SAME_WEIGHTS.value} quick/qat_4bit" in words


def test_a_class_without_copies_is_said_to_have_none(course):
    course.submit("ada", {})

    words = section(report(course), "Submissions that look alike")

    assert "None: no two students handed in the same training" in words
    assert "same weights" not in words


def test_a_large_group_shows_twelve_names_and_the_others_on_request(course, monkeypatch):
    course.submit("ada", {})
    everybody = tuple(f"student{number:02d}" for number in range(30))
    copied = SharedNetworks(everybody, ("quick/qat_4bit",), Finding.ONE_TRAINING)
    found_alike(monkeypatch, networks=[copied])

    page = report(course)

    assert "student11<details><summary>and 18 more</summary>student12, " in page


def test_code_that_was_compared_only_in_part_is_reported(course, monkeypatch):
    course.submit("ada", {})
    found_alike(monkeypatch, cut=["eve"])

    words = section(report(course), "Submissions that look alike")

    assert "Only the first 131,072 characters of the code of these students" in words
    assert "eve" in words


def test_only_students_who_submitted_are_compared(course, monkeypatch):
    course.submit("ada", {})
    course.enrol("ben")
    asked = []
    empty = LookAlikes((), ComparedCode())
    monkeypatch.setattr(report_module, "look_alikes", lambda *args: asked.append(args) or empty)

    report(course)

    assert asked == [(ASSIGNMENT, course.paths, ["ada"])]


def test_the_plots_tell_their_figures_to_a_screen_reader_too(course):
    course.submit("ada", FULL, seconds=12.0)
    course.submit("ben", {"affine_quantize": 4.0}, seconds=300.0)

    labels = re.findall(r'<svg[^>]* aria-label="([^"]*)"', report(course))

    assert labels == [
        "score: 4 to 6 points: 1 submission; 10 to 12 points: 1 submission; median 7.5 points.",
        "time: 10 to 20 seconds: 1 submission; 200 to 500 seconds: 1 submission; "
        "median 156 seconds.",
    ]


def test_students_without_a_submission_are_listed(course):
    course.submit("ada", FULL)
    course.enrol("ben", first_name="Ben", last_name="Okafor")

    words = section(report(course), "Not submitted")

    assert "1 student of the class has no submission. Okafor, Ben ben" in words


def test_an_empty_class_gives_one_clear_sentence(course):
    course.enrol("ada")

    page = report(course)

    assert "Nobody has submitted this assignment yet" in visible(page)
    assert "<svg" not in page
    assert "1 student of the class has no submission" in visible(page)


def test_what_students_wrote_is_escaped(course, monkeypatch):
    attack = "<script>steal()</script>"
    name = "x<img src=x onerror=steal()>"
    course.submit(
        "ada",
        {},
        first_name=attack,
        last_name=name,
        flags=(f"not a notebook: {attack}",),
        misconceptions={"affine_quantize": (attack, attack)},
    )
    course.enrol("ben", first_name=attack)
    shared = SharedNetworks((attack, name), (attack,), Finding.ONE_TRAINING)
    same = SharedNetworks((attack, name), (attack,), Finding.SAME_WEIGHTS)
    code = AlikeCode((attack, name), 1.0, 1.0, cells=(attack,))
    found_alike(monkeypatch, networks=[shared, same], groups=[code], cut=[attack])

    page = report(course)

    assert page.count("<script") == 1
    assert "<img" not in page
    assert f"not a notebook: {attack}" in visible(page)


def test_the_page_loads_nothing_and_runs_only_its_own_script(course):
    course.submit("ada", FULL)

    page = report(course)

    assert not re.search(r"(src|href)=|url\(|@import|https?:", page)
    assert "default-src 'none'" in page
    assert re.search(r"script-src 'sha256-[\w+/=]{44}'", page)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_in_a_browser_a_click_on_a_heading_sorts_and_the_page_fits_a_phone(course):
    # Text with numbers in it would be sorted otherwise: 4.5, 4.3125, 10.
    course.submit("ada", {"affine_quantize": 8.0, "affine_dequantize": 2.0})
    course.submit("ben", {"affine_quantize": 4.3125})
    course.submit("cai", {"affine_quantize": 4.5})
    report(course)

    with sync_playwright() as playwright:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto((course.folder / "report" / f"{ASSIGNMENT}.html").as_uri())
        students = page.locator(".all tbody th.student")

        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.get_by_role("button", name="Score").click()
        assert students.all_inner_texts() == ["ben", "cai", "ada"]
        page.get_by_role("button", name="Score").click()
        assert students.all_inner_texts() == ["ada", "cai", "ben"]
        browser.close()


@pytest.mark.parametrize("write", [class_report, grades_csv])
def test_without_a_gradebook_the_error_says_what_to_do(tmp_path, write):
    with pytest.raises(NoGradebook, match="autograder release"):
        write(ASSIGNMENT, Course(tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_an_assignment_that_the_gradebook_does_not_know_is_named(course):
    with pytest.raises(NothingGraded, match="does not know the assignment 'pruning'"):
        class_report("pruning", course.paths)


def test_the_grades_file_has_a_row_per_student_and_a_column_per_question(course):
    course.submit("ada", {**FULL, "bonus_nonzero": 2.25}, first_name="Ada", last_name="Kim")
    course.enrol("ben")

    rows = grades(course)

    assert rows["ada"] == {
        "student": "ada",
        "name": "Kim, Ada",
        "submitted": "2025-11-20 17:30:00",
        "affine_quantize": "8",
        "affine_dequantize": "3",
        "stochastic_comparison": "0",
        "bonus_nonzero": "2.25",
        "late_penalty": "0",
        "total": "13.25",
        "bonus": "2.25",
        "maximum": "13",
        "needs_manual_grading": "yes",
    }
    assert [rows["ben"][question] for question in QUESTIONS] == [""] * 4
    assert rows["ben"]["total"] == "0"
    assert rows["ben"]["needs_manual_grading"] == "no"


def test_a_name_cannot_become_a_formula_in_a_spreadsheet(course):
    course.submit("ada", FULL, last_name="=HYPERLINK(1)")

    assert grades(course)["ada"]["name"] == "'=HYPERLINK(1)"
