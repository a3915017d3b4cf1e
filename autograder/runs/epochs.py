"""How long to train: the whole recipe, or a share of it where there is no GPU."""

from __future__ import annotations

from dataclasses import dataclass

STEPS = 2
"""The fewest epochs over which a network is pruned step by step: one would prune it at once."""


@dataclass(frozen=True)
class Length:
    """The numbers of epochs of one training.

    Attributes
    ----------
    pruning : int
        Epochs over which the network is pruned step by step; 0 where it is not.
    settling : int
        Epochs after these: all of them where the network is not pruned while it is trained.
    """

    pruning: int
    settling: int

    @property
    def total(self) -> int:
        """All epochs of the training."""
        return self.pruning + self.settling


@dataclass(frozen=True, kw_only=True)
class Epochs:
    """The epochs of a recipe, for each profile.

    Attributes
    ----------
    quick : int
        Epochs in `quick`, which are always trained in full. 0 where the recipe is one of the
        profile `full` only.
    full : int
        Epochs in `full`, of which a share may be trained.
    least : int
        The fewest epochs of `full` that are trained, however small the share.
    """

    quick: int = 0
    full: int
    least: int = 1

    def count(self, profile: str, share: float, least: int = 1) -> int:
        """Return the number of epochs in a profile, for a share of those of `full`."""
        if profile == "quick":
            return self.quick
        return max(least, self.least, round(share * self.full))

    def length(self, profile: str, share: float) -> Length:
        """Return how long a training is in a profile, for a share of the epochs of `full`."""
        return Length(0, self.count(profile, share))


@dataclass(frozen=True, kw_only=True)
class Phases:
    """The epochs of a recipe that prunes step by step, and then lets the network settle."""

    pruning: Epochs
    settling: Epochs

    def length(self, profile: str, share: float) -> Length:
        """Return how long a training is in a profile, for a share of the epochs of `full`."""
        return Length(
            self.pruning.count(profile, share, STEPS), self.settling.count(profile, share)
        )


def in_words(epochs: int) -> str:
    """Return ``"1 epoch"`` or ``"20 epochs"``, for a recipe."""
    return f"{epochs} epoch" + ("s" if epochs > 1 else "")
