"""The experiments of `transformer`: a language model, and the same without looking back."""

from __future__ import annotations

from typing import Any

from torch import nn

from autograder.runs.epochs import Epochs
from autograder.runs.experiment import Build, Experiment
from helpers.data import Dataset
from helpers.reference.transformer.attention import causal_mask
from helpers.reference.transformer.model import MakeMask, course_model, only_itself
from helpers.text import TextDataset

DATA = {"quick": "alice", "full": "tinyshakespeare"}
WEIGHTS = {"quick": 106_624, "full": 803_072}
EPOCHS = Epochs(quick=12, full=20)
RATE = 0.006


def _random(mask: MakeMask) -> Build:
    def build(dataset: Dataset) -> nn.Module:
        assert isinstance(dataset, TextDataset)
        return course_model(dataset, mask).to(dataset.device)

    return build


def _row(name: str, how: str, mask: MakeMask, **fields: Any) -> Experiment:
    return Experiment(
        name=name,
        assignment="transformer",
        recipe=f"{{epochs}} of AdamW from random weights, {how}, cosine from {{lr}}",
        start=_random(mask),
        from_scratch=True,
        epochs=EPOCHS,
        lr=RATE,
        settings={"batch_size": 32, "weight_decay": 0.1, "optimizer": "adamw"},
        weights=WEIGHTS,
        data=DATA,
        has_controls=False,
        draws_curve=True,
        **fields,
    )


EXPERIMENTS = (
    _row("char_transformer", "looking back over the window", causal_mask),
    _row("char_itself", "each position seeing itself alone", only_itself),
)
"""The networks that students train and that are graded."""
