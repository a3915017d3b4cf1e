"""What the text of `lora_transfer` states about `quick` holds for the reference run.

Without a reference run there is nothing to compare with, and the tests are skipped.
"""

import pytest
import torch

from autograder import references
from autograder.references import artifacts
from helpers import data
from helpers.artifacts import load_artifact
from helpers.measurements import measure
from helpers.reference.lora_transfer import freezing, lora, networks, spectrum
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
    assert frozen == 206_346
    assert lora_convs / whole == pytest.approx(0.1, abs=0.01)
    rank_16 = networks.lora_convs_network(digits, r=16, alpha=32.0)
    trained = freezing.training_cost(rank_16)["trained parameters"]
    assert trained / frozen == pytest.approx(0.5, abs=0.01)
    rank_1 = networks.lora_convs_network(digits, r=1, alpha=2.0)
    assert freezing.training_cost(rank_1)["trained parameters"] == 7_082


# ------------------------------------------------------------------------------------------------
# From the reference run


def hundredths(*names):
    """Return the mean accuracies, in per cent as the text rounds them."""
    return [round(100 * mean(name)) for name in names]


def test_the_accuracies_of_the_comparison():
    assert hundredths("pt_net", "net_freeze", "net_freeze_lora") == [97, 76, 74]
    names = ("not_pretrained", "old_statistics", "moving_statistics", "head_frozen")
    assert hundredths(*names) == [64, 67, 80, 70]


def accuracies(name):
    mean(name)
    return references.runs("quick")[name]["accuracies"]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("pt_net", "net_freeze"),
        ("pt_net", "net_freeze_lora"),
        ("pt_net", "not_pretrained"),
        ("pt_net", "convs_rank_16"),
        ("net_freeze", "old_statistics"),
        ("moving_statistics", "net_freeze"),
        ("convs_rank_1", "net_freeze"),
        ("convs_rank_16", "convs_rank_1"),
    ],
)
def test_one_network_is_better_than_another_with_every_seed(better, worse):
    assert min(accuracies(better)) > max(accuracies(worse))


def test_the_lora_classifier_loses_a_point():
    assert 0.005 < mean("net_freeze") - mean("net_freeze_lora") < 0.025


@pytest.mark.parametrize("name", ["pt_net", "net_freeze", "net_freeze_lora"])
def test_the_curves_rise(name):
    mean(name)
    curve = load_artifact(artifacts("quick", "lora_transfer"), name).history.test_accuracy
    assert curve == sorted(curve)


def test_the_curve_of_the_whole_network_is_the_highest_and_the_others_are_close():
    curves = [
        load_artifact(artifacts("quick", "lora_transfer"), name).history.test_accuracy
        for name in ("pt_net", "net_freeze", "net_freeze_lora")
    ]
    for whole, frozen, lora_head in zip(*curves, strict=True):
        assert whole > max(frozen, lora_head) + 0.1
        assert abs(frozen - lora_head) < 0.05


def test_freezing_saves_half_of_the_time():
    assert 0.3 < seconds("net_freeze") / seconds("pt_net") < 0.65


def trained(build, digits, name):
    """Load the network that the reference run has kept."""
    model = build(digits)
    load_artifact(artifacts("quick", "lora_transfer"), name).load_into(model)
    return model.eval()


def test_a_merged_update_leaves_the_predictions_as_they_are(digits):
    model = trained(networks.lora_head_network, digits, "net_freeze_lora")
    before = measure(model, digits)
    lora.merge(model.get_submodule(head_name()))
    assert measure(model, digits) == pytest.approx(before, abs=2 / len(digits.test))


def early_statistics(model):
    return {
        key: numbers.clone()
        for key, numbers in model.state_dict().items()
        if "running" in key and key.split(".")[0] not in networks.trained_parts()
    }


def test_the_moved_statistics_are_better_for_both_networks(digits):
    models = [
        trained(networks.frozen_network, digits, "net_freeze"),
        trained(networks.new_network, digits, "moving_statistics"),
    ]
    statistics = [early_statistics(model) for model in models]
    measured = []
    for model in models:
        for numbers in statistics:
            model.load_state_dict(numbers, strict=False)
            measured.append(measure(model, digits))
    frozen, frozen_with_moved, moved_with_frozen, moved = measured
    assert frozen_with_moved > frozen + 0.01
    # The network with moved statistics loses most when it gets others.
    assert moved - moved_with_frozen > frozen_with_moved - frozen + 0.05


def test_the_moved_statistics_are_those_of_the_augmented_images(digits):
    moved = early_statistics(trained(networks.new_network, digits, "moving_statistics"))

    def distance(model):
        found = early_statistics(model)
        return sum(float((found[k] - w).norm() / w.norm()) for k, w in moved.items()) / len(moved)

    augmented = networks.new_network(digits, measured_anew=False)
    augmented.train()
    with torch.no_grad():
        for stored, _ in digits.training_batches(128, torch.Generator().manual_seed(0)):
            augmented(digits.network_inputs(stored))
    old = distance(networks.new_network(digits, measured_anew=False))
    assert 3 * distance(augmented) < distance(networks.new_network(digits)) < old


def test_the_accuracies_by_rank():
    names = ("head_frozen", "head_rank_1", "net_freeze_lora", "head_rank_9", "net_freeze")
    assert hundredths(*names) == [70, 72, 74, 75, 76]
    assert hundredths("convs_rank_1", "convs_rank_16") == [82, 92]


@pytest.fixture(scope="module")
def held(digits):
    """Return the share of each convolution's change that rank 4 holds, and of a random matrix."""
    start = networks.new_network(digits).state_dict()
    weights = load_artifact(artifacts("quick", "lora_transfer"), "pt_net").weights
    torch.manual_seed(0)
    return {
        name: (
            spectrum.energy_held(w - start[name], 4),
            spectrum.energy_held(torch.randn(w.shape), 4),
        )
        for name, w in weights.items()
        if w.dim() == 4
    }


@pytest.mark.parametrize(
    ("stage", "change", "noise"),
    [("stage1", 69, 37), ("stage2", 48, 25), ("stage3", 36, 13)],
)
def test_the_shares_of_rank_4_fall_with_the_number_of_rows(held, stage, change, noise):
    found = torch.tensor([pair for name, pair in held.items() if name.startswith(stage)])
    assert (100 * found.mean(dim=0)).tolist() == pytest.approx([change, noise], abs=1)


def test_every_change_is_more_concentrated_than_a_random_matrix(held):
    assert all(change > noise for change, noise in held.values())
    early = [change for name, (change, _) in held.items() if name.startswith(("stem", "stage1"))]
    late = [change for name, (change, _) in held.items() if name.startswith("stage3")]
    assert min(early) > sum(late) / len(late)
