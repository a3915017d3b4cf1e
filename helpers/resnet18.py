"""ResNet-18 with the weights ``IMAGENET1K_V1`` of torchvision, downloaded once and cached.

The file is kept in the data folder (see `helpers.data_folder`). If it is missing, it is
downloaded from the folder that COURSE_MIRROR names (a URL), or else from the server of PyTorch.

References
----------
He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, table 1;
https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.resnet18.html.
"""

from pickle import UnpicklingError

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.data_folder import DataMissing, downloaded

__all__ = ["ResNet18", "pretrained_resnet18"]

FILE = "resnet18-f37072fd.pth"
"""The name in which torchvision publishes the weights; it holds the first digits of the SHA-256."""
SHA256 = "f37072fd"
HOME = "https://download.pytorch.org/models"
CLASSES = 1000


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, each with batch norm, and a shortcut around them."""

    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample: nn.Module | None = None
        if stride != 1 or into != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(into, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        # x: (N, into, H, W)
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))  # (N, out, H/stride, W/stride)
        return F.relu(self.bn2(self.conv2(x)) + shortcut)


class ResNet18(nn.Module):
    """ResNet-18, with the names that torchvision gives to its layers.

    Parameters
    ----------
    num_classes
        Number of scores per image.
    """

    WIDTHS = (64, 128, 256, 512)

    def __init__(self, num_classes: int = CLASSES) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)

        def layer(into: int, out: int, stride: int) -> nn.Sequential:
            return nn.Sequential(BasicBlock(into, out, stride), BasicBlock(out, out, 1))

        self.layer1 = layer(64, 64, 1)
        self.layer2 = layer(64, 128, 2)
        self.layer3 = layer(128, 256, 2)
        self.layer4 = layer(256, 512, 2)
        self.fc = nn.Linear(512, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to class scores (N, num_classes)."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))  # (N, 64, H/4, W/4)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (N, 512, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def pretrained_resnet18(sha256: str = SHA256) -> ResNet18:
    """Return the ResNet-18 that torchvision trained on ImageNet, with its 1,000 classes.

    Parameters
    ----------
    sha256
        The first digits, at least, of the expected SHA-256 of the file, in hexadecimal.

    Returns
    -------
    ResNet18
        In evaluation mode, on the CPU.

    Raises
    ------
    helpers.data_folder.DataMissing
        If there is no cached file and the download fails, or if the cached file is damaged.
    """
    path = downloaded(
        FILE, f"{HOME}/{FILE}", sha256, "sha256", called="The weights of ResNet-18 are"
    )
    model = ResNet18()
    try:
        # Plain tensors only: nothing in the file is run.
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, ValueError, TypeError, EOFError, UnpicklingError) as error:
        raise DataMissing(
            f"{path} is damaged or not ResNet-18: delete it and run this again."
        ) from error
    return model.eval()
