"""The file format of a compressed network: writing and reading a layer, and a whole network.

A layer with ``n`` kept weights, ``m`` runs and ``k`` centroids is stored as the following block.
Numbers are little-endian (the lowest byte comes first).

========================== ==================== =======================================
what                       type                 bytes
========================== ==================== =======================================
``n``, ``m``, ``c``        3 uint32             12 (``c``: bytes of the encoded labels)
``k``, ``width``           2 uint16             4
centroids                  ``k`` float32        4 ``k``
code table of the labels   ``k`` uint8          ``k``: the lengths of the words
code table of the runs     ``2^width`` uint8    ``2^width``: the lengths of the words
the labels, Huffman coded  bits                 ``c``
the runs, Huffman coded    bits                 the rest
========================== ==================== =======================================

The file of a network holds, for each convolution and linear layer in order, the size of its block
(uint32) and the block. All other parameters and buffers of its state follow in order, as float32.
Counters (buffers of integers) are left out, because they have no effect when a network is used.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from helpers.reference import masks
from helpers.reference.deep_compression import huffman, run_lengths, weight_sharing

HEADER_BYTES = 16

SharedLayer = tuple[NDArray[np.bool_], NDArray[np.uint8], NDArray[np.float32]]
"""Where weights are kept, the label of each kept weight, and the centroids."""


def layer_to_bytes(
    labels: NDArray[np.uint8],
    runs: NDArray[np.uint8],
    centroids: NDArray[np.float32],
    width: int,
) -> NDArray[np.uint8]:
    """Write a layer as a block.

    Parameters
    ----------
    labels
        (n,): the number of the centroid of each kept weight.
    runs
        (m,): the positions of the kept weights, as returned by `run_lengths.run_lengths`.
    centroids
        (k,): the centroids.
    width
        Bits of a run.

    Returns
    -------
    ndarray
        The bytes of the block.
    """
    label_table = huffman.code_lengths(np.bincount(labels, minlength=len(centroids)))
    run_table = huffman.code_lengths(np.bincount(runs, minlength=2**width))
    label_bits = huffman.encode(labels, label_table)
    run_bits = huffman.encode(runs, run_table)
    parts = [
        np.array([len(labels), len(runs), len(label_bits)], dtype="<u4"),
        np.array([len(centroids), width], dtype="<u2"),
        np.asarray(centroids, dtype="<f4"),
        label_table,
        run_table,
        label_bits,
        run_bits,
    ]
    return np.concatenate([np.frombuffer(part.tobytes(), dtype=np.uint8) for part in parts])


def read_layer(
    data: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32], int]:
    """Read a block from an untrusted source.

    Parameters
    ----------
    data
        The bytes of the whole block and nothing else.

    Returns
    -------
    labels, runs, centroids, width
        The arguments of `layer_to_bytes`.

    Raises
    ------
    ValueError
        If `data` is not a block, because it is too short or too long or contains impossible
        numbers.
    """
    content = np.asarray(data, dtype=np.uint8).tobytes()
    if len(content) < HEADER_BYTES:
        raise ValueError("A block has a header of 16 bytes, but the data are shorter.")
    n, m, label_bytes = (int(x) for x in np.frombuffer(content, "<u4", 3))
    k, width = (int(x) for x in np.frombuffer(content, "<u2", 2, offset=12))
    if k > 256 or not 1 <= width <= run_lengths.MAX_WIDTH:
        raise ValueError(f"A layer cannot have {k} centroids and runs of {width} bits.")
    edges = np.cumsum([HEADER_BYTES, 4 * k, k, 2**width, label_bytes]).tolist()
    if edges[-1] > len(content):
        raise ValueError("The block is shorter than its header says.")
    # Every symbol takes at least one bit. A false header must not make us allocate memory.
    if n > 8 * label_bytes or m > 8 * (len(content) - edges[-1]):
        raise ValueError("The block holds fewer bits than symbols.")
    centroids = np.frombuffer(content[edges[0] : edges[1]], "<f4").astype(np.float32)
    tables = [np.frombuffer(content[a:b], np.uint8) for a, b in (edges[1:3], edges[2:4])]
    label_bits = np.frombuffer(content[edges[3] : edges[4]], np.uint8)
    run_bits = np.frombuffer(content[edges[4] :], np.uint8)
    labels = huffman.decode(label_bits, tables[0], n)
    runs = huffman.decode(run_bits, tables[1], m)
    for name, symbols, table, bits in (
        ("labels", labels, tables[0], label_bits),
        ("runs", runs, tables[1], run_bits),
    ):
        needed = int(table.astype(np.int64)[symbols].sum())
        if len(bits) != (needed + 7) // 8:
            raise ValueError(f"The {name} need {needed} bits, but there are {len(bits)} bytes.")
    return labels, runs, centroids, width


def layer_from_bytes(data: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Read the weights of a layer from its block.

    Parameters
    ----------
    data
        The bytes of the block.
    shape
        Shape of the layer.

    Returns
    -------
    ndarray
        The weights, in the given shape.

    Raises
    ------
    ValueError
        If `data` is not the block of a layer of this shape.
    """
    labels, runs, centroids, width = read_layer(data)
    kept = run_lengths.kept_from_runs(runs, width, shape)
    if kept.sum() != len(labels):
        raise ValueError(f"There are {len(labels)} labels, but {kept.sum()} kept weights.")
    return weight_sharing.rebuild(kept, labels, centroids)


def network_to_bytes(
    model: nn.Module, shared: Mapping[str, SharedLayer], width: int
) -> NDArray[np.uint8]:
    """Write a network whose convolutions and linear layers share their weights.

    Parameters
    ----------
    model
        The network, from which all parameters and buffers that are not shared are taken.
    shared
        Mapping from each convolution and linear layer to ``(kept, labels, centroids)``.
    width
        Bits of a run.

    Returns
    -------
    ndarray
        The bytes of the file.
    """
    parts = []
    for layer in masks.layer_weights(model):
        kept, labels, centroids = shared[layer]
        runs = run_lengths.run_lengths(kept, width)
        block = layer_to_bytes(labels, runs, centroids, width)
        parts += [np.frombuffer(np.array(len(block), dtype="<u4").tobytes(), np.uint8), block]
    for tensor in _others(model).values():
        plain = tensor.detach().cpu().numpy().astype("<f4")
        parts.append(np.frombuffer(plain.tobytes(), np.uint8))
    return np.concatenate(parts)


def load_network(model: nn.Module, data: NDArray[np.uint8]) -> None:
    """Read a network that `network_to_bytes` wrote into a model of the same architecture.

    Parameters
    ----------
    model
        The network. Its parameters and buffers are replaced, except for counters.
    data
        The bytes of the file.

    Raises
    ------
    ValueError
        If `data` is not a network of this architecture, or contains numbers that are not finite.
    """
    content = np.asarray(data, dtype=np.uint8)
    place = 0

    def take(count: int) -> NDArray[np.uint8]:
        nonlocal place
        if place + count > content.size:
            raise ValueError("The file ends too early.")
        place += count
        return content[place - count : place]

    state = {}
    for layer, weight in masks.layer_weights(model).items():
        size = int(np.frombuffer(take(4).tobytes(), "<u4")[0])
        values = layer_from_bytes(take(size), tuple(weight.shape))
        state[f"{layer}.weight"] = torch.from_numpy(values)
    for name, tensor in _others(model).items():
        values = np.frombuffer(take(4 * tensor.numel()).tobytes(), "<f4").astype(np.float32)
        state[name] = torch.from_numpy(values).view(tensor.shape)
    if place != content.size:
        raise ValueError(f"There are {content.size - place} bytes after the end of the network.")
    if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
        raise ValueError("The file holds numbers that are not finite.")
    model.load_state_dict(state, strict=False)


def _others(model: nn.Module) -> dict[str, Tensor]:
    """Return the tensors that are stored as they are: all but shared weights and counters."""
    stored = {f"{layer}.weight" for layer in masks.layer_weights(model)}
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name not in stored and tensor.is_floating_point()
    }
