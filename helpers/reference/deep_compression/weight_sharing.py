"""Weight sharing: the kept weights of a layer take the values of a few centroids.

Weights that are zero are pruned: they belong to no cluster and stay zero. The other weights are
numbered in memory order. The label of each is the number of its centroid.

References
----------
Han, Mao and Dally, "Deep Compression: Compressing Deep Neural Networks with Pruning, Trained
Quantization and Huffman Coding", ICLR 2016 (arXiv:1510.00149), section 3.

Wang and Song, "Ckmeans.1d.dp: Optimal k-means Clustering in One Dimension by Dynamic Programming",
The R Journal 3(2), 2011.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

METHODS = ("linear", "density", "random")
MAX_BITS = 8  # a label is one byte


def starting_centroids(
    w: NDArray[np.floating], bits: int, method: str, seed: int = 0
) -> NDArray[np.float64]:
    """Return the centroids that k-means starts from (Han et al. 2016, section 3.2).

    Parameters
    ----------
    w
        The weights of a layer, in an array of any shape. Weights equal to 0 are pruned and ignored.
    bits
        Bits per label, 1 to 8: there are ``k = 2^bits`` centroids.
    method
        ``"linear"``: equally spaced from the smallest to the largest kept weight.
        ``"density"``: the quantiles ``(i + 1/2) / k`` of the kept weights, which are equally spaced
        in their cumulative distribution.
        ``"random"``: different values drawn at random from the kept weights (Forgy).
    seed
        Seed for ``"random"``.

    Returns
    -------
    ndarray
        (k,): the centroids in increasing order. If the kept weights have no more than ``k``
        different values, these values are returned for every method, because they represent the
        weights without loss.

    Raises
    ------
    ValueError
        If `bits` is not an integer from 1 to 8, or the method is unknown.
    """
    if bits not in range(1, MAX_BITS + 1):
        raise ValueError(f"bits must be a whole number from 1 to {MAX_BITS}, not {bits!r}.")
    if method not in METHODS:
        raise ValueError(f"method is {method!r}: it must be one of {', '.join(METHODS)}.")
    kept = np.asarray(w, dtype=np.float64)[np.asarray(w) != 0]
    count = 2**bits
    distinct = np.unique(kept)
    if distinct.size <= count:
        return distinct
    if method == "linear":
        return np.linspace(distinct[0], distinct[-1], count)
    if method == "density":
        return np.quantile(kept, (np.arange(count) + 0.5) / count)
    return np.sort(np.random.default_rng(seed).choice(distinct, count, replace=False))


def share_weights(
    w: NDArray[np.floating], start: ArrayLike
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Cluster the kept weights of a layer by Lloyd's iterations until no weight changes cluster.

    Parameters
    ----------
    w
        The weights of a layer, in an array of any shape. Weights equal to 0 are pruned and ignored.
    start
        (k,), float: the centroids to start from, as returned by `starting_centroids`.

    Returns
    -------
    labels
        (number of kept weights,): the number of the nearest centroid of each kept weight, in memory
        order.
    centroids
        (k,): the means of the clusters, in increasing order. A cluster that loses all its weights
        keeps its centroid.

    Notes
    -----
    In one dimension, clusters are intervals. The sorted weights are cut half-way between
    neighbouring centroids, and the means are computed from prefix sums.
    """
    kept = np.asarray(w, dtype=np.float64)[np.asarray(w) != 0]
    centroids = np.sort(np.asarray(start, dtype=np.float64))
    order = np.sort(kept)
    sums = np.concatenate([[0.0], np.cumsum(order)])
    edges = np.zeros(0, dtype=np.intp)
    while kept.size:
        cuts = np.searchsorted(order, (centroids[1:] + centroids[:-1]) / 2)
        new_edges = np.concatenate([[0], cuts, [order.size]])
        if np.array_equal(edges, new_edges):
            break
        edges = new_edges
        sizes = np.diff(edges)
        means = np.diff(sums[edges]) / np.maximum(sizes, 1)
        centroids = np.where(sizes > 0, means, centroids)
    middles = (centroids[1:] + centroids[:-1]) / 2
    # As in the loop: a weight on a cut belongs to the cluster above it.
    labels = np.searchsorted(middles, kept, side="right")
    return labels.astype(np.uint8), centroids.astype(np.float32)


def share_weights_by_sklearn(
    w: NDArray[np.floating], start: ArrayLike
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Cluster the kept weights as `share_weights` does, but with scikit-learn.

    This is a right answer as well, but it may end in another local optimum: where `share_weights`
    leaves a cluster empty, scikit-learn relocates it.

    Parameters
    ----------
    w
        The weights, in an array of any shape. Weights equal to 0 are ignored; at least one weight
        must be different from 0.
    start
        (k,), float: the centroids to start from.

    Returns
    -------
    labels
        (number of kept weights,): the number of the centroid of each kept weight.
    centroids
        (k,): the centroids.
    """
    from sklearn.cluster import KMeans

    kept = w[w != 0].astype(np.float64).reshape(-1, 1)
    found = KMeans(len(np.asarray(start)), init=np.reshape(start, (-1, 1)), n_init=1).fit(kept)
    return found.labels_, found.cluster_centers_.ravel()


def rebuild(
    kept: NDArray[np.bool_], labels: NDArray[np.uint8], centroids: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Convert labels back to the weights of a layer.

    Parameters
    ----------
    kept
        True where weights are kept, in the shape of the layer.
    labels
        (number of kept weights,): the number of the centroid of each kept weight, in memory order.
    centroids
        (k,): the centroids.

    Returns
    -------
    ndarray
        Of the same shape as `kept`: the centroids where weights are kept, and 0 elsewhere.
    """
    weights = np.zeros(kept.shape, dtype=np.float32)
    weights[kept] = centroids[labels]
    return weights


def centroid_gradient(gradient: Tensor, kept: Tensor, labels: Tensor, count: int) -> Tensor:
    """Return the gradient of the loss with respect to each centroid.

    Many weights have the value of the same centroid. By the chain rule, the gradient of a centroid
    is the sum of the gradients of all its weights (Han et al. 2016, equation 3).

    Parameters
    ----------
    gradient
        The gradient of the loss with respect to the weights of the layer, of any shape.
    kept
        Boolean, of the same shape: true where weights are kept. Gradients elsewhere are ignored.
    labels
        (number of kept weights,), int64: the number of the centroid of each kept weight, in memory
        order.
    count
        Number of centroids.

    Returns
    -------
    Tensor
        (`count`,), of the same type as `gradient`; 0 for a centroid without weights.
    """
    sums = torch.zeros(count, dtype=gradient.dtype, device=gradient.device)
    return sums.index_add(0, labels, gradient[kept])


def distortion(w: NDArray[np.floating], labels: ArrayLike, centroids: ArrayLike) -> float:
    """Return the sum of squared distances of the kept weights from their centroids."""
    kept = np.asarray(w, dtype=np.float64)[np.asarray(w) != 0]
    shared = np.asarray(centroids, dtype=np.float64)[np.asarray(labels, dtype=np.intp)]
    return float(((kept - shared) ** 2).sum())


def in_form(
    w: NDArray[np.floating], answer: Any, most: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return labels and centroids if they have the form that `share_weights` gives them.

    Labels of another shape could be broadcast, so that every weight is its own centroid.

    Parameters
    ----------
    w
        The weights that were clustered, in an array of any shape.
    answer
        Labels and centroids.
    most
        The largest number of centroids.

    Raises
    ------
    ValueError
        If there is no label for each kept weight or a label without a centroid, or if there are too
        many centroids.
    """
    labels, centroids = (np.asarray(part) for part in answer)
    if labels.shape != (np.count_nonzero(w),) or labels.dtype.kind not in "iu":
        raise ValueError("There should be a whole number for each kept weight.")
    if centroids.ndim != 1 or centroids.size > most:
        raise ValueError(f"There should be a list of at most {most} centroids.")
    if labels.size and not 0 <= labels.min() <= labels.max() < centroids.size:
        raise ValueError("There is a label without a centroid.")
    return labels.astype(np.intp), centroids.astype(np.float32)


def optimal_distortion(w: NDArray[np.floating], count: int) -> float:
    """Return the smallest distortion that is possible with `count` centroids, the exact optimum.

    The optimal clusters of sorted numbers are intervals. If ``D[j, m]`` is the smallest distortion
    of the first ``m`` numbers in ``j`` intervals, then (Wang and Song 2011)

    ``D[j, m] = min over i < m of D[j - 1, i] + (distortion of numbers i to m - 1)``

    This takes memory proportional to ``n^2`` and time proportional to ``count * n^2``, and is
    therefore suitable for layers of up to a few thousand kept weights.

    Parameters
    ----------
    w
        The weights, in an array of any shape. Weights equal to 0 are ignored.
    count
        Number of centroids, at least 1.

    Returns
    -------
    float
        The sum of squared distances; 0 if there are no more than `count` different kept weights.
    """
    kept = np.asarray(w, dtype=np.float64)[np.asarray(w) != 0]
    if np.unique(kept).size <= count:
        return 0.0
    # The numbers are centred to reduce cancellation in the differences of sums of squares.
    numbers = np.sort(kept) - np.median(kept)
    sums = np.concatenate([[0.0], np.cumsum(numbers)])
    squares = np.concatenate([[0.0], np.cumsum(numbers**2)])
    begin, end = np.ogrid[: sums.size, : sums.size]
    size = np.maximum(end - begin, 1)
    cost = (squares[end] - squares[begin]) - (sums[end] - sums[begin]) ** 2 / size
    cost = np.where(end > begin, np.maximum(cost, 0.0), np.where(end == begin, 0.0, np.inf))
    best = cost[0]
    for _ in range(count - 1):
        best = (best[:, None] + cost).min(axis=0)
    return float(best[-1])
