"""The other layers of a transformer, and the residual block that they make up.

References
----------
Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.3: the feed-forward network.
Ba, Kiros, Hinton, "Layer Normalization", arXiv:1607.06450, 2016.
Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML 2020: the norm at the
beginning of each branch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.reference.transformer.attention import MultiHeadAttention

__all__ = ["Block", "FeedForward", "LayerNorm"]


class LayerNorm(nn.Module):
    """Give every vector mean 0 and variance 1, then scale and shift its numbers.

    Parameters
    ----------
    d
        Size of the vectors.
    eps
        Added to the variance.
    """

    def __init__(self, d: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d))
        self.bias = nn.Parameter(torch.zeros(d))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the vectors in the last dimension of `x`."""
        centred = x - x.mean(dim=-1, keepdim=True)
        variance = centred.square().mean(dim=-1, keepdim=True)
        return centred / (variance + self.eps).sqrt() * self.weight + self.bias


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between them, for each position on its own.

    Parameters
    ----------
    d
        Size of the vectors.
    hidden
        Size of the vectors between the two layers.
    """

    def __init__(self, d: int, hidden: int) -> None:
        super().__init__()
        self.up = nn.Linear(d, hidden)
        self.down = nn.Linear(hidden, d)

    def forward(self, x: Tensor) -> Tensor:
        """Map vectors (N, T, d) to vectors (N, T, d)."""
        return self.down(F.relu(self.up(x)))


class Block(nn.Module):
    """Attention and a feed-forward network, each in a residual branch that begins with a norm.

    Parameters
    ----------
    d, heads, hidden
        As for `MultiHeadAttention` and `FeedForward`.
    dropout
        The share of the numbers that are set to zero at the end of each branch in training.
    """

    def __init__(self, d: int, heads: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm1 = LayerNorm(d)
        self.attention = MultiHeadAttention(d, heads)
        self.norm2 = LayerNorm(d)
        self.feed_forward = FeedForward(d, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map vectors (N, T, d) to vectors (N, T, d)."""
        x = x + self.dropout(self.attention(self.norm1(x), mask))
        return x + self.dropout(self.feed_forward(self.norm2(x)))
