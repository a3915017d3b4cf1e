"""The hooks of `helpers.training.fit`: what is done to a network while it is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn

from autograder.runs.epochs import Length
from helpers.reference import masks


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """The hooks of one training, as `helpers.training.fit` takes them."""

    before_epoch: Callable[[nn.Module, int], None] | None = None
    after_step: Callable[[nn.Module], None] | None = None


MakeHooks = Callable[[nn.Module, Length], Hooks]
"""``make(model, length)`` prepares the network for its training, and returns the hooks."""


def no_hooks(model: nn.Module, length: Length) -> Hooks:
    """Return no hooks: the network trains freely."""
    return Hooks()


def keep_zeros(model: nn.Module, length: Length) -> Hooks:
    """Return hooks that keep every weight at zero that is zero at the start."""
    kept = {layer: w != 0 for layer, w in masks.layer_weights(model).items()}
    return Hooks(after_step=partial(masks.apply_masks, masks=kept))
