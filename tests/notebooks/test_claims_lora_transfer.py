"""What the text of `lora_transfer` states about `quick` holds for the reference run.

Without a reference run there is nothing to compare with, and the tests are skipped.
"""

import pytest
import torch

from autograder import references
from autograder.references import artifacts
from helpers import data
from helpers.artifacts import load_artifact
from helpers.reference.lora_transfer import freezing, networks, spectrum
from helpers.transfer import head_name, last_stage_name, source_network


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


@pytest.fixture(scope="module")
def digits():
    return data.load("dark_digits", device="cpu")


def mean(name):
    runs = references.runs("quick")
    if name not in runs:
        pytest.skip(f"there is no reference run of {name} yet")
    return runs[name]["mean"]


def seconds(name):
    """Return the time of the fastest epoch, which other programs on the machine disturbed least."""
    mean(name)
    return min(load_artifact(artifacts("quick", "lora_transfer"), name).history.seconds)


# ------------------------------------------------------------------------------------------------
# Measured without a training


def early_output(model, x):
    for name in (last_stage_name(), head_name()):
        model.set_submodule(name, torch.nn.Identity())
    with torch.no_grad():
        return model.eval()(x)


@pytest.mark.parametrize("frozen", [False, True])
def test_the_output_of_the_early_part_moves_unless_the_statistics_are_frozen(digits, frozen):
    model = source_network()
    for name, part in model.named_children():
        if name not in networks.trained_parts():
            part.requires_grad_(False)
            if frozen:
                freezing.freeze(part)
    x = next(iter(digits.batches("test", 256)))[0]
    before = early_output(source_network(), x)
    model.train()
    with torch.no_grad():
        for inputs, _ in digits.batches("train", 128, 20 * 128):
            model(inputs)
    change = float((early_output(model, x) - before).norm() / before.norm())
    assert change == 0 if frozen else change > 0.1


def test_freezing_saves_a_quarter_of_the_trained_parameters(digits):
    counts = {
        build: freezing.training_cost(build(digits))["trained parameters"]
        for build in (
            networks.new_network,
            networks.frozen_network,
            networks.lora_head_network,
            networks.lora_convs_network,
        )
    }
    whole, frozen, lora_head, lora_convs = counts.values()
    assert frozen / whole == pytest.approx(0.75, abs=0.02)
    assert frozen - lora_head == 354
    assert frozen == pytest.approx(206_000, abs=500)
    assert lora_convs / whole == pytest.approx(0.1, abs=0.01)
    rank_16 = networks.lora_convs_network(digits, r=16, alpha=32.0)
    trained = freezing.training_cost(rank_16)["trained parameters"]
    assert trained == pytest.approx(104_000, abs=500)
    assert trained / frozen == pytest.approx(0.5, abs=0.01)


# ------------------------------------------------------------------------------------------------
# From the reference run


def test_the_whole_network_is_clearly_best():
    assert mean("pt_net") > mean("net_freeze") + 0.1
    assert mean("pt_net") > mean("net_freeze_lora") + 0.1


def test_the_two_frozen_networks_end_within_a_few_points():
    assert abs(mean("net_freeze") - mean("net_freeze_lora")) < 0.05


def test_freezing_saves_time():
    # With the same early layers frozen; the time of `net_freeze` was disturbed.
    assert seconds("net_freeze_lora") < seconds("pt_net")


def test_pretraining_and_new_statistics_help():
    assert mean("not_pretrained") < mean("pt_net") - 0.1
    assert mean("old_statistics") < mean("net_freeze") - 0.02


def test_statistics_that_move_to_the_new_images_are_better_than_old_ones():
    assert mean("moving_statistics") > mean("old_statistics") + 0.02


def test_the_rank_in_the_classifier_hardly_matters():
    names = ("head_frozen", "head_rank_1", "net_freeze_lora", "head_rank_9", "net_freeze")
    found = [mean(name) for name in names]
    assert max(found) - min(found) < 0.08


def test_the_rank_in_the_convolutions_matters():
    assert mean("convs_rank_1") < mean("convs_rank_16") - 0.2
    assert mean("convs_rank_16") > mean("net_freeze") + 0.03


def test_the_shares_of_rank_4_fall_with_the_number_of_rows(digits):
    mean("pt_net")
    start = networks.new_network(digits).state_dict()
    trained = load_artifact(artifacts("quick", "lora_transfer"), "pt_net").weights
    held = {
        name: spectrum.energy_held(w - start[name], 4)
        for name, w in trained.items()
        if w.dim() == 4
    }
    early = [share for name, share in held.items() if name.startswith("stage1")]
    late = [share for name, share in held.items() if name.startswith("stage3")]
    assert min(early) > max(0.4, sum(late) / len(late))
    torch.manual_seed(0)
    for name, share in held.items():
        assert share > spectrum.energy_held(torch.randn(trained[name].shape), 4)
