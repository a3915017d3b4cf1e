import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers.data import load
from helpers.pretrained import pretrained_resnet20
from helpers.reference import masks
from helpers.reference.deep_compression import shared_network, weight_sharing


@pytest.fixture(scope="module")
def pruned():
    dataset = load()
    model = pretrained_resnet20(dataset)
    shared_network.prune(model, dataset, 0.5)
    return model


def test_half_of_each_layer_is_pruned_the_same_way_every_time(pruned):
    dataset = load()
    again = pretrained_resnet20(dataset)
    shared_network.prune(again, dataset, 0.5)
    for name, tensor in pruned.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    for w in masks.layer_weights(pruned).values():
        assert masks.sparsity({"w": w}) == 0.5


@pytest.mark.parametrize("method", weight_sharing.METHODS)
def test_sharing_keeps_the_zeros_and_leaves_few_values_in_each_layer(pruned, method):
    model = copy.deepcopy(pruned)
    shared = shared_network.share(model, 3, method)
    for layer, w in masks.layer_weights(model).items():
        kept, labels, centroids = shared[layer]
        assert np.array_equal(w.numpy() != 0, kept)
        assert len(centroids) == 8
        assert shared_network.distinct_weights(w) == len(np.unique(labels)) <= 8


def test_a_step_moves_each_cluster_along_the_sum_of_its_gradients(pruned):
    """Compare with SGD on the centroids, whose gradients autograd finds through the indexing."""
    model = copy.deepcopy(pruned).eval()
    shared = shared_network.share(model, 2)
    layer = "stage2.1.conv1"
    kept, labels, centroids = (torch.from_numpy(part) for part in shared[layer])
    images = torch.randn((4, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    classes = torch.tensor([1, 2, 3, 4])

    free = centroids.clone().requires_grad_()
    weight = torch.zeros(kept.shape)
    weight[kept] = free[labels.long()]
    scores = torch.func.functional_call(model, {f"{layer}.weight": weight}, (images,))
    F.cross_entropy(scores, classes).backward()
    expected = centroids - 0.01 * free.grad

    model.zero_grad()
    hold = shared_network.tie(model, shared)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    F.cross_entropy(model(images), classes).backward()
    optimizer.step()
    hold(model)
    moved = masks.layer_weights(model)[layer]
    assert not moved[~kept].any()
    torch.testing.assert_close(moved[kept], expected[labels.long()], rtol=1e-4, atol=1e-6)


def test_clusters_stay_exactly_together_through_momentum_and_weight_decay(pruned):
    model = copy.deepcopy(pruned)
    shared = shared_network.share(model, 2)
    hold = shared_network.tie(model, shared)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        images = torch.randn((8, 3, 32, 32), generator=generator)
        optimizer.zero_grad()
        F.cross_entropy(model(images), torch.arange(8)).backward()
        optimizer.step()
        hold(model)
    for layer, w in masks.layer_weights(model).items():
        kept, labels, _ = shared[layer]
        assert not w.numpy()[~kept].any()
        for label in range(4):
            assert len(np.unique(w.numpy()[kept][labels == label])) <= 1


def test_values_that_rounding_has_moved_apart_count_as_one():
    w = torch.tensor([0, 1, 1 + 1e-6, -2, 0, -2 - 1e-6, 0.5])
    assert shared_network.distinct_weights(w) == 3
    assert shared_network.distinct_weights(torch.zeros(3)) == 0
    assert shared_network.distinct_weights(torch.linspace(1, 2, 50)) == 50


def test_a_network_that_is_pruned_and_shared_has_no_fault(pruned):
    model = copy.deepcopy(pruned)
    shared_network.share(model, 3)
    assert shared_network.sharing_fault(model, 3, sparsity=0.5) is None


def test_more_values_than_the_bits_allow_are_a_fault(pruned):
    model = copy.deepcopy(pruned)
    shared_network.share(model, 3)
    fault = shared_network.sharing_fault(model, 2, sparsity=0.5)
    count = shared_network.distinct_weights(model.stem.weight)
    assert fault == f"Layer stem has {count} different weights, but 2 bits allow 4."


def test_pruned_weights_that_have_come_back_are_a_fault(pruned):
    model = copy.deepcopy(pruned)
    shared_network.share(model, 3)
    w = masks.layer_weights(model)["classifier"]
    w[w == 0] = w[w != 0][0]
    fault = shared_network.sharing_fault(model, 3, sparsity=0.5)
    assert fault == "In layer classifier, pruned weights have become non-zero again."
