"""The cells that all notebooks have in common are the same text in all of them.

The cells about how to work, the setup and the handing in differ only in the name of the assignment,
in the imports, and in what is needed only if networks are trained and handed in.
"""

import ast
import re

import pytest
from source_notebook import assignments, cells, read

TRAINING = [a for a in assignments() if read(a).metadata["course"]["artifacts"]]
OTHERS = [a for a in assignments() if a not in TRAINING]
ABOUT_TRAINING = "\n\n**Training saves itself.**"
PROFILE = '# os.environ["COURSE_PROFILE"] = "full"  # remove the first # for CIFAR-10 on a GPU\n\n'


def text(assignment, cell_id):
    """Return the text of a cell without the name of the assignment."""
    (cell,) = [cell for cell in cells(assignment) if cell.id == cell_id]
    return cell.source.replace(assignment, "NAME")


def setup(assignment):
    """Return the three parts of the setup cell: the installation, the imports and the rest."""
    found = re.fullmatch(
        r"(.*?\n    check_version[^\n]*\n\n)(.*\n\n)(plt\..*)",
        text(assignment, "setup"),
        re.DOTALL,
    )
    return found.groups()


@pytest.mark.parametrize("cell", ["setup-heading", "submit", "pack"])
def test_the_cell_is_the_same_in_all_notebooks(cell):
    assert len({text(assignment, cell) for assignment in assignments()}) == 1


def test_notebooks_that_train_explain_how_to_work_in_the_same_words():
    assert len({text(assignment, "how-to-work") for assignment in TRAINING}) == 1


@pytest.mark.parametrize("assignment", OTHERS)
def test_a_notebook_that_trains_nothing_leaves_out_the_text_about_training(assignment):
    before, about_training, _ = text(TRAINING[0], "how-to-work").partition(ABOUT_TRAINING)
    assert about_training
    assert text(assignment, "how-to-work") == before


def test_the_installation_is_the_same_in_all_notebooks():
    assert len({setup(assignment)[0].replace(PROFILE, "") for assignment in assignments()}) == 1


@pytest.mark.parametrize("assignment", assignments())
def test_the_profile_can_be_switched_only_where_networks_are_trained(assignment):
    assert (PROFILE in setup(assignment)[0]) == (assignment in TRAINING)


@pytest.mark.parametrize("assignment", assignments())
def test_the_part_of_the_setup_that_differs_contains_only_imports(assignment):
    imports = ast.parse(setup(assignment)[1]).body
    assert {type(statement) for statement in imports} == {ast.Import, ast.ImportFrom}


def test_notebooks_that_train_end_their_setup_in_the_same_way():
    assert len({setup(assignment)[2] for assignment in TRAINING}) == 1
