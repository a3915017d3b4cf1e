"""Weight sharing: the kept weights of a layer take the values of a few centroids.

A weight that is zero is pruned: it belongs to no cluster and stays zero. The others are numbered
in memory order; their codes say which centroid each takes.

References
----------
Han, Mao and Dally, "Deep Compression: Compressing Deep Neural Networks with Pruning, Trained
Quantization and Huffman Coding", ICLR 2016 (arXiv:1510.00149), section 3.

Wang and Song, "Ckmeans.1d.dp: Optimal k-means Clustering in One Dimension by Dynamic Programming",
The R Journal 3(2), 2011.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

METHODS = ("linear", "density", "random")
MAX_BITS = 8  # a code is one byte


def starting_centroids(
    w: NDArray[np.floating], bits: int, method: str, seed: int = 0
) -> NDArray[np.float64]:
    """Return the centroids that k-means starts from (Han et al. 2016, section 3.2).

    Parameters
    ----------
    w : float array of any shape
        The weights of a layer; those equal to 0 are pruned and take no part.
    bits : int
        Bits per code, 1 to 8: there are ``k = 2^bits`` centroids.
    method : {"linear", "density", "random"}
        ``"linear"``: equally spaced from the smallest to the largest kept weight.
        ``"density"``: the quantiles ``(i + 1/2) / k`` of the kept weights, equally spaced in their
        cumulative distribution.
        ``"random"``: different values drawn among the kept weights (Forgy).
    seed : int
        Of the draw.

    Returns
    -------
    float64 array, (k,)
        In increasing order. If the kept weights take no more than ``k`` different values, these
        values, whatever the method: nothing is left to be lost.

    Raises
    ------
    ValueError
        If `bits` is not in 1 to 8 or the method is unknown.
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
    """Cluster the kept weights of a layer by Lloyd's iterations until no weight moves.

    Parameters
    ----------
    w : float array of any shape
        The weights; those equal to 0 are pruned and take no part.
    start : array of float, (k,)
        The centroids to start from, as from `starting_centroids`.

    Returns
    -------
    codes : uint8 array, (number of kept weights,)
        The nearest centroid of each kept weight, in memory order.
    centroids : float32 array, (k,)
        The means of the clusters, in increasing order. A cluster that loses all its weights keeps
        its centroid.

    Notes
    -----
    In one dimension clusters are intervals: the sorted weights are cut half-way between
    neighbouring centroids, and prefix sums give the means.
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
    codes = np.searchsorted(middles, kept, side="right")
    return codes.astype(np.uint8), centroids.astype(np.float32)


def share_weights_by_sklearn(
    w: NDArray[np.floating], start: ArrayLike
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Cluster the kept weights as `share_weights` does, by scikit-learn.

    Also a right answer, which may rest in another local optimum: where `share_weights` leaves an
    empty cluster, scikit-learn moves it.

    Parameters
    ----------
    w : float array of any shape
        The weights; those equal to 0 take no part, and at least one is not.
    start : float array, (k,)
        The centroids to start from.

    Returns
    -------
    codes : int32 array, (number of kept weights,)
    centroids : float64 array, (k,)
    """
    from sklearn.cluster import KMeans

    kept = w[w != 0].astype(np.float64).reshape(-1, 1)
    found = KMeans(len(np.asarray(start)), init=np.reshape(start, (-1, 1)), n_init=1).fit(kept)
    return found.labels_, found.cluster_centers_.ravel()


def rebuild(
    kept: NDArray[np.bool_], codes: NDArray[np.uint8], centroids: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Turn codes back into the weights of a layer.

    Parameters
    ----------
    kept : bool array of any shape
        Where weights are kept.
    codes : uint8 array, (number of kept weights,)
    centroids : float32 array, (k,)

    Returns
    -------
    float32 array of the shape of `kept`
        The centroids where weights are kept, in memory order; 0 elsewhere.
    """
    weights = np.zeros(kept.shape, dtype=np.float32)
    weights[kept] = centroids[codes]
    return weights


def centroid_gradient(gradient: Tensor, kept: Tensor, codes: Tensor, count: int) -> Tensor:
    """Return the gradient of the loss with respect to each centroid.

    A centroid is used in many places. By the chain rule its gradient is the sum of the gradients
    of all the weights that take its value (Han et al. 2016, equation 3).

    Parameters
    ----------
    gradient : float tensor of any shape
        Of the loss with respect to the weights of the layer.
    kept : bool tensor of the same shape
        Where weights are kept. What stands elsewhere counts for no centroid.
    codes : int64 tensor, (number of kept weights,)
        Which centroid each kept weight takes, in memory order.
    count : int
        Number of centroids.

    Returns
    -------
    tensor, (count,)
        Of the type of `gradient`; 0 for a centroid that no weight takes.
    """
    sums = torch.zeros(count, dtype=gradient.dtype, device=gradient.device)
    return sums.index_add(0, codes, gradient[kept])


def distortion(w: NDArray[np.floating], codes: ArrayLike, centroids: ArrayLike) -> float:
    """Return the sum of squared distances of the kept weights from their centroids."""
    kept = np.asarray(w, dtype=np.float64)[np.asarray(w) != 0]
    shared = np.asarray(centroids, dtype=np.float64)[np.asarray(codes, dtype=np.intp)]
    return float(((kept - shared) ** 2).sum())


def optimal_distortion(w: NDArray[np.floating], count: int) -> float:
    """Return the least distortion that `count` centroids can reach: the exact optimum.

    The best clusters of sorted numbers are intervals. With ``D[j, m]`` the least distortion of the
    first ``m`` of them in ``j`` intervals,

    ``D[j, m] = min over i < m of D[j - 1, i] + (distortion of numbers i to m - 1)``

    (Wang and Song 2011). Takes ``n^2`` memory and ``count * n^2`` time: for layers of up to a few
    thousand kept weights.

    Parameters
    ----------
    w : float array of any shape
        The weights; those equal to 0 take no part.
    count : int
        Number of centroids, at least 1.

    Returns
    -------
    float
        0 if there are no more than `count` different kept weights.
    """
    kept = np.asarray(w, dtype=np.float64)[np.asarray(w) != 0]
    if np.unique(kept).size <= count:
        return 0.0
    # About the middle, so that little is cancelled in the differences of sums of squares.
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
