"""The data that a network is trained and evaluated on: images, text, or anything else.

Code that trains or evaluates a network asks the data set for batches and for the network's inputs,
and needs to know nothing else about it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch
from torch import Tensor

__all__ = ["Dataset", "Split"]


@dataclass(frozen=True)
class Split:
    """Examples and their targets.

    Attributes
    ----------
    inputs
        (N, ...): the examples in the form in which they are stored.
    targets
        (N, ...), int64: the right class of each example, or one class for each of several places
        in an example, such as the character that follows each character of a text.
    """

    inputs: Tensor
    targets: Tensor

    @property
    def images(self) -> Tensor:
        """The inputs of a data set of images."""
        return self.inputs

    @property
    def labels(self) -> Tensor:
        """The targets of a data set in which each example has one class."""
        return self.targets

    def __len__(self) -> int:
        return len(self.targets)

    def to(self, device: torch.device | str) -> Self:
        """Return the same split on another device."""
        return replace(self, inputs=self.inputs.to(device), targets=self.targets.to(device))


@dataclass(frozen=True)
class Dataset:
    """A training split and a test split, and the way in which they are fed to a network.

    This class passes the stored inputs to the network unchanged. A subclass can store them in a
    smaller form (`network_inputs`) or vary them at random (`draw_epoch`, `planned_batch`).

    Attributes
    ----------
    name
        The name by which checkpoints and measurements identify the data set.
    train, test
        The two splits.
    """

    name: str
    train: Split
    test: Split

    numbers_per_example: ClassVar[int] = 1
    """How many numbers `draw_epoch` draws for each example."""
    unit: ClassVar[str] = "examples"
    """What is predicted, in the plural, for messages."""

    @property
    def device(self) -> torch.device:
        """The device of the examples."""
        return self.train.inputs.device

    @property
    def targets_per_example(self) -> int:
        """How many predictions a network makes for each example."""
        return math.prod(self.train.targets.shape[1:])

    def to(self, device: torch.device | str) -> Self:
        """Return the same data set on another device."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))

    # --------------------------------------------------------------------------------------------
    # Examples in order

    def split(self, name: str) -> Split:
        """Return the split with the given name, ``"train"`` or ``"test"``."""
        return {"train": self.train, "test": self.test}[name]

    def batches(
        self, split: str, batch_size: int, count: int | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the examples of a split in order, ready for a network.

        Parameters
        ----------
        split
            ``"train"`` or ``"test"``. Training examples are not augmented.
        batch_size
            Examples per batch; the last batch may be smaller.
        count
            Number of examples, starting with the first. By default, all of them.

        Yields
        ------
        inputs
            As returned by `network_inputs`.
        targets
            (N, ...), int64.
        """
        examples = self.split(split)
        inputs, targets = examples.inputs[:count], examples.targets[:count]
        for some, theirs in zip(inputs.split(batch_size), targets.split(batch_size), strict=True):
            yield self.network_inputs(some), theirs

    def network_inputs(self, stored: Tensor) -> Tensor:
        """Turn stored inputs (N, ...) into the network's inputs (N, ...)."""
        return stored

    # --------------------------------------------------------------------------------------------
    # Examples in random order

    def training_batches(
        self, batch_size: int, generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield one epoch of shuffled, augmented training examples with their targets.

        All random numbers are drawn on the CPU at the start of the epoch and copied to the device
        at once. After that, a GPU and the program that feeds it never wait for each other.

        Parameters
        ----------
        batch_size
            Examples per batch. A smaller last batch is left out.
        generator
            A CPU generator, so that the same seed draws the same batches on every device.

        Yields
        ------
        inputs
            (`batch_size`, ...): the stored inputs, on the device of the data set.
        targets
            (`batch_size`, ...), int64, on the same device.
        """
        plan = self.draw_epoch(batch_size, generator)
        for row in plan.to(self.device, non_blocking=plan.is_pinned()):
            yield self.planned_batch(row)

    def draw_epoch(self, batch_size: int, generator: torch.Generator) -> Tensor:
        """Draw all random numbers for one epoch of training.

        Parameters
        ----------
        batch_size, generator
            As for `training_batches`.

        Returns
        -------
        Tensor
            (steps, `numbers_per_example`, `batch_size`), int64, on the CPU. For a data set on a GPU
            it is in pinned memory, so that the program need not wait while it is copied. The first
            number of an example is its index; a subclass defines the meaning of the others.
        """
        steps = len(self.train) // batch_size
        shape = (steps, self.numbers_per_example, batch_size)
        plan = torch.zeros(shape, dtype=torch.int64, pin_memory=self.device.type == "cuda")
        order = torch.randperm(len(self.train), generator=generator)
        plan[:, 0] = order[: steps * batch_size].view(steps, batch_size)
        return plan

    def planned_batch(self, row: Tensor) -> tuple[Tensor, Tensor]:
        """Return the stored inputs and the targets of one step of training.

        Parameters
        ----------
        row
            (`numbers_per_example`, batch size), int64, on the device of the data set: one row of
            the result of `draw_epoch`.
        """
        indices = row[0]
        return self.train.inputs[indices], self.train.targets[indices]
