"""What the notebook on structured pruning says is true: computed, or asserted on reference runs."""

import json
import re
from itertools import pairwise
from math import sqrt

import pytest
import torch
from source_notebook import cells
from torch import nn

from autograder import references
from autograder.references import artifacts
from autograder.runs.convnet import DATA
from helpers import data
from helpers.artifacts import load_artifact
from helpers.batch_norm import reestimate_batch_norm
from helpers.history import History
from helpers.measurements import recall
from helpers.models import ConvNet
from helpers.reference.baseline.network import shipped_files, trained_convnet
from helpers.reference.structured_pruning import filters, smaller
from helpers.reference.structured_pruning.layers import (
    SparseConv2d,
    SparseConvNet,
    SparseWeightConv2d,
)
from helpers.training import evaluate

FULL, HALF = (32, 32, 64, 64, 128), (16, 16, 32, 32, 64)
CONV = {"structured": SparseConv2d, "unstructured": SparseWeightConv2d}
each_pruned = pytest.mark.parametrize("name", CONV)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


@pytest.fixture(scope="module")
def dataset():
    return data.load(DATA["quick"], "cpu")


def text(cell_id):
    (cell,) = [c for c in cells("structured_pruning") if c.id == cell_id]
    return " ".join(cell.source.split())


def run(name):
    return references.runs("quick")[name]


def at_once(label):
    manifest = json.loads((references.FROZEN / "quick" / "structured_pruning.json").read_text())
    return manifest["sweeps"]["convnet_pruned_at_once"]["figures"][label]


def history(name):
    return load_artifact(artifacts("quick", "structured_pruning"), name).history


def baseline_history():
    return History.from_dict(json.loads(shipped_files("quick")[1].read_text()))


def network(name):
    model = SparseConvNet(CONV[name]).eval()
    load_artifact(artifacts("quick", "structured_pruning"), name).load_into(model)
    return model


def points(accuracies):
    """Return the changes of an accuracy from epoch to epoch, in percentage points."""
    return [100 * (after - before) for before, after in pairwise(accuracies)]


# ------------------------------------------------------------------------------------------------
# A layer with a mask


def test_the_dense_and_the_sparse_network_have_the_same_history():
    dense, sparse = history("dense_convnet"), history("sparse_convnet")
    assert dense.train_loss == sparse.train_loss
    assert dense.test_accuracy == sparse.test_accuracy
    assert run("dense_convnet")["accuracies"] == run("sparse_convnet")["accuracies"]
    assert "agree in every digit" in text("few-note")


def test_a_pruned_filter_leaves_the_constant_of_the_formula(dataset):
    baseline, _ = trained_convnet(dataset)
    block = baseline.features[0]
    images, _ = next(iter(dataset.batches("test", 2, 2)))
    norm = block[1]
    c = torch.relu(
        norm.bias - norm.weight * norm.running_mean / (norm.running_var + norm.eps).sqrt()
    )
    with torch.no_grad():
        weight = block[0].weight.clone()
        block[0].weight.zero_()
        found = block(images)
        block[0].weight.copy_(weight)
    torch.testing.assert_close(found, c.detach().view(1, -1, 1, 1).expand_as(found))
    assert c.max() > 0.1


def test_what_the_next_layer_adds_is_another_number_at_the_border(dataset):
    baseline, _ = trained_convnet(dataset)
    conv = baseline.features[1][0]
    with torch.no_grad():
        constant = torch.zeros(1, 32, 8, 8)
        constant[:, 0] = 1.0
        added = conv(constant)[0]
    inside = added[:, 1:-1, 1:-1]
    torch.testing.assert_close(inside, inside[:, :1, :1].expand_as(inside))
    assert (added[:, 0, 1:-1] - inside[:, 0, :]).abs().max() > 0.01


def test_in_training_the_constant_is_the_shift():
    norm = nn.BatchNorm2d(3)
    norm.bias.data = torch.tensor([1.0, 2.0, -3.0])
    found = norm.train()(torch.zeros(4, 3, 5, 5))
    torch.testing.assert_close(found[0, :, 0, 0], norm.bias)


# ------------------------------------------------------------------------------------------------
# Pruned at once: the controls


def test_the_controls_fall_as_the_figures_are_described():
    before = at_once("nothing pruned")
    as_pruned = [at_once(f"{q} % of the filters") for q in (10, 20, 30, 40, 50)]
    anew = [
        at_once(f"{q} % of the filters, batch norm measured anew") for q in (10, 20, 30, 40, 50)
    ]
    for curve in (as_pruned, anew):
        assert all(later < earlier for earlier, later in pairwise(curve))
        assert curve[0] < before - 0.01
    assert as_pruned[-1] < 0.15
    assert anew[-1] > 0.7


@pytest.mark.parametrize("q", [10, 20, 30, 40, 50])
@pytest.mark.parametrize("how", ["", ", batch norm measured anew"])
def test_weights_can_be_missed_more_easily_than_filters(q, how):
    assert at_once(f"{q} % of the weights{how}") > at_once(f"{q} % of the filters{how}")


def test_what_half_of_the_weights_and_half_of_the_filters_cost_without_training():
    before = at_once("nothing pruned")
    weights, filters_ = (
        at_once(f"50 % of the {what}, batch norm measured anew") for what in ("weights", "filters")
    )
    assert round(100 * (before - weights)) == 1
    assert round(100 * (before - filters_)) == 16
    assert "for one point; half of the filters cost 16" in text("unstructured_written")


@each_pruned
def test_the_control_does_not_pass_for_the_trained_network(name, dataset):
    """By its accuracy, or by the distance of its weights from those of the baseline."""
    what = "filters" if name == "structured" else "weights"
    control = at_once(f"50 % of the {what}, batch norm measured anew")
    if name == "structured":
        assert control < references.bar("quick", name) - 0.1
    baseline, _ = trained_convnet(dataset)
    model = network(name)
    moved = length = 0.0
    for layer_name, layer in filters.sparse_layers(model).items():
        dense = baseline.get_parameter(f"{layer_name}.weight").detach() * layer.mask
        moved += float((filters.kept_weights(layer) - dense).square().sum())
        length += float(dense.square().sum())
    assert sqrt(moved / length) > 0.15  # hidden tests ask for 0.05


def test_the_control_is_what_the_reference_measured(dataset):
    baseline, _ = trained_convnet(dataset)
    model = SparseConvNet()
    model.load_state_dict(baseline.state_dict(), strict=False)
    filters.filter_l1_pruning(model, 50)
    reestimate_batch_norm(model, dataset)
    expected = at_once("50 % of the filters, batch norm measured anew")
    known = recall(references.measurements("quick"), model, dataset)
    assert evaluate(model, dataset) == pytest.approx(expected, abs=3e-3)
    assert known == expected


# ------------------------------------------------------------------------------------------------
# Pruned while training


@each_pruned
def test_half_of_each_layer_is_pruned(name):
    for layer in filters.sparse_layers(network(name)).values():
        assert int((layer.mask == 0).sum()) == layer.mask.numel() // 2


def test_the_trends_that_the_answer_describes():
    pruned, dense = history("structured").test_accuracy, baseline_history().test_accuracy
    ups, dense_ups = points(pruned), points(dense)
    # Epochs are counted from 0: prunings stand before the epochs 2, 4, 6, 8 and 10.
    assert min(ups[1], ups[3]) > 2
    assert all(abs(a - b) < 0.05 for a, b in zip(pruned[:6], dense[:6], strict=True))
    assert 5 < ups[4] < 7
    assert 5 < dense_ups[4] < 7
    assert -0.8 < ups[5] < -0.4
    assert dense_ups[5] == pytest.approx(-0.3, abs=0.06)
    assert abs(ups[7]) < 0.3
    assert -1 < ups[9] < -0.6
    assert abs(dense_ups[9]) < 0.2
    assert 0.4 < 100 * (pruned[-1] - pruned[10]) < 0.9
    assert 100 * (dense[-1] - pruned[-1]) == pytest.approx(1.6, abs=0.05)
    control = at_once("50 % of the filters, batch norm measured anew")
    assert round(100 * control) == 79
    assert round(100 * (pruned[-1] - control)) == 14


def test_the_comparison_of_the_three_networks():
    ends = [
        h.test_accuracy[-1]
        for h in (baseline_history(), history("unstructured"), history("structured"))
    ]
    assert [f"{100 * a:.1f} %" for a in ends] == ["95.4 %", "94.5 %", "93.8 %"]
    assert [round(2000 * (ends[0] - a)) for a in ends[1:]] == [18, 32]
    assert round(2000 * sqrt(0.95 * 0.05 / 2000)) == 10
    assert min(run("unstructured")["accuracies"]) > max(run("structured")["accuracies"])


def test_training_adds_to_the_control_of_weights_no_more_than_chance():
    control = at_once("50 % of the weights, batch norm measured anew")
    error = sqrt(control * (1 - control) / 2000)
    assert abs(history("unstructured").test_accuracy[-1] - control) < error
    assert "for weights, nothing beyond chance" in text("unstructured_written")


def test_weights_are_pruned_without_a_dip():
    ups = points(history("unstructured").test_accuracy)
    dense = points(baseline_history().test_accuracy)
    # Before epoch 6 the baseline falls by as much.
    assert ups[5] > dense[5]
    assert min(ups[7], ups[9]) > -0.15


def test_a_quarter_of_the_weights_works_without_half_of_the_filters():
    first = 27 * 16
    working = first + sum(9 * a * b for a, b in pairwise(HALF))
    everything = 27 * 32 + sum(9 * a * b for a, b in pairwise(FULL))
    assert round(100 * working / everything) == 25


# ------------------------------------------------------------------------------------------------
# The smaller network


def test_the_smaller_network_costs_a_quarter_and_a_little_more():
    for size in (16, 32):
        for full, half in zip(
            smaller.network_costs(FULL, size), smaller.network_costs(HALF, size), strict=True
        ):
            assert 3.5 < full / half < 4
    assert tuple(zip(FULL, smaller.STRIDES, strict=True)) == ConvNet.BLOCKS


def test_masked_and_smaller_network_differ_by_rounding_only(dataset):
    model = network("structured")
    small = smaller.smaller_network(model)
    images, _ = next(iter(dataset.batches("test", 500, 500)))
    with torch.no_grad():
        masked, narrow = model(images), small(images)
        exact = model.double()(images.double())
    largest = float(masked.abs().max())
    assert float((masked - narrow).abs().max()) < 3e-6 * largest
    assert float((masked - narrow).abs().max()) < 5 * float((masked - exact).abs().max())


def test_the_smaller_network_is_faster_and_masks_save_nothing():
    """The order of the medians, for a batch large enough that it does not depend on chance."""
    from statistics import median
    from time import perf_counter

    masked = network("structured")
    networks = {"masked": masked, "small": smaller.smaller_network(masked)}
    inputs, times = torch.randn(128, 3, 16, 16), {label: [] for label in networks}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            for _ in range(9):
                for label, model in networks.items():
                    began = perf_counter()
                    model(inputs)
                    times[label].append(perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    assert median(times["small"]) < 0.8 * median(times["masked"])


def test_the_epochs_of_the_text_include_the_comparison():
    found = re.search(r"(\d+) epochs of CIFAR-10 for the networks .* five more", text("points"))
    assert found[1] == "205"
