"""Weights, multiply-adds and arithmetic intensity of convolutions.

References
----------
Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
arXiv:1704.04861, 2017, section 3.1: the cost of a depthwise separable convolution.

Williams, Waterman and Patterson, "Roofline: An Insightful Visual Performance Model for Multicore
Architectures", Communications of the ACM 52, 2009: arithmetic intensity (operational intensity).
"""

from collections.abc import Sequence

BYTES = 4
"""Bytes of a number in float32."""


def count_weights(in_channels: int, out_channels: int, k: int) -> dict[str, int]:
    """Count the weights of an ordinary convolution, and of the two steps of a separable one.

    Biases do not count.

    Parameters
    ----------
    in_channels, out_channels
        Number of channels before and after the convolution.
    k
        The kernel covers k x k pixels.

    Returns
    -------
    dict
        The numbers under ``"dense"``, ``"depthwise"`` and ``"pointwise"``.
    """
    return {
        "dense": out_channels * in_channels * k * k,
        "depthwise": in_channels * k * k,
        "pointwise": out_channels * in_channels,
    }


def multiply_adds(
    in_channels: int,
    out_channels: int,
    k: int,
    stride: int,
    padding: int,
    height: int,
    width: int,
) -> dict[str, int]:
    """Count the multiply-adds for one image: each weight is used once for each output pixel.

    Parameters
    ----------
    in_channels, out_channels, k
        As for `count_weights`.
    stride, padding
        As for ``nn.Conv2d``. In the separable convolution they belong to the depthwise step.
    height, width
        Size of the image before the convolution. Positions in the padding count like others.

    Returns
    -------
    dict
        As `count_weights` returns it.
    """
    pixels = 1
    for size in (height, width):
        pixels *= (size + 2 * padding - k) // stride + 1
    return {
        step: weights * pixels
        for step, weights in count_weights(in_channels, out_channels, k).items()
    }


def reduction(out_channels: int, k: int) -> float:
    """Return how many times fewer weights a separable convolution has than an ordinary one.

    ``N C k^2 / (C k^2 + N C) = 1 / (1/N + 1/k^2)``, whatever the number of input channels.
    """
    return 1 / (1 / out_channels + 1 / k**2)


def network_cost(
    blocks: Sequence[tuple[int, int]], in_channels: int, k: int, size: int, classes: int
) -> dict[str, dict[str, int]]:
    """Add up the weights and multiply-adds of a network of convolutions and a linear classifier.

    Parameters
    ----------
    blocks
        Number of output channels and stride of each convolution. Each has a padding of ``k // 2``.
    in_channels, size
        Number of channels, and of rows and columns, of an image.
    k
        The kernels cover k x k pixels; k is odd.
    classes
        Number of scores that the classifier gives.

    Returns
    -------
    dict
        Under ``"dense"`` and ``"separable"``, a dict with the numbers of ``"weights"`` and of
        ``"multiply_adds"`` for one image.
    """
    kinds = {"dense": ("dense",), "separable": ("depthwise", "pointwise")}
    total = {kind: {"weights": 0, "multiply_adds": 0} for kind in kinds}
    for out_channels, stride in blocks:
        weights = count_weights(in_channels, out_channels, k)
        used = multiply_adds(in_channels, out_channels, k, stride, k // 2, size, size)
        for kind, steps in kinds.items():
            total[kind]["weights"] += sum(weights[step] for step in steps)
            total[kind]["multiply_adds"] += sum(used[step] for step in steps)
        in_channels, size = out_channels, (size + 2 * (k // 2) - k) // stride + 1
    for kind in kinds:
        total[kind]["weights"] += in_channels * classes
        total[kind]["multiply_adds"] += in_channels * classes
    return total


def arithmetic_intensity(
    in_channels: int, out_channels: int, k: int, height: int, width: int, images: int
) -> dict[str, float]:
    """Return the floating-point operations for each byte that has to be moved.

    A multiply-add is two operations. The images, the weights and the output are moved once, in
    float32. The stride is 1, and the padding keeps the size of the image.

    Parameters
    ----------
    in_channels, out_channels, k, height, width
        As for `multiply_adds`.
    images
        Number of images that are convolved together.

    Returns
    -------
    dict
        The intensities under ``"dense"``, ``"depthwise"`` and ``"pointwise"``.
    """
    pixels = images * height * width
    weights = count_weights(in_channels, out_channels, k)
    channels = {
        "dense": in_channels + out_channels,
        "depthwise": 2 * in_channels,
        "pointwise": in_channels + out_channels,
    }
    return {
        step: 2 * count * pixels / (BYTES * (count + channels[step] * pixels))
        for step, count in weights.items()
    }
