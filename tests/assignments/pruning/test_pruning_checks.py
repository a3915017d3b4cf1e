import numpy as np
import pytest
import torch

from helpers.assignments.pruning import checks
from helpers.reference import masks
from helpers.reference.pruning import magnitude

SIZES = {"a": 100, "b": 300}


# Other correct ways to write it


def test_a_deviation_may_be_divided_by_n_minus_1():
    def prune_by_std(w, s):
        mask = torch.gt(w.abs(), s * torch.std(w))
        return torch.where(mask, w, torch.zeros_like(w)), mask

    assert checks.prune_by_std(prune_by_std)


def test_a_percentile_may_be_torchs_quantile():
    def prune_by_percentage(w, q):
        mask = ~(w.abs() <= torch.quantile(w.abs(), q / 100))
        return w.masked_fill(~mask, 0), mask

    assert checks.prune_by_percentage(prune_by_percentage)


def test_masks_may_be_applied_through_data():
    def apply_masks(model, masks):
        for name, module in model.named_modules():
            if name in masks:
                module.weight.data *= masks[name].float()

    assert checks.apply_masks(apply_masks)


def test_a_step_may_mask_the_velocity_too():
    def masked_step(w, velocity, gradient, mask, lr, momentum, weight_decay):
        velocity = (momentum * velocity + gradient + weight_decay * w) * mask
        return w * mask - lr * velocity, velocity

    assert checks.masked_step(masked_step)


# Wrong answers, and what the student reads


def test_a_mask_of_numbers_is_named():
    def prune_by_std(w, s):
        pruned, mask = magnitude.prune_by_std(w, s)
        return pruned, mask.float()

    assert "should be boolean" in checks.prune_by_std(prune_by_std).problem


def test_one_result_instead_of_two_is_named():
    problem = checks.prune_by_std(lambda w, s: magnitude.prune_by_std(w, s)[0]).problem
    assert problem == "Return two things, `pruned, mask`; you returned a tensor."


def test_a_wrong_example_shows_input_expectation_and_answer():
    def prune_by_percentage(w, q):
        return w.clone(), torch.ones_like(w, dtype=torch.bool)

    assert checks.prune_by_percentage(prune_by_percentage).problem.splitlines() == [
        "`w = [-3, 0.5, -1, 4, 0.25, -2]` and q = 50: the threshold lies half-way between 1 and 2.",
        "The mask should be [1, 0, 0, 1, 0, 1] (1 is kept); yours is [1, 1, 1, 1, 1, 1].",
    ]


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (checks.prune_by_std, magnitude.prune_by_std),
        (checks.prune_by_percentage, magnitude.prune_by_percentage),
    ],
    ids=lambda value: value.__name__,
)
def test_changing_the_tensor_in_place_is_noticed(check, right):
    def answer(w, amount):
        pruned, mask = right(w, amount)
        return w.copy_(pruned), mask

    assert check(answer).failed == "leaves `w` as it was"


def test_a_bias_that_is_pruned_is_noticed():
    def apply_masks(model, masks):
        for parameter in model.parameters():
            parameter.data *= parameter.data.abs() > 1.7

    def biases_too(model, masks_):
        masks.apply_masks(model, masks_)
        model.get_submodule("2").bias.data.zero_()

    assert not checks.apply_masks(apply_masks)
    assert checks.apply_masks(biases_too).failed == "leaves biases alone"


def test_rows_in_another_form_are_named():
    def tuples(parameters):
        return [tuple(row.values()) for row in magnitude.layer_summary(parameters)]

    def without_total(parameters):
        return magnitude.layer_summary(parameters)[:-1]

    assert "one of yours is a tuple" in checks.layer_summary(tuples).problem
    assert "yours are stem, block.0, classifier." in checks.layer_summary(without_total).problem


def test_a_class_without_its_hooks_is_noticed():
    class Hooks:
        def __init__(self, find_masks, pruning_epochs):
            pass

        def before_epoch(self, model, epoch):
            pass

    assert checks.iterative_pruning(Hooks).problem == "There is no method `after_step`."


# Values that a student writes down


def test_a_fraction_is_required_for_each_key():
    assert checks.fractions({"a": 0.5, "b": np.float32(0)}, ["a", "b"])
    assert "no sparsity for b" in checks.fractions({"a": 0.5}, ["a", "b"]).problem
    assert (
        "There should be no sparsity for 'c'" in checks.fractions({"a": 0, "c": 0}, ["a"]).problem
    )
    assert "0.8 for 80 %" in checks.fractions({"a": 80}, ["a"]).problem
    assert "yours is None" in checks.fractions(None, ["a"]).problem


def test_an_allocation_must_prune_enough_of_all_weights():
    assert checks.allocation({"a": 0.5, "b": 0.9}, SIZES, 0.8)
    assert checks.allocation({"a": 0.5, "b": 0.9}, SIZES, 0.8).fulfilled[-1].startswith("prunes")
    too_little = checks.allocation({"a": 0.9, "b": 0.5}, SIZES, 0.8)
    assert too_little.problem == "It prunes 240 of 400 weights, which is 60.00%."
    assert "no sparsity for a, b" in checks.allocation({}, SIZES, 0.8).problem
    assert "0.8 for 80 %" in checks.allocation({"a": 80, "b": 80}, SIZES, 0.8).problem


def test_sensitivity_has_accuracies_for_each_sparsity_and_layer():
    def check(values):
        return checks.sensitivity(values, (0.5, 0.95), ["a", "b", "c"], untouched=0.95)

    mild = {"a": 0.94, "b": 0.95, "c": 0.6}
    assert check({0.5: mild, 0.95: dict.fromkeys("abc", 0.1)})
    assert "nothing for 0.95 yet" in check({0.5: mild}).problem
    assert "no accuracy for c yet" in check({0.5: {"a": 0.9, "b": 0.9}, 0.95: mild}).problem
    assert "Is only one layer pruned" in check({0.5: dict.fromkeys("abc", 0.3), 0.95: mild}).problem
    assert "yours is None" in check(None).problem
