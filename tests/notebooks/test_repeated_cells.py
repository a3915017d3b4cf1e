"""The cells that all notebooks have in common are the same text in all of them.

The cells about how to work, the setup and the handing in differ only in the name of the assignment,
in the imports, in the data, and in what is needed only if networks are trained and handed in.
"""

import ast
import re

import pytest
from source_notebook import assignments, cells, read

TRAINING = [a for a in assignments() if read(a).metadata["course"]["artifacts"]]
OTHERS = [a for a in assignments() if a not in TRAINING]
ABOUT_TRAINING = "\n\n**Training saves itself.**"
ABOUT_DATA = re.compile(r"Its (data are|text is) .*? To switch", re.DOTALL)
PROFILE = re.compile(
    r'# os\.environ\["COURSE_PROFILE"\] = "full"  '
    r"# remove the first # for (CIFAR-10|tiny Shakespeare) on a GPU\n"
    r"KEEP_ON_DRIVE = False  # [^\n]*\n\n"
)


def text(assignment, cell_id):
    """Return the text of a cell without the name of the assignment."""
    (cell,) = [cell for cell in cells(assignment) if cell.id == cell_id]
    return cell.source.replace(assignment, "NAME")


def setup(assignment):
    """Return the three parts of the setup cell: the installation, the imports and the rest."""
    found = re.fullmatch(
        r"(.*?\n    install_missing\(\)\n\n)(.*\n\n)(plt\..*)",
        text(assignment, "setup"),
        re.DOTALL,
    )
    return found.groups()


@pytest.mark.parametrize("cell", ["setup-heading", "submit", "pack"])
def test_the_cell_is_the_same_in_all_notebooks(cell):
    assert len({text(assignment, cell) for assignment in assignments()}) == 1


def test_notebooks_that_train_explain_how_to_work_in_the_same_words():
    found = [ABOUT_DATA.sub("To switch", text(a, "how-to-work")) for a in TRAINING]
    # Lines may end in other places after the sentences about the data.
    assert len({" ".join(words.split()) for words in found}) == 1


@pytest.mark.parametrize("assignment", OTHERS)
def test_a_notebook_that_trains_nothing_leaves_out_the_text_about_training(assignment):
    before, about_training, _ = text(TRAINING[0], "how-to-work").partition(ABOUT_TRAINING)
    assert about_training
    assert text(assignment, "how-to-work") == before


def test_the_installation_is_the_same_in_all_notebooks():
    assert len({PROFILE.sub("", setup(assignment)[0]) for assignment in assignments()}) == 1


@pytest.mark.parametrize("assignment", assignments())
def test_profile_and_drive_can_be_chosen_only_where_networks_are_trained(assignment):
    assert bool(PROFILE.search(setup(assignment)[0])) == (assignment in TRAINING)


@pytest.mark.parametrize("assignment", assignments())
def test_the_part_of_the_setup_that_differs_contains_only_imports(assignment):
    imports = ast.parse(setup(assignment)[1]).body
    assert {type(statement) for statement in imports} == {ast.Import, ast.ImportFrom}


def test_notebooks_that_train_end_their_setup_in_the_same_way():
    assert len({setup(assignment)[2] for assignment in TRAINING}) == 1
