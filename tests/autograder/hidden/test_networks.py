"""A network is built where the code that changes it runs, and both sides read it alike."""

from pathlib import Path

import pytest
import torch
from torch import nn

from autograder.hidden import home_of, parameters_of, set_attribute, student, value
from autograder.hidden.student import Handle, StudentError, Submission, asking
from autograder.sandbox.inside.responder import Responder


def set_to_one(model):
    with torch.no_grad():
        model.weight.fill_(1)


@pytest.fixture(autouse=True)
def notebook():
    with asking(Submission(Responder({"nn": nn, "set_to_one": set_to_one}).answer, Path())):
        yield


def test_a_network_for_student_code_is_built_by_the_student():
    assert isinstance(home_of(student.set_to_one, nn=nn).nn.Linear(2, 1), Handle)


def test_a_network_for_our_code_is_built_here():
    assert isinstance(home_of(set_to_one, nn=nn).nn.Linear(2, 1), nn.Linear)


@pytest.mark.parametrize("implementation", [student.set_to_one, set_to_one])
def test_parameters_are_copies_that_do_not_change_with_the_network(implementation):
    model = home_of(implementation, nn=nn).nn.Linear(2, 1)
    model.load_state_dict({"weight": torch.zeros(1, 2), "bias": torch.zeros(1)})
    before = parameters_of(model, ["weight"])
    implementation(model)
    assert torch.equal(before["weight"], torch.zeros(1, 2))
    assert torch.equal(parameters_of(model, ["weight"])["weight"], torch.ones(1, 2))


@pytest.mark.parametrize("implementation", [student.set_to_one, set_to_one])
def test_an_attribute_is_set_on_either_side(implementation):
    model = home_of(implementation, nn=nn).nn.Linear(2, 1)
    set_attribute(model, "merged", True)
    assert value(model.merged) is True


def test_an_attribute_that_refuses_is_the_students_fault():
    with pytest.raises(StudentError, match="AttributeError"):
        set_attribute(student.nn.Linear(2, 1).weight, "is_leaf", False)
