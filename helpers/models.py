"""The networks of the course: ResNet-20 in three variants, and a small ConvNet.

Both take the layer class as a parameter. A quantized, pruned or depthwise version is therefore the
same network with other layers, and its weights keep their names.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Called as nn.Conv2d(in_channels, out_channels, kernel_size, stride=, padding=, bias=).
ConvLayer = Callable[..., nn.Module]
LinearLayer = Callable[..., nn.Module]

# ------------------------------------------------------------------------------------------------
# ResNet-20


class PadShortcut(nn.Module):
    """The shortcut without parameters, which skips pixels and adds channels of zeros.

    He et al. (2016) call it option A.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        if out_channels < in_channels:
            raise ValueError(
                f"A shortcut without parameters can add channels but not drop any ({in_channels} "
                f"to {out_channels}): use shortcut='projection' or a narrower head."
            )
        self.stride = stride
        self.new_channels = out_channels - in_channels

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        x = x[:, :, :: self.stride, :: self.stride]
        before = self.new_channels // 2
        return F.pad(x, (0, 0, 0, 0, before, self.new_channels - before))


class Block(nn.Module):
    """Two 3x3 convolutions, each with batch norm, and a shortcut around them."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, shortcut: str, conv: ConvLayer
    ) -> None:
        super().__init__()
        self.conv1 = conv(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = conv(out_channels, out_channels, 3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module
        if stride == 1 and in_channels == out_channels:
            self.shortcut = nn.Identity()
        elif shortcut == "projection":
            self.shortcut = nn.Sequential(
                conv(in_channels, out_channels, 1, stride=stride, padding=0, bias=False),
                nn.BatchNorm2d(out_channels),
            )
        else:
            self.shortcut = PadShortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        # x: (N, in, H, W)
        out = F.relu(self.bn1(self.conv1(x)))  # (N, out, H/stride, W/stride)
        out = self.bn2(self.conv2(out))  # the same
        return F.relu(out + self.shortcut(x))


class ResNet20(nn.Module):
    """ResNet-20 for 32x32 images; use `resnet20` to build it."""

    WIDTHS = (16, 32, 64)
    BLOCKS = 3  # per stage: 2 * 3 * 3 convolutions + stem + classifier = 20 layers

    def __init__(
        self,
        head_width: int,
        shortcut: str,
        stage_convs: Sequence[ConvLayer],
        stem_conv: ConvLayer,
        linear: LinearLayer,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.stem = stem_conv(3, head_width, 3, stride=1, padding=1, bias=False)
        self.stem_bn = nn.BatchNorm2d(head_width)

        def stage(in_channels: int, width: int, stride: int, conv: ConvLayer) -> nn.Sequential:
            blocks = [Block(in_channels, width, stride, shortcut, conv)]
            blocks += [Block(width, width, 1, shortcut, conv) for _ in range(self.BLOCKS - 1)]
            return nn.Sequential(*blocks)

        self.stage1 = stage(head_width, self.WIDTHS[0], 1, stage_convs[0])
        self.stage2 = stage(self.WIDTHS[0], self.WIDTHS[1], 2, stage_convs[1])
        self.stage3 = stage(self.WIDTHS[1], self.WIDTHS[2], 2, stage_convs[2])
        self.classifier = linear(self.WIDTHS[2], num_classes)
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to class scores (N, num_classes)."""
        x = F.relu(self.stem_bn(self.stem(x)))  # (N, head_width, 32, 32)
        x = self.stage1(x)  # (N, 16, 32, 32)
        x = self.stage2(x)  # (N, 32, 16, 16)
        x = self.stage3(x)  # (N, 64, 8, 8)
        x = x.mean(dim=(2, 3))  # (N, 64)
        return self.classifier(x)  # (N, num_classes)


def resnet20(
    *,
    head_width: int = 16,
    shortcut: str = "projection",
    conv: ConvLayer | Sequence[ConvLayer] = nn.Conv2d,
    stem_conv: ConvLayer = nn.Conv2d,
    linear: LinearLayer = nn.Linear,
    num_classes: int = 10,
) -> ResNet20:
    """Build a ResNet-20 for 32x32 images (He et al., 2016, section 4.2).

    =============  ================  ==========================================
    `head_width`   `shortcut`        weights in convolutions and the classifier
    =============  ================  ==========================================
    16             ``"pad"``         268,336
    16             ``"projection"``  270,896
    32             ``"projection"``  274,144 (projection in the first block too)
    =============  ================  ==========================================

    Parameters
    ----------
    head_width
        Number of channels of the first convolution, the stem.
    shortcut
        The kind of shortcut where the shape changes: ``"projection"`` is a 1x1 convolution with
        batch norm; ``"pad"`` has no parameters (it takes strided pixels and adds channels of
        zeros).
    conv
        Layer class, or any callable with the signature of ``nn.Conv2d``, for the three stages
        including projections; or a sequence of three, one per stage.
    stem_conv, linear
        The same for the first convolution and for the classifier.
    num_classes
        Number of scores per image.

    Returns
    -------
    ResNet20
        A network in training mode, on the CPU, with random weights as in He et al. (2015).

    Raises
    ------
    ValueError
        If `shortcut` is unknown, `conv` is a sequence whose length is not three, or a shortcut
        without parameters would have to drop channels.

    References
    ----------
    He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016.
    He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", ICCV 2015.

    Examples
    --------
    >>> four_bits = partial(QuantConv2d, bits=4)
    >>> model = resnet20(conv=four_bits)
    >>> model = resnet20(conv=(four_bits, four_bits, partial(QuantConv2d, bits=2)))
    """
    if shortcut not in ("projection", "pad"):
        raise ValueError(f"shortcut is {shortcut!r}: it must be 'projection' or 'pad'.")
    stage_convs = list(conv) if isinstance(conv, Sequence) else [conv] * 3
    if len(stage_convs) != 3:
        raise ValueError(
            f"conv holds {len(stage_convs)} layer classes: give one for all stages, or three."
        )
    return ResNet20(head_width, shortcut, stage_convs, stem_conv, linear, num_classes)


# ------------------------------------------------------------------------------------------------
# ConvNet


class ConvNet(nn.Module):
    """Five convolution blocks and a linear classifier; use `convnet` to build it."""

    # (output channels, stride) of each block
    BLOCKS = ((32, 1), (32, 1), (64, 2), (64, 1), (128, 2))

    def __init__(self, conv: ConvLayer, linear: LinearLayer, num_classes: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        in_channels = 3
        for width, stride in self.BLOCKS:
            blocks.append(
                nn.Sequential(
                    conv(in_channels, width, 3, stride=stride, padding=1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(),
                )
            )
            in_channels = width
        self.features = nn.Sequential(*blocks)
        self.classifier = linear(in_channels, num_classes)
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to class scores (N, num_classes)."""
        x = self.features(x)  # (N, 128, 8, 8)
        x = x.mean(dim=(2, 3))  # (N, 128)
        return self.classifier(x)  # (N, num_classes)


def convnet(
    *, conv: ConvLayer = nn.Conv2d, linear: LinearLayer = nn.Linear, num_classes: int = 10
) -> ConvNet:
    """Build the small ConvNet: blocks of convolution, batch norm and ReLU, then a classifier.

    Parameters
    ----------
    conv, linear
        Layer classes, or callables with the signatures of ``nn.Conv2d`` and ``nn.Linear``.
    num_classes
        Number of scores per image.

    Returns
    -------
    ConvNet
        A network in training mode, on the CPU, with random weights. By default there are 140,384 of
        them in the convolutions and the classifier.
    """
    return ConvNet(conv, linear, num_classes)


# ------------------------------------------------------------------------------------------------
# For both


def _initialise(model: nn.Module) -> None:
    """Draw convolution weights from N(0, 2 / fan_out), which keeps the scale of gradients."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.out_channels * math.prod(module.kernel_size) // module.groups
            nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / fan_out))


def layer_sizes(model: nn.Module) -> dict[str, int]:
    """Count the weights of each convolution and linear layer.

    Biases and batch norm do not count, because the reported figures leave them out as well.

    Parameters
    ----------
    model
        Any network. Every module whose weight has two or more dimensions counts as a layer,
        whatever its class.

    Returns
    -------
    dict[str, int]
        Mapping from module name, such as ``"stage2.1.conv1"``, to number of weights, in the order
        of the network.
    """
    sizes = {}
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.Tensor) and weight.dim() >= 2:
            sizes[name] = weight.numel()
    return sizes
