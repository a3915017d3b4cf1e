"""Copies are found among the code of a class, and other similarities are not."""

import ast
import random
import re
import time
from functools import cache
from pathlib import Path

import nbformat
import pytest

from autograder.assignments import NOTEBOOKS, assignments
from autograder.notebook.source import Part, lines, nbgrader_marks, visible_text
from autograder.reporting.copied_code import LONGEST_CODE, compare_code, passages, tokens
from autograder.samples import sample_class

CODE = """
def spread(w, bits=8):
    \"\"\"Return the scale.\"\"\"
    low, high = w.amin(), w.max()  # of all weights
    return (high - low) / (2**bits - 1)
"""


@pytest.mark.parametrize(
    "other",
    [
        CODE.replace("low", "smallest").replace("bits", "b").replace("spread", "width"),
        CODE.replace("# of all weights", "# another comment"),
        CODE.replace("Return the scale.", "Compute how large a step is."),
        re.sub(r"\s*([,=+*/-])\s*", r"\1", CODE).replace("    ", "\t"),
        CODE.replace("return (high - low)", "return (\n        high - low\n    )"),
    ],
    ids=["names", "comments", "docstrings", "spaces", "line breaks"],
)
def test_names_comments_strings_and_layout_do_not_count(other):
    assert other != CODE
    assert list(tokens(other)) == list(tokens(CODE))


@pytest.mark.parametrize(
    "other",
    [
        CODE.replace("amin", "mean"),
        CODE.replace("- 1", "- 2"),
        CODE.replace("high - low", "low - high + 1"),
        CODE.replace("return", "yield"),
    ],
)
def test_calls_of_a_library_numbers_signs_and_keywords_count(other):
    assert list(tokens(other)) != list(tokens(CODE))


def test_code_that_is_not_python_is_read_too():
    assert list(tokens("%pip install x\ndef f(:\n  'open\nx = '''open")) == [
        *("%", "v", "v", "v", "def", "v", "(", ":", "s", "v", "=", "s"),
    ]


@pytest.mark.parametrize(
    "nasty", ['\\"', '"', "'''", "\"\"\"x'''", "((", "a.", "#\n", "'\\\n", "\ud800", "1_"]
)
def test_no_text_takes_long_to_read(nasty):
    text = (nasty * LONGEST_CODE)[:LONGEST_CODE]
    began = time.process_time()
    passages("'" + text)
    passages(text)
    # It takes 0.2 s; an algorithm of quadratic time would take minutes.
    assert time.process_time() - began < 10


# ------------------------------------------------------------------------------------------------
# Classes


def own_code(author, cells=20):
    """Return code that nobody else writes, about as long as the answers to an assignment."""
    draw = random.Random(author)
    calls = [
        "np.linspace",
        "np.sort",
        "torch.round",
        "np.where",
        "w.max",
        "len",
        "np.abs",
        "F.relu",
    ]

    def line():
        numbers = [draw.randint(0, 99) for _ in range(3)]
        return f"x = {draw.choice(calls)}(y, {numbers[0]}) {draw.choice('+-*/')} z[{numbers[1]}]"

    return {f"cell_{n}": "\n".join(line() for _ in range(4)) for n in range(cells)}


def renamed(cells):
    return {
        name: re.sub(r"\b[xyz]\b", lambda match: match[0] + "_of_mine", source)
        for name, source in cells.items()
    }


def alike(code, released=()):
    return [group.students for group in compare_code(code, released).groups]


@pytest.mark.parametrize("size", [2, 3, 10, 40])
def test_a_renamed_copy_is_found_and_nobody_else_is_listed(size):
    code = {f"student{n}": own_code(n) for n in range(size - 1)}
    code["copy"] = renamed(code["student0"])
    assert alike(code) == [("copy", "student0")]


def test_a_copy_with_a_fifth_rewritten_is_found():
    code = {f"student{n}": own_code(n) for n in range(30)}
    rewritten = {name: own_code("copy")[name] for name in list(own_code("copy"))[:4]}
    code["copy"] = renamed(code["student0"]) | rewritten
    assert alike(code) == [("copy", "student0")]


def test_a_copy_in_other_cells_is_found():
    code = {f"student{n}": own_code(n) for n in range(10)}
    code["copy"] = {"cell 3": "\n\n".join(code["student0"].values())}
    assert alike(code) == [("copy", "student0")]


def test_ten_students_with_the_same_code_are_one_entry_that_names_the_cells():
    code = {f"student{n}": own_code(n) for n in range(40)}
    for n in range(9):
        code[f"copy{n}"] = code["student0"] | {"cell_5": own_code(f"copy{n}")["cell_5"]}
    (group,) = compare_code(code, []).groups
    assert len(group.students) == 10
    assert group.share == pytest.approx(0.95, abs=0.02)
    assert len(group.cells) == 3
    assert "cell_5" not in group.cells


def test_code_that_half_of_the_class_wrote_is_no_sign_of_copying():
    natural = own_code("the obvious answers")
    code = {}
    for n in range(40):
        short = {f"cell_{i}": natural[f"cell_{i}"] for i in range(14 if n % 2 else 0)}
        code[f"student{n:02d}"] = own_code(n) | short
    assert alike(code) == []


def test_rare_code_that_two_share_is_told_apart_from_code_that_many_wrote():
    natural = own_code("the obvious answers")
    code = {f"student{n:02d}": own_code(n) | dict(list(natural.items())[:10]) for n in range(40)}
    code["copy"] = code["student00"] | {
        f"cell_{i}": own_code("copy")[f"cell_{i}"] for i in (17, 18)
    }
    compared = compare_code(code, [])
    (group,) = compared.groups
    assert group.students == ("copy", "student00")
    assert group.rare > 0.6 > compared.usual > 0.4
    assert compared.usual_rare < 0.05


def test_released_code_does_not_count():
    released = own_code("the instructor").values()
    given = {f"given {n}": source for n, source in enumerate(released)}
    code = {f"student{n}": {**given, **own_code(n)} for n in range(5)}
    compared = compare_code(code, released)
    assert compared.groups == ()
    assert compared.usual < 0.05
    assert compare_code(dict.fromkeys(code, given), released).groups == ()


def test_a_few_short_answers_are_not_listed():
    code = {f"student{n}": own_code("the obvious answers", cells=3) for n in range(5)}
    assert alike(code) == []


def test_students_with_half_of_the_obvious_answers_are_not_listed():
    natural = own_code("the obvious answers", cells=30)
    code = {}
    for n in range(30):
        code[f"student{n:02d}"] = {**natural, f"own {n}": own_code(n)["cell_0"] * 8}
    code["half-a"] = dict(list(natural.items())[:12])
    code["half-b"] = dict(list(natural.items())[6:20])
    assert ("half-a", "half-b") not in alike(code)


def test_only_the_beginning_of_very_long_code_is_compared_and_this_is_noted():
    code = {f"student{n}": own_code(n) for n in range(4)}
    code["copy"] = code["student0"] | {"cell 99": "x = 1\n" * LONGEST_CODE}
    compared = compare_code(code, [])
    assert compared.cut == ("copy",)
    assert [group.students for group in compared.groups] == [("copy", "student0")]


def test_nothing_is_found_in_a_class_of_nobody_or_of_one():
    assert compare_code({}, []).groups == ()
    assert compare_code({"ada": own_code("ada"), "ben": {}}, ["x = 1"]).groups == ()


# ------------------------------------------------------------------------------------------------
# The course's own answers


def alternatives(assignment):
    """Return the file with other right answers to the questions of an assignment."""
    folder = Path(__file__).parents[2] / "assignments" / assignment
    return folder / f"test_{assignment}_alternatives.py"


@cache
def answers(assignment):
    """Return several answers to each question: the solution and the alternatives to it."""
    source = nbformat.read(NOTEBOOKS / assignment / f"{assignment}.ipynb", as_version=4)
    found = {
        nbgrader_marks(cell).grade_id: ["\n".join(line.text for line in lines(cell))]
        for cell in source.cells
        if cell.cell_type == "code" and nbgrader_marks(cell).get("solution")
    }
    text = alternatives(assignment).read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        name = re.fullmatch(r"(\w+?)_\d+", getattr(node, "name", ""))
        for variants in found.values() if name else ():
            if re.search(rf"(?m)^(def|class) {name[1]}\b", variants[0]):
                variants.append(ast.get_source_segment(text, node))
    assert sum(len(variants) > 1 for variants in found.values()) >= 5
    return found


@cache
def released(assignment):
    source = nbformat.read(NOTEBOOKS / assignment / f"{assignment}.ipynb", as_version=4)
    return [visible_text(cell) for cell in source.cells if cell.cell_type == "code"]


# How many answers are original. Where a few long answers make up most of the code, as they do in
# these two, students who draw from a few known answers have the same long ones by chance: with one
# original answer in seven, that was so for 4 groups in a class of 60.
ORIGINAL = {"structured_pruning": 0.3, "lora_transfer": 0.3}
USUALLY_ORIGINAL = 1 / 7


def student(assignment, draw):
    """Draw a known answer to each question, or in some cases an original one."""
    original = ORIGINAL.get(assignment, USUALLY_ORIGINAL)
    return {
        question: own_code(draw.random())["cell_0"]
        if draw.random() < original
        else draw.choice(variants)
        for question, variants in answers(assignment).items()
    }


# A new assignment has no alternatives yet, and a class of one short answer would be all alike.
@pytest.mark.parametrize("assignment", [a for a in assignments() if alternatives(a).exists()])
@pytest.mark.parametrize("size", [8, 60])
def test_students_who_give_the_known_answers_are_not_listed_and_a_copy_is(assignment, size):
    draw = random.Random(size)
    code = {f"student{n:02d}": student(assignment, draw) for n in range(size)}
    assert alike(code, released(assignment)) == []
    code["copy"] = renamed(code["student00"])
    assert alike(code, released(assignment)) == [("copy", "student00")]


def test_the_sample_class_is_one_solution_in_many_variants(tmp_path):
    assignment = "sparse_linear"
    blank = nbformat.read(NOTEBOOKS / assignment / f"{assignment}.ipynb", as_version=4)
    for cell in blank.cells:
        visible = [line.text for line in lines(cell) if line.part is Part.VISIBLE]
        cell.source = "\n".join(visible)
    nbformat.write(blank, tmp_path / "release.ipynb")
    names = sample_class(assignment, tmp_path / "release.ipynb", tmp_path)
    code = {}
    for name in set(names) - {"not-json"}:
        nb = nbformat.read(tmp_path / name / assignment / f"{assignment}.ipynb", as_version=4)
        code[name] = {
            nbgrader_marks(cell).grade_id: cell.source
            for cell in nb.cells
            if cell.cell_type == "code" and nbgrader_marks(cell).get("solution")
        }
    (group,) = alike(code, released(assignment))
    assert set(code) - set(group) == {"untouched", "forges-scores"}
