"""Scaled dot-product attention, alone, with several heads, and with a cache.

A mask is boolean and true where a query may attend to a key, as in PyTorch's
``scaled_dot_product_attention``. In ``nn.MultiheadAttention`` true means the opposite.

References
----------
Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.2.
Shazeer, "Fast Transformer Decoding: One Write-Head is All You Need", arXiv:1911.02150, 2019:
decoding step by step with the keys and values of the past.
"""

import torch
from torch import Tensor, nn

__all__ = [
    "MultiHeadAttention",
    "attention",
    "cached_attention",
    "causal_mask",
    "merge_heads",
    "split_heads",
]

Cache = tuple[Tensor, Tensor]
"""Keys and values of the positions so far, each (N, h, t, d_k)."""


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    r"""Average values with weights that say how well each key fits a query.

    Parameters
    ----------
    q
        Queries (..., T, d_k).
    k, v
        Keys (..., S, d_k) and values (..., S, d_v).
    mask
        Boolean, broadcastable to (..., T, S): true where a query may attend to a key. Each query
        may attend to at least one. None: every query attends to all keys.

    Returns
    -------
    output
        (..., T, d_v): :math:`\operatorname{softmax}(q k^\top / \sqrt{d_k})\, v`.
    weights
        (..., T, S), not negative; each row has the sum 1.
    """
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(dim=-1)
    return weights @ v, weights


def causal_mask(length: int, device: torch.device | str | None = None) -> Tensor:
    """Return the mask (T, T) by which a position attends to itself and to those before it."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Cut the vectors of (N, T, d) into pieces, one per head: (N, heads, T, d / heads)."""
    n, length, d = x.shape
    return x.view(n, length, heads, d // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """Put the pieces (N, heads, T, d_k) side by side again: (N, T, heads * d_k)."""
    return x.transpose(1, 2).flatten(2)


class MultiHeadAttention(nn.Module):
    """Self-attention with several heads.

    Parameters
    ----------
    d
        Size of the vectors.
    heads
        Number of heads, a divisor of `d`.

    Attributes
    ----------
    weights
        (N, heads, T, T): the attention weights of the last call, without gradient.
    """

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.output = nn.Linear(d, d)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map vectors (N, T, d) to vectors (N, T, d); the mask is that of `attention`."""
        q = split_heads(self.query(x), self.heads)
        k = split_heads(self.key(x), self.heads)
        v = split_heads(self.value(x), self.heads)
        found, weights = attention(q, k, v, mask)
        self.weights = weights.detach()
        return self.output(merge_heads(found))


def cached_attention(q: Tensor, k: Tensor, v: Tensor, cache: Cache | None) -> tuple[Tensor, Cache]:
    """Attend from one new position to itself and to all positions in the cache.

    Parameters
    ----------
    q, k, v
        Query, key and value of the new position, (N, h, 1, d_k).
    cache
        Keys and values of the positions before it; None at the first position.

    Returns
    -------
    output
        (N, h, 1, d_k).
    cache
        Keys and values with those of the new position at the end. The given cache is not changed.
    """
    if cache is not None:
        k = torch.cat([cache[0], k], dim=2)
        v = torch.cat([cache[1], v], dim=2)
    return attention(q, k, v)[0], (k, v)
