"""What goes into a transformer: a vector for each token, and a vector for each position.

References
----------
Vaswani et al., "Attention Is All You Need", NeurIPS 2017, sections 3.4 and 3.5.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["WordEmbedding", "sinusoidal_positions"]


class WordEmbedding(nn.Module):
    """A table with one vector for each token, scaled by the square root of their size.

    Parameters
    ----------
    vocabulary
        Number of tokens.
    d
        Size of a vector.
    """

    def __init__(self, vocabulary: int, d: int) -> None:
        super().__init__()
        self.d = d
        self.weight = nn.Parameter(torch.randn(vocabulary, d) / d**0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens, int64 (N, T), to vectors (N, T, d)."""
        return F.embedding(tokens, self.weight) * self.d**0.5


def sinusoidal_positions(length: int, d: int) -> Tensor:
    r"""Return a vector for each position, made of sines and cosines of many wavelengths.

    Parameters
    ----------
    length
        Number of positions :math:`T`.
    d
        Size of a vector, even.

    Returns
    -------
    Tensor
        (T, d), float32: :math:`\sin(t / 10000^{2i/d})` in column :math:`2i` and the cosine of the
        same angle in column :math:`2i + 1`.
    """
    position = torch.arange(length, dtype=torch.float64)[:, None]
    angle = position / 10000 ** (torch.arange(0, d, 2, dtype=torch.float64) / d)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).float()
