"""The length of a training: all epochs of its recipe, or a share of them if there is no GPU."""

from __future__ import annotations

from dataclasses import dataclass

STEPS = 2
"""The smallest number of epochs for pruning step by step; a single epoch would prune at once."""


@dataclass(frozen=True)
class Length:
    """The numbers of epochs of one training.

    Attributes
    ----------
    pruning
        Epochs over which the network is pruned step by step; 0 if it is not pruned in this way.
    settling
        Epochs after these: all epochs if the network is not pruned while it is trained.
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
    quick
        Epochs in the profile `quick`, all of which are always trained; 0 if the recipe belongs to
        the profile `full` only.
    full
        Epochs in the profile `full`, of which a share may be trained.
    least
        Smallest number of the epochs of `full` that are trained, however small the share.
    """

    quick: int = 0
    full: int
    least: int = 1

    def count(self, profile: str, share: float, least: int = 1) -> int:
        """Return the number of epochs in a profile, for a share of the epochs of `full`."""
        if profile == "quick":
            return self.quick
        return max(least, self.least, round(share * self.full))

    def length(self, profile: str, share: float) -> Length:
        """Return the length of a training in a profile, for a share of the epochs of `full`."""
        return Length(0, self.count(profile, share))


@dataclass(frozen=True, kw_only=True)
class Phases:
    """The epochs of a recipe that prunes step by step and then lets the network settle."""

    pruning: Epochs
    settling: Epochs

    def length(self, profile: str, share: float) -> Length:
        """Return the length of a training in a profile, for a share of the epochs of `full`."""
        return Length(
            self.pruning.count(profile, share, STEPS), self.settling.count(profile, share)
        )


def in_words(epochs: int) -> str:
    """Return ``"1 epoch"`` or ``"20 epochs"``, for a recipe."""
    return f"{epochs} epoch" + ("s" if epochs > 1 else "")
