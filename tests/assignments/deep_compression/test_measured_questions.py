"""Questions whose answers are numbers: right answers, near misses and wrong ones."""

from copy import deepcopy

import numpy as np
import pytest
from source_notebook import judged

from helpers.batch_norm import reestimate_batch_norm
from helpers.data import load
from helpers.pretrained import pretrained_resnet20
from helpers.reference.deep_compression import shared_network, weight_sharing
from helpers.training import evaluate

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


# ------------------------------------------------------------------------------------------------
# The choice of sparsity and bits


def chosen(sparsity, bits):
    namespace = {"chosen_sparsity": sparsity, "chosen_bits": bits}
    return judged("deep_compression", "file_choice", namespace)


@pytest.mark.parametrize(
    ("sparsity", "bits"), [(0.6, 2), (0.59, 2), (np.float64(0.61), np.int64(2)), (0.6, 2.0)]
)
def test_a_choice_at_or_near_ours_earns_every_point(sparsity, bits):
    assert chosen(sparsity, bits).points == 4


@pytest.mark.parametrize(("sparsity", "bits"), [(0.6, 3), (0.5, 2)])
def test_a_choice_that_is_better_than_the_reported_one_earns_half(sparsity, bits):
    assert chosen(sparsity, bits).points == 2


@pytest.mark.parametrize(
    ("sparsity", "bits"), [(0.5, 4), (0.0, 8), (0.9, 1), (0.75, 2), (60, 2), (0.6, 0), ("60 %", 2)]
)
def test_a_choice_that_loses_too_much_or_is_no_smaller_earns_nothing(sparsity, bits):
    assert chosen(sparsity, bits).points == 0


# ------------------------------------------------------------------------------------------------
# Accuracies


def optimal(w, start):
    """Cluster by dynamic programming."""
    import kmeans1d

    labels, centroids = kmeans1d.cluster(w[w != 0].astype(float), len(start))
    return np.array(labels, np.uint8), np.array(centroids, np.float32)


def measured(cluster, settings):
    dataset = load("digits")
    start = shared_network.prune(pretrained_resnet20(dataset), dataset, 0.5)
    before, control = {}, {}
    for key, bits, method, seed in settings:
        model = deepcopy(start)
        shared_network.share(model, bits, method, seed, cluster=cluster)
        before[key] = evaluate(model, dataset)
        reestimate_batch_norm(model, dataset)
        control[key] = evaluate(model, dataset)
    return before, control


BITS = [(bits, bits, "linear", 0) for bits in (6, 5, 4, 3, 2)]
CLUSTERS = [weight_sharing.share_weights, weight_sharing.share_weights_by_sklearn, optimal]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_accuracies_with_any_good_clusters_earn_every_point(cluster):
    shared, control = measured(cluster, BITS)
    namespace = {"shared_accuracy": shared, "control_accuracy": control, "share_weights": cluster}
    assert judged("deep_compression", "sharing_sweep", namespace).points == 2


def test_a_control_that_was_not_measured_anew_loses_its_part():
    cluster = weight_sharing.share_weights
    shared, _ = measured(cluster, BITS)
    namespace = {"shared_accuracy": shared, "control_accuracy": shared, "share_weights": cluster}
    score = judged("deep_compression", "sharing_sweep", namespace)
    assert 1 < score.points < 2
    assert any("2 bits, batch norm measured anew" in message for message in score.messages)
