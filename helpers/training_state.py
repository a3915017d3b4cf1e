"""The state of a training, saved after each epoch so that the training can be resumed."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim import lr_scheduler

from helpers.files import replacing
from helpers.history import History

__all__ = ["TrainingState"]


@dataclass
class TrainingState:
    """Everything that a training changes, and the recipe that identifies the training.

    ``saved`` is the number of epochs after which the checkpoint was saved; 0 if there is none.
    """

    recipe: dict[str, Any]
    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: lr_scheduler.LRScheduler
    scaler: torch.amp.GradScaler
    generator: torch.Generator
    history: History
    saved: int = 0

    def save(self, path: Path) -> None:
        """Save the state to a checkpoint."""
        state = {
            "recipe": self.recipe,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
            "generators": _generator_states(self.generator),
            "history": self.history.to_dict(),
        }
        with replacing(path) as temporary:
            torch.save(state, temporary)
        self.saved = len(self.history)

    def load(self, path: Path) -> None:
        """Restore the saved state; if it belongs to another training, say so and change nothing."""
        try:
            # Generator states belong on the CPU; all else is moved to its device when it is loaded.
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # a damaged file raises errors of many kinds
            print(f"{path.name} cannot be read, so training starts from the beginning.")
            return
        if state.get("recipe") != self.recipe:
            print(
                f"{path.name} is from a training with other settings, "
                "so training starts from the beginning."
            )
            return
        self.model.load_state_dict(state["model"])
        self._load_optimizer(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        if state["scaler"]:  # empty if the loss was not scaled
            self.scaler.load_state_dict(state["scaler"])
        _restore_generators(self.generator, state["generators"])
        for name, numbers in state["history"].items():
            getattr(self.history, name)[:] = numbers
        self.saved = len(self.history)
        print(f"Continuing after epoch {len(self.history)}, from {path.name}.")

    def _load_optimizer(self, state: dict[str, Any]) -> None:
        # The implementation of a step depends on this device, not on that of the checkpoint. It is
        # set before loading, because it decides on which device AdamW counts its steps.
        here = self.optimizer.defaults
        groups = [
            group | {name: here[name] for name in ("fused", "capturable") if name in group}
            for group in state["param_groups"]
        ]
        self.optimizer.load_state_dict(state | {"param_groups": groups})


# ------------------------------------------------------------------------------------------------
# Random numbers


def _generator_states(generator: torch.Generator) -> dict[str, Any]:
    """Return the states of `generator` and of the global generators, as plain data and tensors."""
    _, numpy_keys, *numpy_rest = np.random.get_state(legacy=True)
    states: dict[str, Any] = {
        "run": generator.get_state(),
        "python": random.getstate(),
        "numpy": (torch.from_numpy(np.asarray(numpy_keys).astype(np.int64)), *numpy_rest),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        states["mps"] = torch.mps.get_rng_state()
    return states


def _restore_generators(generator: torch.Generator, states: dict[str, Any]) -> None:
    """Restore the states that `_generator_states` returned."""
    generator.set_state(states["run"])
    random.setstate(states["python"])
    numpy_keys, *numpy_rest = states["numpy"]
    np.random.set_state(("MT19937", numpy_keys.numpy().astype(np.uint32), *numpy_rest))
    torch.set_rng_state(states["torch"])
    # The training may resume on other devices, whose generators then start from the seed.
    if torch.cuda.is_available() and len(states.get("cuda", [])) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
    if torch.backends.mps.is_available() and "mps" in states:
        torch.mps.set_rng_state(states["mps"])
