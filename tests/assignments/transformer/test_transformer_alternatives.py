"""Correct answers that differ from the reference earn every point of `transformer`.

Every function and class here is a correct answer to the question that it is named after; only the
number at the end of the name is added.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from alternatives import each_alternative, judged_alternative
from torch import nn

from helpers.assignments.transformer import checks
from helpers.reference.transformer.attention import (
    MultiHeadAttention,
    attention,
    causal_mask,
    merge_heads,
    split_heads,
)
from helpers.reference.transformer.inputs import WordEmbedding, sinusoidal_positions
from helpers.reference.transformer.layers import Block, FeedForward, LayerNorm
from tests.assignments.transformer.transformer_probes import PUBLIC_CHECKS

# ------------------------------------------------------------------------------------------------
# Inputs


class WordEmbedding_1(nn.Module):
    """By PyTorch's function."""

    def __init__(self, vocabulary, d):
        super().__init__()
        self.d = d
        self.weight = nn.Parameter(torch.randn(vocabulary, d) / d**0.5)

    def forward(self, tokens):
        return F.embedding(tokens, self.weight) * math.sqrt(self.d)


class WordEmbedding_2(nn.Module):
    """A product with one-hot vectors."""

    def __init__(self, vocabulary, d):
        super().__init__()
        self.d = d
        self.weight = nn.Parameter(torch.randn(vocabulary, d) / d**0.5)

    def forward(self, tokens):
        one_hot = F.one_hot(tokens, len(self.weight)).to(self.weight.dtype)
        return one_hot @ (self.weight * np.sqrt(self.d))


class WordEmbedding_3(nn.Module):
    """By picking rows."""

    def __init__(self, vocabulary, d):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vocabulary, d) / d**0.5)

    def forward(self, tokens):
        rows = self.weight.index_select(0, tokens.flatten())
        return rows.view(*tokens.shape, -1) * self.weight.shape[1] ** 0.5


def sinusoidal_positions_1(length, d):
    """Into an empty table, with an exponential of a logarithm."""
    table = torch.zeros(length, d)
    position = torch.arange(length, dtype=torch.float32).unsqueeze(1)
    factor = torch.exp(torch.arange(0, d, 2).float() * (-math.log(10000.0) / d))
    table[:, 0::2] = torch.sin(position * factor)
    table[:, 1::2] = torch.cos(position * factor)
    return table


def sinusoidal_positions_2(length, d):
    """In NumPy."""
    column = np.arange(d)
    angle = np.arange(length)[:, None] / 10000 ** (2 * (column // 2) / d)
    table = np.where(column % 2 == 0, np.sin(angle), np.cos(angle))
    return torch.from_numpy(table.astype(np.float32))


def sinusoidal_positions_3(length, d):
    """Number by number."""
    rows = [
        [(math.sin, math.cos)[j % 2](t / 10000 ** ((j - j % 2) / d)) for j in range(d)]
        for t in range(length)
    ]
    return torch.tensor(rows)


# ------------------------------------------------------------------------------------------------
# Attention


def attention_1(q, k, v, mask=None):
    """A large negative number in place of infinity."""
    scores = torch.matmul(q, k.mT) * q.size(-1) ** -0.5
    if mask is not None:
        scores = torch.where(mask, scores, torch.finfo(scores.dtype).min)
    weights = F.softmax(scores, dim=-1)
    return torch.matmul(weights, v), weights


def attention_2(q, k, v, mask=None):
    """Exponentials and their sum, with both factors scaled."""
    root = math.sqrt(math.sqrt(q.shape[-1]))
    scores = torch.einsum("...td,...sd->...ts", q / root, k / root)
    scores = scores - scores.amax(-1, keepdim=True)
    powers = scores.exp() if mask is None else scores.exp() * mask
    weights = powers / powers.sum(-1, keepdim=True)
    return torch.einsum("...ts,...sd->...td", weights, v), weights


def attention_3(q, k, v, mask=None):
    """The mask added as a bias."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(k.shape[-1])
    if mask is not None:
        bias = torch.zeros_like(mask, dtype=q.dtype).masked_fill(mask.logical_not(), -math.inf)
        scores = scores + bias
    weights = torch.softmax(scores, -1)
    return weights @ v, weights


def attention_4(q, k, v, mask=None):
    """In float32, with a list for an answer."""
    scores = (q.float() @ k.float().mT).div_(math.sqrt(k.shape[-1]))
    if mask is not None:
        scores[~mask.expand_as(scores)] = -torch.inf
    weights = scores.softmax(-1).to(q.dtype)
    return [weights @ v, weights]


def attention_5(q, k, v, mask=None):
    """The logarithm of the mask, and powers divided by their sum as a difference of logarithms."""
    scores = q @ k.swapaxes(-1, -2) * k.shape[-1] ** -0.5
    if mask is not None:
        scores = scores + mask.to(scores.dtype).log()
    weights = (scores - scores.logsumexp(-1, keepdim=True)).exp()
    assert not weights.isnan().any()
    return weights @ v, weights


def causal_mask_1(length, device=None):
    position = torch.arange(length, device=device)
    return position[:, None] >= position


def causal_mask_2(length, device=None):
    return ~torch.triu(torch.ones((length, length), device=device), diagonal=1).bool()


def causal_mask_3(length, device=None):
    return torch.tril(torch.full((length, length), True, device=device))


def causal_mask_4(length, device=None):
    """On the CPU first, from the mask of floats that PyTorch's own transformer takes."""
    return (nn.Transformer.generate_square_subsequent_mask(length) == 0).to(device)


def split_heads_1(x, heads):
    return torch.stack(x.chunk(heads, dim=-1), dim=1)


def split_heads_2(x, heads):
    return x.unflatten(-1, (heads, -1)).permute(0, 2, 1, 3)


def split_heads_3(x, heads):
    size = x.shape[-1] // heads
    return torch.cat([x[:, None, :, i * size : (i + 1) * size] for i in range(heads)], dim=1)


def merge_heads_1(x):
    return torch.cat(x.unbind(1), dim=-1)


def merge_heads_2(x):
    n, heads, length, size = x.shape
    return x.permute(0, 2, 1, 3).contiguous().view(n, length, heads * size)


def merge_heads_3(x):
    return torch.einsum("nhtk->nthk", x).reshape(x.shape[0], x.shape[2], -1)


class MultiHeadAttention_1(nn.Module):
    """By PyTorch's attention, and the weights beside it."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.output = nn.Linear(d, d)

    def forward(self, x, mask=None):
        q, k, v = (
            split_heads(layer(x), self.heads) for layer in (self.query, self.key, self.value)
        )
        with torch.no_grad():
            self.weights = attention(q, k, v, mask)[1]
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.output(merge_heads(found))


class MultiHeadAttention_2(nn.Module):
    """One head after the other."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.output = nn.Linear(d, d)

    def forward(self, x, mask=None):
        parts = [layer(x).chunk(self.heads, -1) for layer in (self.query, self.key, self.value)]
        found = [attention(*head, mask) for head in zip(*parts, strict=True)]
        self.weights = torch.stack([weights for _, weights in found], dim=1).detach()
        return self.output(torch.cat([output for output, _ in found], dim=-1))


class MultiHeadAttention_3(nn.Module):
    """One product for the three projections, a factor kept as a buffer, and products in place."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.output = nn.Linear(d, d)
        self.register_buffer("scale", torch.tensor((d // heads) ** -0.5), persistent=False)

    def forward(self, x, mask=None):
        layers = (self.query, self.key, self.value)
        projected = F.linear(
            x, torch.cat([a.weight for a in layers]), torch.cat([a.bias for a in layers])
        )
        q, k, v = (split_heads(part, self.heads) for part in projected.chunk(3, -1))
        scores = (q * self.scale) @ k.mT
        if mask is not None:
            scores.masked_fill_(mask.logical_not(), -torch.inf)
        powers = scores.softmax(3)
        self.weights = powers.detach().clone()
        return self.output((powers @ v).permute(0, 2, 1, 3).contiguous().view(x.shape))


class MultiHeadAttention_4(nn.Module):
    """By PyTorch's function for several heads, in which true means blocked."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.output = nn.Linear(d, d)

    def forward(self, x, mask=None):
        layers = (self.query, self.key, self.value)
        found, weights = F.multi_head_attention_forward(
            *[x.transpose(0, 1)] * 3,
            embed_dim_to_check=x.shape[-1],
            num_heads=self.heads,
            in_proj_weight=torch.cat([layer.weight for layer in layers]),
            in_proj_bias=torch.cat([layer.bias for layer in layers]),
            bias_k=None,
            bias_v=None,
            add_zero_attn=False,
            dropout_p=0.0,
            out_proj_weight=self.output.weight,
            out_proj_bias=self.output.bias,
            attn_mask=None if mask is None else ~mask,
            average_attn_weights=False,
        )
        self.weights = weights.detach()
        return found.transpose(0, 1)


def cached_attention_3(q, k, v, cache):
    """A list for the cache, longer by an empty place that is then filled."""
    if cache is None:
        longer = [k, v]
    else:
        longer = [F.pad(part, (0, 0, 0, 1)) for part in cache]
        for part, new in zip(longer, (k, v), strict=True):
            part[:, :, -1:] = new
    return attention(q, *longer)[0], longer


def cached_attention_1(q, k, v, cache):
    keys, values = cache if cache is not None else (k[:, :, :0], v[:, :, :0])
    keys, values = torch.cat((keys, k), 2), torch.cat((values, v), 2)
    return F.scaled_dot_product_attention(q, keys, values), (keys, values)


def cached_attention_2(q, k, v, cache):
    past = [[], []] if cache is None else [[part] for part in cache]
    new = tuple(torch.cat([*old, part], dim=-2) for old, part in zip(past, (k, v), strict=True))
    output, _ = attention(q, *new, None)
    return output, new


# ------------------------------------------------------------------------------------------------
# Layers


class LayerNorm_1(nn.Module):
    def __init__(self, d, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d))
        self.bias = nn.Parameter(torch.zeros(d))

    def forward(self, x):
        variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
        return self.weight * (x - mean) * torch.rsqrt(variance + self.eps) + self.bias


class LayerNorm_2(nn.Module):
    """The variance as the mean of squares less the square of the mean."""

    def __init__(self, d, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d))
        self.bias = nn.Parameter(torch.zeros(d))

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        variance = (x**2).mean(-1, keepdim=True) - mean**2
        return (x - mean) / torch.sqrt(variance + self.eps) * self.weight + self.bias


class LayerNorm_3(nn.Module):
    """In float32, by the unbiased variance with a correction, in place at the end."""

    def __init__(self, d, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d))
        self.bias = nn.Parameter(torch.zeros(d))

    def forward(self, x):
        d, y = x.shape[-1], x.float()
        variance = y.var(-1, keepdim=True) * (d - 1) / d
        y = (y - y.sum(-1, keepdim=True) / d) * (variance + self.eps) ** -0.5
        y = y.to(x.dtype) * self.weight
        y += self.bias
        return y


class FeedForward_1(nn.Module):
    def __init__(self, d, hidden):
        super().__init__()
        self.up = nn.Linear(d, hidden)
        self.down = nn.Linear(hidden, d)

    def forward(self, x):
        return self.down(self.up(x).clamp(min=0))


class FeedForward_2(nn.Module):
    def __init__(self, d, hidden):
        super().__init__()
        self.up = nn.Linear(d, hidden)
        self.down = nn.Linear(hidden, d)

    def forward(self, x):
        inner = torch.maximum(x @ self.up.weight.T + self.up.bias, torch.zeros((), dtype=x.dtype))
        return inner @ self.down.weight.T + self.down.bias


class FeedForward_3(nn.Module):
    """With an activation module that works in place."""

    def __init__(self, d, hidden):
        super().__init__()
        self.up = nn.Linear(d, hidden)
        self.relu = nn.ReLU(inplace=True)
        self.down = nn.Linear(hidden, d)

    def forward(self, x):
        return nn.Sequential(self.up, self.relu, self.down)(x)


class Block_2(nn.Module):
    """A loop over the branches, with PyTorch's function for dropout."""

    def __init__(self, d, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1 = LayerNorm(d)
        self.attention = MultiHeadAttention(d, heads)
        self.norm2 = LayerNorm(d)
        self.feed_forward = FeedForward(d, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        attention = (self.norm1, lambda y: self.attention(y, mask))
        for norm, branch in (attention, (self.norm2, self.feed_forward)):
            x = x + F.dropout(branch(norm(x)), p=self.dropout.p, training=self.training)
        return x


class Block_3(nn.Module):
    """A dropout of its own for each branch, and sums in place."""

    def __init__(self, d, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1 = LayerNorm(d)
        self.attention = MultiHeadAttention(d, heads)
        self.norm2 = LayerNorm(d)
        self.feed_forward = FeedForward(d, hidden)
        self.dropout = nn.Dropout(dropout)
        self.dropout_2 = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        total = x.clone()
        total += self.dropout(self.attention(self.norm1(total), mask))
        total += self.dropout_2(self.feed_forward(self.norm2(total)))
        return total


class Block_1(nn.Module):
    """With names for what the branches find."""

    def __init__(self, d, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1 = LayerNorm(d)
        self.attention = MultiHeadAttention(d, heads)
        self.norm2 = LayerNorm(d)
        self.feed_forward = FeedForward(d, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        looked = self.attention(self.norm1(x), mask=mask)
        middle = self.dropout(looked) + x
        worked = self.feed_forward(self.norm2(middle))
        return middle + self.dropout(worked)


class LanguageModel_1(nn.Module):
    """Embeddings and positions are added in another order, and the blocks are called by index."""

    def __init__(
        self, vocabulary, length, *, d, heads, layers, hidden, dropout=0.0, mask=causal_mask
    ):
        super().__init__()
        self.mask = mask
        self.embedding = WordEmbedding(vocabulary, d)
        self.register_buffer("positions", sinusoidal_positions(length, d), persistent=False)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(d, heads, hidden, dropout) for _ in range(layers))
        self.norm = LayerNorm(d)
        self.output = nn.Linear(d, vocabulary)

    def forward(self, tokens):
        _, length = tokens.size()
        x = self.positions[None, :length] + self.embedding(tokens)
        x = F.dropout(x, self.dropout.p, self.training)
        for i in range(len(self.blocks)):
            x = self.blocks[i](x, self.mask(length, tokens.device))
        return F.linear(self.norm(x), self.output.weight, self.output.bias)


class LanguageModel_2(nn.Module):
    """Positions are computed anew and added in place; the mask has a dimension for the texts."""

    def __init__(
        self, vocabulary, length, *, d, heads, layers, hidden, dropout=0.0, mask=causal_mask
    ):
        super().__init__()
        self.mask = mask
        self.embedding = WordEmbedding(vocabulary, d)
        self.register_buffer("positions", sinusoidal_positions(length, d), persistent=False)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(d, heads, hidden, dropout) for _ in range(layers))
        self.norm = LayerNorm(d)
        self.output = nn.Linear(d, vocabulary)

    def forward(self, tokens):
        n, length = tokens.shape
        x = self.embedding(tokens)
        x += sinusoidal_positions(length, x.shape[-1]).to(x)
        x = self.dropout(x)
        mask = self.mask(length, device=x.device)[None, None].expand(n, 1, -1, -1)
        for block in self.blocks:
            x = block(x, mask=mask)
        return self.norm(x) @ self.output.weight.T + self.output.bias


# ------------------------------------------------------------------------------------------------
# Counting and language


def matrix_products_1(layers, heads):
    one = {
        "feed-forward": 2,
        "scores": heads,
        "weighted values": heads,
        "query, key, value": 3,
        "output projection": 1,
    }
    return {place: layers * count for place, count in one.items()} | {"next token": 1}


def matrix_products_2(layers, heads):
    """One by one, in NumPy's numbers."""
    found = dict.fromkeys(matrix_products_1(1, 1), np.int64(0))
    for _ in range(layers):
        found["query, key, value"] += 3
        for _ in range(heads):
            found["scores"] += 1
            found["weighted values"] += 1
        found["output projection"] += 1
        found["feed-forward"] += 2
    found["next token"] += 1
    return found


def multiplications_2(length, *, d, heads, layers, hidden, vocabulary):
    """With a division that gives floats."""
    in_head = length * (d / heads) * length
    one = {
        "query, key, value": 3 * length * d * d,
        "scores": heads * in_head,
        "weighted values": heads * in_head,
        "output projection": length * d * d,
        "feed-forward": 2 * length * d * hidden,
    }
    return {place: layers * count for place, count in one.items()} | {
        "next token": length * d * vocabulary
    }


def multiplications_1(length, *, d, heads, layers, hidden, vocabulary):
    """The heads cancel."""
    square = layers * length * d**2
    return {
        "query, key, value": 3 * square,
        "scores": layers * length**2 * d,
        "weighted values": layers * length**2 * d,
        "output projection": square,
        "feed-forward": layers * (length * d * hidden + length * hidden * d),
        "next token": vocabulary * d * length,
    }


def ngram_bits_1(training, test, n, smoothing=0.1):
    """By contexts, with a table for each."""
    from collections import Counter, defaultdict

    after = defaultdict(Counter)
    for i in range(n - 1, len(training)):
        after[training[i - n + 1 : i]][training[i]] += 1
    letters = set(training).union(test)
    bits = []
    for i in range(n - 1, len(test)):
        counts = after[test[i - n + 1 : i]]
        p = (counts[test[i]] + smoothing) / (sum(counts.values()) + smoothing * len(letters))
        bits.append(-math.log(p, 2))
    return sum(bits) / len(bits)


def ngram_bits_2(training, test, n, smoothing=0.1):
    """With a table of all n-grams."""
    alphabet = sorted(set(training + test))
    place = {character: i for i, character in enumerate(alphabet)}
    table = torch.full([len(alphabet)] * n, smoothing, dtype=torch.float64)
    for i in range(len(training) - n + 1):
        table[tuple(place[c] for c in training[i : i + n])] += 1
    p = table / table.sum(-1, keepdim=True)
    asked = [tuple(place[c] for c in test[i : i + n]) for i in range(len(test) - n + 1)]
    return -torch.stack([p[gram].log2() for gram in asked]).mean()


def bits_per_character_1(scores, targets):
    logs = scores.log_softmax(-1).gather(-1, targets[..., None])
    return -logs.mean() / math.log(2)


def bits_per_character_2(scores, targets):
    p = scores.float().softmax(-1).gather(-1, targets.unsqueeze(-1))
    return -p.log2().mean().item()


def bits_per_character_3(scores, targets):
    return F.cross_entropy(scores.permute(0, 2, 1), targets).numpy() * np.log2(np.e)


def next_probabilities_3(scores, temperature):
    """Powers of the probabilities."""
    powers = scores.softmax(-1) ** (1 / temperature)
    return powers / powers.sum(-1, keepdim=True)


def next_probabilities_1(scores, temperature):
    powers = ((scores - scores.amax(-1, keepdim=True)) / temperature).exp()
    return powers / powers.sum(-1, keepdim=True)


def next_probabilities_2(scores, temperature):
    return F.softmax(scores * (1 / temperature), -1)


IMPORTS = {"torch": torch, "np": np, "nn": nn, "F": F, "checks": checks}


@each_alternative(globals())
def test_a_right_answer_earns_every_point(alternative):
    score = judged_alternative("transformer", alternative, IMPORTS)
    assert score.points == score.of, score.messages


@each_alternative(globals())
def test_a_right_answer_passes_its_public_check(alternative):
    name = alternative.__name__.rpartition("_")[0]
    (check,) = [check for right, check in PUBLIC_CHECKS.items() if right.__name__ == name]
    result = check(alternative)
    assert result, result.problem
