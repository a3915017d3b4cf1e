"""What a network is trained and evaluated on, whatever it is: images, text, or anything else.

Whoever trains or measures a network asks the data set for batches and for the network's inputs, and
knows nothing else of it.
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
    """Examples with what a network has to say about them.

    Attributes
    ----------
    inputs
        (N, ...): the examples, as they are stored.
    targets
        (N, ...), int64: the right class of each example; or of several places in it, such as the
        character that follows each character of a text.
    """

    inputs: Tensor
    targets: Tensor

    @property
    def images(self) -> Tensor:
        """The inputs, where they are images."""
        return self.inputs

    @property
    def labels(self) -> Tensor:
        """The targets, where each is the class of a whole example."""
        return self.targets

    def __len__(self) -> int:
        return len(self.targets)

    def to(self, device: torch.device | str) -> Self:
        """Return the same split on another device."""
        return replace(self, inputs=self.inputs.to(device), targets=self.targets.to(device))


@dataclass(frozen=True)
class Dataset:
    """A training and a test split, and how they are fed to a network.

    As it stands, this class gives a network the stored inputs as they are. A subclass can store
    them in a smaller form (`network_inputs`) or vary them at random (`draw_epoch`,
    `planned_batch`).

    Attributes
    ----------
    name
        The name that checkpoints and measurements know the data set by.
    train, test
        The two splits.
    """

    name: str
    train: Split
    test: Split

    numbers_per_example: ClassVar[int] = 1
    """How many random numbers `draw_epoch` draws for an example."""

    @property
    def device(self) -> torch.device:
        """Where the examples are."""
        return self.train.inputs.device

    @property
    def targets_per_example(self) -> int:
        """How many predictions a network makes for an example."""
        return math.prod(self.train.targets.shape[1:])

    def to(self, device: torch.device | str) -> Self:
        """Return the same data set on another device."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))

    # --------------------------------------------------------------------------------------------
    # Examples in order

    def split(self, name: str) -> Split:
        """Return the split that is called ``"train"`` or ``"test"``."""
        return {"train": self.train, "test": self.test}[name]

    def batches(
        self, split: str, batch_size: int, count: int | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the examples of a split in order, ready for a network.

        Parameters
        ----------
        split
            ``"train"`` or ``"test"``. Training examples come as they are, without augmentation.
        batch_size
            Examples per batch; the last batch may be smaller.
        count
            How many examples, from the first. None: all.

        Yields
        ------
        inputs
            As from `network_inputs`.
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

        Everything random is drawn at the start of the epoch, on the CPU, and goes to the device in
        one copy: nothing later makes a GPU and the program that feeds it wait for each other.

        Parameters
        ----------
        batch_size
            Examples per batch; a last smaller batch is left out.
        generator
            A CPU generator: the same seed then draws the same batches on every device.

        Yields
        ------
        inputs
            (`batch_size`, ...), as they are stored, on the device of the data set.
        targets
            (`batch_size`, ...), int64, likewise.
        """
        plan = self.draw_epoch(batch_size, generator)
        for row in plan.to(self.device, non_blocking=plan.is_pinned()):
            yield self.planned_batch(row)

    def draw_epoch(self, batch_size: int, generator: torch.Generator) -> Tensor:
        """Draw everything random about an epoch of training.

        Parameters
        ----------
        batch_size, generator
            As for `training_batches`.

        Returns
        -------
        Tensor
            (steps, `numbers_per_example`, `batch_size`), int64, on the CPU; for a data set on a GPU
            in pinned memory, from which a copy is one that the program need not wait for. The
            first number of an example is its index; what the others mean, a subclass says.
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
            (`numbers_per_example`, batch size), int64, on the device of the data set: a row of what
            `draw_epoch` returns.
        """
        indices = row[0]
        return self.train.inputs[indices], self.train.targets[indices]
