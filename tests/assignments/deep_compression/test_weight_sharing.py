import kmeans1d
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from helpers.data import load
from helpers.pretrained import pretrained_resnet20
from helpers.reference import masks
from helpers.reference.deep_compression import weight_sharing

NUMBERS = st.lists(
    st.integers(-2000, 2000).map(lambda number: number / 16), min_size=1, max_size=60
).map(lambda values: np.array(values, np.float32))


def pruned_layer(layer="stage1.1.conv1"):
    w = pretrained_resnet20(load()).get_parameter(f"{layer}.weight").detach()
    return torch.where(masks.magnitude_mask(w, 0.3), w, 0.0).numpy()


def distortion(w, start):
    return weight_sharing.distortion(w, *weight_sharing.share_weights(w, start))


# Starting centroids


def test_linear_starts_are_equally_spaced_between_the_ends():
    w = np.array([[0, -1], [2, 0.5], [1, 0.25]], np.float32)
    assert weight_sharing.starting_centroids(w, 2, "linear").tolist() == [-1, 0, 1, 2]


def test_density_starts_represent_equal_shares_of_the_weights():
    w = np.concatenate([np.arange(1, 1001), np.zeros(500)])
    start = weight_sharing.starting_centroids(w, 2, "density")
    assert start == pytest.approx([125.875, 375.625, 625.375, 875.125])


def test_random_starts_are_distinct_weights_and_depend_on_the_seed():
    w = pruned_layer()
    starts = [weight_sharing.starting_centroids(w, 4, "random", seed) for seed in (1, 1, 2)]
    assert np.isin(starts[0], w[w != 0]).all()
    assert len(np.unique(starts[0])) == 16
    assert np.array_equal(starts[0], starts[1])
    assert not np.array_equal(starts[0], starts[2])


@pytest.mark.parametrize("method", weight_sharing.METHODS)
def test_few_different_weights_are_the_centroids_themselves(method):
    w = np.array([0, 2, 2, -1, 0, 5, 5], np.float32)
    assert weight_sharing.starting_centroids(w, 2, method).tolist() == [-1, 2, 5]
    assert weight_sharing.starting_centroids(np.zeros(4), 2, method).size == 0


def test_arguments_are_checked():
    for bits, method in ((0, "linear"), (9, "linear"), (2.5, "linear"), (2, "kmeans++")):
        with pytest.raises(ValueError, match="must be"):
            weight_sharing.starting_centroids(np.ones(3), bits, method)


# Lloyd's iterations


def test_an_example_worked_out_by_hand():
    w = np.array([[0, 1], [5, 2], [0, 6]], np.float32)
    labels, centroids = weight_sharing.share_weights(w, [1.0, 6.0])
    assert labels.dtype == np.uint8
    assert labels.tolist() == [0, 1, 0, 1]
    assert centroids.tolist() == [1.5, 5.5]


def test_scikit_learn_gives_the_same_clusters_in_the_example():
    w = np.array([[0, 1], [5, 2], [0, 6]], np.float32)
    labels, centroids = weight_sharing.share_weights_by_sklearn(w, [1.0, 6.0])
    assert labels.tolist() == [0, 1, 0, 1]
    assert centroids.tolist() == [1.5, 5.5]


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
@pytest.mark.parametrize("method", ["linear", "density"])
def test_the_clusters_are_those_of_scikit_learn(bits, method):
    w = pruned_layer()
    start = weight_sharing.starting_centroids(w, bits, method)
    kept = w[w != 0].astype(np.float64).reshape(-1, 1)
    theirs = KMeans(len(start), init=start.reshape(-1, 1), n_init=1, tol=0, max_iter=1000).fit(kept)
    if len(np.unique(theirs.labels_)) < len(start) or (bits == 4 and method == "linear"):
        # scikit-learn moves a cluster that becomes empty; ours stays and may fill again.
        assert distortion(w, start) >= 0.9 * theirs.inertia_
        return
    labels, centroids = weight_sharing.share_weights(w, start)
    order = np.argsort(theirs.cluster_centers_[:, 0])
    assert centroids == pytest.approx(theirs.cluster_centers_[order, 0], rel=1e-5)
    assert np.array_equal(labels, np.argsort(order)[theirs.labels_])


@given(NUMBERS, st.integers(1, 3))
def test_every_weight_takes_its_nearest_centroid_and_each_centroid_is_the_mean(w, bits):
    start = weight_sharing.starting_centroids(w, bits, "density")
    labels, centroids = weight_sharing.share_weights(w, start)
    kept = w[w != 0].astype(np.float64)
    if kept.size == 0:
        assert labels.size == centroids.size == 0
        return
    distances = np.abs(kept[:, None] - centroids.astype(np.float64))
    slack = 1e-6 * np.abs(kept).max()
    assert (distances[np.arange(kept.size), labels] <= distances.min(axis=1) + slack).all()
    for label in np.unique(labels):
        assert centroids[label] == pytest.approx(kept[labels == label].mean(), abs=slack)


# The exact optimum


@settings(deadline=None)
@given(NUMBERS, st.integers(1, 8))
def test_the_optimum_agrees_with_kmeans1d(w, count):
    kept = w[w != 0].astype(np.float64)
    ours = weight_sharing.optimal_distortion(w, count)
    if np.unique(kept).size <= count:
        assert ours == 0
        return
    labels, centroids = kmeans1d.cluster(kept, count)
    theirs = ((kept - np.array(centroids)[labels]) ** 2).sum()
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9 * (kept**2).sum())


@pytest.mark.parametrize("bits", [2, 4])
def test_no_start_beats_the_optimum_of_a_real_layer(bits):
    w = pruned_layer()
    best = weight_sharing.optimal_distortion(w, 2**bits)
    labels, centroids = kmeans1d.cluster(w[w != 0].astype(np.float64), 2**bits)
    assert best == pytest.approx(weight_sharing.distortion(w, labels, centroids), rel=1e-9)
    for method in weight_sharing.METHODS:
        assert distortion(w, weight_sharing.starting_centroids(w, bits, method)) >= best * 0.999999


# Rebuilding the weights


@settings(deadline=None)
@given(NUMBERS)
def test_with_enough_centroids_nothing_is_lost(w):
    start = weight_sharing.starting_centroids(w, 8, "linear")
    labels, centroids = weight_sharing.share_weights(w, start)
    again = weight_sharing.rebuild(w != 0, labels, centroids)
    assert again.dtype == np.float32
    assert np.array_equal(again, w)


def test_a_centroid_of_zero_stays_a_weight():
    """A weight is pruned where `kept` says so, not wherever its value is zero."""
    kept = np.array([[True, False], [True, True]])
    labels, centroids = np.array([1, 0, 1], np.uint8), np.array([-1, 0], np.float32)
    assert weight_sharing.rebuild(kept, labels, centroids).tolist() == [[0, 0], [-1, 0]]


# Gradients


def test_the_gradient_of_a_centroid_agrees_with_autograd():
    generator = torch.Generator().manual_seed(0)
    kept = torch.rand((6, 4, 3, 3), generator=generator) < 0.6
    labels = torch.randint(5, (int(kept.sum()),), generator=generator)
    arriving = torch.randn(kept.shape, generator=generator, dtype=torch.float64)
    centroids = torch.randn(7, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.zeros(kept.shape, dtype=torch.float64)
    weights[kept] = centroids[labels]
    weights.backward(arriving)
    ours = weight_sharing.centroid_gradient(arriving, kept, labels, 7)
    torch.testing.assert_close(ours, centroids.grad)
    assert ours[5:].tolist() == [0, 0]
