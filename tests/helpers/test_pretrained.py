"""The starting network of the quick profile shows what the course is about."""

import copy
import json
import math

import pytest
import torch
from safetensors import safe_open
from torch import nn

from helpers import pretrained
from helpers.batch_norm import reestimate_batch_norm
from helpers.data import ImageDataset, Split, load
from helpers.models import resnet20
from helpers.pretrained import PROFILE_OF, RECIPES, make, pretrained_resnet20, starting_weights
from helpers.training import evaluate

STAGES = ("stage1", "stage2", "stage3")
ORIGINALS = 359
"""How many of scikit-learn's digits the test images show."""


@pytest.fixture(scope="module")
def digits():
    return load("digits", device="cpu")


@pytest.fixture(scope="module")
def network(digits):
    return pretrained_resnet20(digits)


@pytest.fixture
def accuracy(digits, network):
    """Return a function that measures the network with its stages' convolutions changed."""

    def changed(change):
        model = copy.deepcopy(network)
        with torch.no_grad():
            for name, module in model.named_modules():
                if name.startswith(STAGES) and isinstance(module, nn.Conv2d):
                    module.weight.copy_(change(module.weight))
        return evaluate(model, digits)

    return changed


def to_bits(bits):
    def quantize(w):
        step = (w.max() - w.min()) / (2**bits - 1)
        return torch.round((w - w.min()) / step) * step + w.min()

    return quantize


def without_smallest(share):
    return lambda w: torch.where(w.abs() > w.abs().quantile(share), w, 0.0)


def test_the_network_has_learnt_its_task(network, digits):
    assert 0.91 < evaluate(network, digits) < 0.95  # with room to lose and to gain
    assert not network.training


def test_five_bits_cost_almost_no_accuracy_and_fewer_bits_cost_more(accuracy, network, digits):
    five, four, three, two = (accuracy(to_bits(bits)) for bits in (5, 4, 3, 2))
    assert five > evaluate(network, digits) - 0.01
    assert five > four - 0.01
    assert four > three + 0.02
    assert three > 0.8
    assert two < 0.3


def test_new_statistics_for_batch_norm_do_not_make_up_for_two_bits(network, digits):
    """They would, if layers were still as random as at the beginning of their training."""
    model = copy.deepcopy(network)
    with torch.no_grad():
        for name, module in model.named_modules():
            if name.startswith(STAGES) and isinstance(module, nn.Conv2d):
                module.weight.copy_(to_bits(2)(module.weight))
    reestimate_batch_norm(model, digits)
    assert 0.4 < evaluate(model, digits) < evaluate(network, digits) - 0.2


def test_layers_have_left_the_distribution_they_began_with(network):
    stds, kurtoses = [], []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            w = module.weight.detach()
            he = math.sqrt(2 / (module.out_channels * math.prod(module.kernel_size)))
            stds.append(w.std().item() / he)
            kurtoses.append((((w - w.mean()) / w.std()) ** 4).mean().item())
    assert sorted(stds)[-2] < 0.5  # of all but the stem
    assert max(kurtoses) > 6


def test_pruning_80_percent_at_once_breaks_the_network(accuracy):
    assert accuracy(without_smallest(0.3)) > 0.9
    assert accuracy(without_smallest(0.8)) < 0.4


def test_the_file_says_how_it_was_made_and_how_good_it_is(network, digits):
    path = pretrained.SHIPPED / "resnet20_quick.safetensors"
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["about"])
    assert about["recipe"] == RECIPES["digits"]
    assert about["test_accuracy"] == pytest.approx(evaluate(network, digits))
    assert {"seed", "torch", "device", "threads"} <= about.keys()


def test_the_weights_fit_the_default_variant_in_float32():
    weights = starting_weights("quick")
    resnet20().load_state_dict(weights)
    assert all(w.dtype == torch.float32 for name, w in weights.items() if "num_batches" not in name)


def test_a_profile_without_a_shipped_network_has_no_starting_weights():
    assert starting_weights("unknown") is None


@pytest.fixture
def tiny(monkeypatch):
    """Return eight images under the name of CIFAR-10, for which the recipe has one epoch."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8, generator=generator)
    split = Split(images, torch.arange(8))
    ones = torch.ones(3)
    monkeypatch.setitem(PROFILE_OF, "cifar10", "unknown")
    monkeypatch.setitem(RECIPES, "cifar10", {"epochs": 1, "batch_size": 4, "progress": False})
    return ImageDataset("cifar10", split, split, ones, ones, flip=True, pad=4)


def test_if_no_network_ships_one_is_trained_once_and_kept(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = pretrained_resnet20(tiny)
    assert len(list(tmp_path.rglob("resnet20.safetensors"))) == 1
    monkeypatch.setattr(pretrained, "fit", None)  # a second training would fail
    second = pretrained_resnet20(tiny)
    assert torch.equal(first.classifier.weight, second.classifier.weight)


def test_the_recipe_makes_the_same_network_again(tiny, tmp_path):
    first, second = make(tiny, tmp_path / "first"), make(tiny, tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
@pytest.mark.long
def test_the_shipped_network_is_the_one_its_recipe_makes(digits, network, tmp_path):
    remade = pretrained.read_weights(make(digits, tmp_path))
    model = resnet20()
    model.load_state_dict(remade)
    # Another machine adds in another order, and training amplifies the last bits of the weights:
    # two such networks differ like two random draws, by a few standard errors of the difference.
    # Images of one original are not independent of each other, so that the originals count.
    accuracy, count = evaluate(network, digits), ORIGINALS
    standard_error = math.sqrt(2 * accuracy * (1 - accuracy) / count)
    assert evaluate(model, digits) == pytest.approx(accuracy, abs=3 * standard_error)
