"""A language model: a stack of blocks, in which each position sees itself and those before it.

References
----------
Vaswani et al., "Attention Is All You Need", NeurIPS 2017.
Radford et al., "Language Models are Unsupervised Multitask Learners", 2019: a decoder alone, with
the norm at the beginning of the branches and one more at the end.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from helpers.profile import profile
from helpers.reference.transformer.attention import causal_mask
from helpers.reference.transformer.inputs import WordEmbedding, sinusoidal_positions
from helpers.reference.transformer.layers import Block, LayerNorm
from helpers.text import TextDataset

__all__ = ["SIZES", "LanguageModel", "MakeMask", "course_model", "only_itself"]

MakeMask = Callable[[int, torch.device], Tensor]
"""``mask(length, device)`` returns a mask as `attention.attention` takes it."""


def only_itself(length: int, device: torch.device | str | None = None) -> Tensor:
    """Return the mask (T, T) by which each position attends to itself alone."""
    return torch.eye(length, dtype=torch.bool, device=device)


class LanguageModel(nn.Module):
    """A transformer that predicts the next token at each position.

    Parameters
    ----------
    vocabulary
        Number of tokens.
    length
        The largest number of positions.
    d, heads, hidden, dropout
        As for `Block`.
    layers
        Number of blocks.
    mask
        Makes the mask of all blocks.
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        *,
        d: int,
        heads: int,
        layers: int,
        hidden: int,
        dropout: float = 0.0,
        mask: MakeMask = causal_mask,
    ) -> None:
        super().__init__()
        self.mask = mask
        self.positions: Tensor
        self.embedding = WordEmbedding(vocabulary, d)
        # Not persistent: positions are computed, and so they are no part of the weights.
        self.register_buffer("positions", sinusoidal_positions(length, d), persistent=False)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(d, heads, hidden, dropout) for _ in range(layers))
        self.norm = LayerNorm(d)
        self.output = nn.Linear(d, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens, int64 (N, T), to scores of the next tokens, (N, T, vocabulary)."""
        length = tokens.shape[1]
        x = self.dropout(self.embedding(tokens) + self.positions[:length])
        mask = self.mask(length, tokens.device)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(self.norm(x))


SIZES: dict[str, dict[str, Any]] = {
    "quick": {"d": 64, "heads": 4, "layers": 2, "hidden": 256, "dropout": 0.0},
    "full": {"d": 128, "heads": 4, "layers": 4, "hidden": 512, "dropout": 0.1},
}
"""The sizes of the language model that students train, in each profile."""


def course_model(dataset: TextDataset, mask: MakeMask = causal_mask) -> LanguageModel:
    """Return the language model that students train in this profile, with random weights."""
    return LanguageModel(len(dataset.alphabet), dataset.length, **SIZES[profile()], mask=mask)
