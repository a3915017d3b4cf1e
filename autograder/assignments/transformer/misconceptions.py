"""Wrong solutions of `transformer`, as students write them.

Each makes one mistake and is otherwise right. Where a wrong solution calls the answer to another
question (`attention` in `MultiHeadAttention`, say), it calls the reference's here, and the
student's own in a notebook.
"""

# Students write neither type hints nor docstrings on methods.
# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="index"
# ruff: noqa: D102

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from autograder.misconceptions import misconception
from helpers.reference.transformer import (
    attention as heads_and_masks,
)
from helpers.reference.transformer import (
    counting,
    inputs,
    language,
    layers,
    model,
)
from helpers.reference.transformer.attention import (
    MultiHeadAttention,
    attention,
    causal_mask,
    merge_heads,
    split_heads,
)
from helpers.reference.transformer.inputs import WordEmbedding, sinusoidal_positions
from helpers.reference.transformer.layers import Block, FeedForward, LayerNorm

# ------------------------------------------------------------------------------------------------
# Inputs


@misconception(of=inputs.WordEmbedding)
class embedding_not_scaled(nn.Module):
    """Your embedding returns the rows of the table as they are.

    They begin with a variance of 1/d and would be drowned by the positions: multiply them by the
    square root of d.
    """

    def __init__(self, vocabulary, d):
        super().__init__()
        self.d = d
        self.weight = nn.Parameter(torch.randn(vocabulary, d) / d**0.5)

    def forward(self, tokens):
        return self.weight[tokens]


@misconception(of=inputs.WordEmbedding)
class embedding_scaled_by_d(nn.Module):
    """You multiply the rows by d instead of its square root.

    The numbers of a row have a variance of 1/d: which factor gives them the variance 1?
    """

    def __init__(self, vocabulary, d):
        super().__init__()
        self.d = d
        self.weight = nn.Parameter(torch.randn(vocabulary, d) / d**0.5)

    def forward(self, tokens):
        return self.weight[tokens] * self.d


@misconception(of=inputs.sinusoidal_positions)
def exponent_of_the_column(length, d):
    """You use the number of the column in the exponent, once for the sine and once for the cosine.

    Both of a pair share one angle, with the exponent 2i/d, so that a step of positions turns the
    pair.
    """
    column = torch.arange(d)
    angle = torch.arange(length)[:, None] / 10000 ** (column / d)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos())


@misconception(of=inputs.sinusoidal_positions)
def exponent_halved(length, d):
    """You use the exponent i/d instead of 2i/d.

    With i from 0 to d/2 the exponent then ends at 1/2, and the longest wavelength is only a hundred
    times the shortest one.
    """
    angle = torch.arange(length)[:, None] / 10000 ** (torch.arange(d // 2) / d)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


@misconception(of=inputs.sinusoidal_positions)
def sines_before_cosines(length, d):
    """You put all sines into the first half of the columns and all cosines into the second.

    That would work as well, but here sine and cosine of one angle stand side by side, in the
    columns 2i and 2i + 1.
    """
    angle = torch.arange(length)[:, None] / 10000 ** (torch.arange(0, d, 2) / d)
    return torch.cat([angle.sin(), angle.cos()], dim=-1)


# ------------------------------------------------------------------------------------------------
# Attention


@misconception(of=heads_and_masks.attention)
def scores_not_divided(q, k, v, mask=None):
    """You do not divide the products of queries and keys.

    Their standard deviation is the square root of d_k, and a softmax of such scores is nearly
    one-hot in large heads.
    """
    scores = q @ k.transpose(-2, -1)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(dim=-1)
    return weights @ v, weights


@misconception(of=heads_and_masks.attention)
def divided_by_d(q, k, v, mask=None):
    """You divide the products by d_k instead of its square root.

    A sum of d_k products with variance 1 has the variance d_k: what is its standard deviation?
    """
    scores = q @ k.transpose(-2, -1) / q.shape[-1]
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(dim=-1)
    return weights @ v, weights


@misconception(of=heads_and_masks.attention)
def softmax_over_queries(q, k, v, mask=None):
    """Your softmax goes over the queries, so that the weights of each key sum to 1.

    Each query averages the values: its own weights, along the last dimension, have to sum to 1.
    """
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)
    weights = scores.softmax(dim=-2)
    return weights @ v, weights


@misconception(of=heads_and_masks.attention)
def mask_after_softmax(q, k, v, mask=None):
    """You set the blocked weights to 0 after the softmax.

    The other weights of the query then no longer sum to 1, and blocked keys have had their part in
    the sum below: block the scores before the softmax.
    """
    weights = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(dim=-1)
    if mask is not None:
        weights = weights * mask
    return weights @ v, weights


@misconception(of=heads_and_masks.attention)
def zero_before_softmax(q, k, v, mask=None):
    """You multiply the scores by the mask before the softmax.

    A score of 0 is not a weight of 0, because the exponential of 0 is 1: which score becomes 0 in
    the softmax?
    """
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if mask is not None:
        scores = scores * mask
    weights = scores.softmax(dim=-1)
    return weights @ v, weights


@misconception(of=heads_and_masks.attention)
def mask_inverted(q, k, v, mask=None):
    """You block the keys where the mask is true.

    Here true means that a query may attend to a key; it is `nn.MultiheadAttention` in which true
    means blocked.
    """
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(mask, -1e9)
    weights = scores.softmax(dim=-1)
    return weights @ v, weights


@misconception(of=heads_and_masks.causal_mask)
def looks_ahead(length, device=None):
    """Your mask lets a position attend to itself and to those after it.

    That is the upper triangle: a language model may see the past, and the future is what it has to
    predict.
    """
    return torch.ones(length, length, dtype=torch.bool, device=device).triu()


@misconception(of=heads_and_masks.causal_mask)
def blind_to_itself(length, device=None):
    """Your mask does not let a position attend to itself.

    The first position can then attend to nothing at all, and its softmax divides by zero. The
    target is the next character, so a position may see its own.
    """
    return torch.ones(length, length, dtype=torch.bool, device=device).tril(-1)


@misconception(of=heads_and_masks.split_heads)
def split_by_a_bare_view(x, heads):
    """You split the heads by a `view` alone.

    It keeps the order in memory, so a head gets other positions instead of a part of every vector:
    cut the last dimension first, and then exchange two dimensions.
    """
    n, length, d = x.shape
    return x.reshape(n, heads, length, d // heads)


@misconception(of=heads_and_masks.split_heads)
def every_hth_number(x, heads):
    """You give each head every h-th number of a vector.

    Here head 0 has the first d/h numbers, head 1 the next ones, and so on, as in the trained
    weights of other programs.
    """
    n, length, d = x.shape
    return x.reshape(n, length, d // heads, heads).permute(0, 3, 1, 2)


@misconception(of=heads_and_masks.merge_heads)
def merged_by_a_bare_view(x):
    """You merge the heads by a `view` alone.

    The numbers of one position are not beside each other in memory: exchange heads and positions
    before you merge.
    """
    n, heads, length, d = x.shape
    return x.reshape(n, length, heads * d)


@misconception(of=heads_and_masks.MultiHeadAttention)
class no_output_projection(nn.Module):
    """You return the merged heads without the output layer.

    Nothing would then mix what different heads have found: pass the merged vectors through
    `self.output`.
    """

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.output = nn.Linear(d, d)

    def forward(self, x, mask=None):
        q = split_heads(self.query(x), self.heads)
        k = split_heads(self.key(x), self.heads)
        v = split_heads(self.value(x), self.heads)
        found, weights = attention(q, k, v, mask)
        self.weights = weights.detach()
        return merge_heads(found)


@misconception(of=heads_and_masks.MultiHeadAttention)
class mask_forgotten(nn.Module):
    """Your layer does not pass the mask on to `attention`.

    Every position then looks at all others, and a language model copies the next character from
    the future.
    """

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.output = nn.Linear(d, d)

    def forward(self, x, mask=None):
        q = split_heads(self.query(x), self.heads)
        k = split_heads(self.key(x), self.heads)
        v = split_heads(self.value(x), self.heads)
        found, weights = attention(q, k, v)
        self.weights = weights.detach()
        return self.output(merge_heads(found))


@misconception(of=heads_and_masks.MultiHeadAttention)
class one_head_for_all(nn.Module):
    """You attend with whole vectors instead of splitting them into heads.

    All numbers then share a single softmax, and the scores are divided by the root of d instead of
    d/h: split queries, keys and values first.
    """

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.output = nn.Linear(d, d)

    def forward(self, x, mask=None):
        found, weights = attention(self.query(x), self.key(x), self.value(x), mask)
        self.weights = weights.detach()[:, None].expand(-1, self.heads, -1, -1)
        return self.output(found)


@misconception(of=heads_and_masks.cached_attention)
def new_key_forgotten(q, k, v, cache):
    """You attend to the cache before the new position is in it.

    A position attends to itself as well as to those before it: append its key and value first.
    """
    if cache is None:
        return attention(q, k, v)[0], (k, v)
    output = attention(q, cache[0], cache[1])[0]
    return output, (torch.cat([cache[0], k], dim=2), torch.cat([cache[1], v], dim=2))


@misconception(of=heads_and_masks.cached_attention)
def cache_in_wrong_order(q, k, v, cache):
    """You put the new key and value in front of the cache.

    The output is the same, because attention does not know the order, but the cache should hold the
    positions in the order of the text.
    """
    if cache is not None:
        k = torch.cat([k, cache[0]], dim=2)
        v = torch.cat([v, cache[1]], dim=2)
    return attention(q, k, v)[0], (k, v)


# ------------------------------------------------------------------------------------------------
# Layers


@misconception(of=layers.LayerNorm)
class unbiased_variance(nn.Module):
    """You divide the sum of squares by d - 1, as `torch.var` and `torch.std` do by default.

    The variance in layer norm is the mean of the squares, divided by d: use `correction=0`.
    """

    def __init__(self, d, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d))
        self.bias = nn.Parameter(torch.zeros(d))

    def forward(self, x):
        mean = x.mean(dim=-1, keepdim=True)
        variance = x.var(dim=-1, keepdim=True)
        return (x - mean) / (variance + self.eps).sqrt() * self.weight + self.bias


@misconception(of=layers.LayerNorm)
class norm_over_positions(nn.Module):
    """You take mean and variance over the positions instead of over the numbers of a vector.

    Then each position depends on all others, even on later ones: normalise over the last dimension.
    """

    def __init__(self, d, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d))
        self.bias = nn.Parameter(torch.zeros(d))

    def forward(self, x):
        mean = x.mean(dim=max(0, x.dim() - 2), keepdim=True)
        variance = (x - mean).square().mean(dim=max(0, x.dim() - 2), keepdim=True)
        return (x - mean) / (variance + self.eps).sqrt() * self.weight + self.bias


@misconception(of=layers.LayerNorm)
class eps_outside_the_root(nn.Module):
    """You add eps to the standard deviation instead of to the variance.

    It belongs under the root: the formula divides by the root of variance plus eps.
    """

    def __init__(self, d, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d))
        self.bias = nn.Parameter(torch.zeros(d))

    def forward(self, x):
        centred = x - x.mean(dim=-1, keepdim=True)
        deviation = centred.square().mean(dim=-1, keepdim=True).sqrt()
        return centred / (deviation + self.eps) * self.weight + self.bias


@misconception(of=layers.FeedForward)
class no_activation(nn.Module):
    """You leave out the ReLU between the two layers.

    Two linear layers in a row are only one linear layer: it is the ReLU that makes the network more
    than that.
    """

    def __init__(self, d, hidden):
        super().__init__()
        self.up = nn.Linear(d, hidden)
        self.down = nn.Linear(hidden, d)

    def forward(self, x):
        return self.down(self.up(x))


@misconception(of=layers.FeedForward)
class activation_at_the_end(nn.Module):
    """You apply a ReLU after the second layer as well.

    The branch could then only ever add to its input and never subtract from it: the last layer has
    no activation.
    """

    def __init__(self, d, hidden):
        super().__init__()
        self.up = nn.Linear(d, hidden)
        self.down = nn.Linear(hidden, d)

    def forward(self, x):
        return F.relu(self.down(F.relu(self.up(x))))


@misconception(of=layers.FeedForward)
class activation_before_the_first_layer(nn.Module):
    """You apply the ReLU to the input instead of to what the first layer gives.

    The two layers then follow each other directly and are a single linear layer: the ReLU belongs
    between them.
    """

    def __init__(self, d, hidden):
        super().__init__()
        self.up = nn.Linear(d, hidden)
        self.down = nn.Linear(hidden, d)

    def forward(self, x):
        return self.down(self.up(F.relu(x)))


@misconception(of=layers.Block)
class branches_side_by_side(nn.Module):
    """Your second branch begins with the input of the block, as the first one does.

    It has to begin with what the first branch has returned, so that the feed-forward network works
    on what attention has found.
    """

    def __init__(self, d, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1 = LayerNorm(d)
        self.attention = MultiHeadAttention(d, heads)
        self.norm2 = LayerNorm(d)
        self.feed_forward = FeedForward(d, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        looked = self.dropout(self.attention(self.norm1(x), mask))
        return x + looked + self.dropout(self.feed_forward(self.norm2(x)))


@misconception(of=layers.Block)
class mask_not_passed_on(nn.Module):
    """Your block does not pass the mask on to its attention.

    Every position then sees all others, and a language model finds the character that it has to
    predict in the future.
    """

    def __init__(self, d, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1 = LayerNorm(d)
        self.attention = MultiHeadAttention(d, heads)
        self.norm2 = LayerNorm(d)
        self.feed_forward = FeedForward(d, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        x = x + self.dropout(self.attention(self.norm1(x)))
        return x + self.dropout(self.feed_forward(self.norm2(x)))


@misconception(of=layers.Block)
class residual_forgotten(nn.Module):
    """You return what the branches find without adding it to their input.

    The sum is what lets the input and its gradient pass through many blocks unchanged.
    """

    def __init__(self, d, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1 = LayerNorm(d)
        self.attention = MultiHeadAttention(d, heads)
        self.norm2 = LayerNorm(d)
        self.feed_forward = FeedForward(d, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        x = self.dropout(self.attention(self.norm1(x), mask))
        return self.dropout(self.feed_forward(self.norm2(x)))


@misconception(of=layers.Block)
class norm_after_the_sum(nn.Module):
    """Your block has the norm after each sum (post-norm), as the original transformer has.

    That is a good network too, but here each branch begins with its norm, and what passes by the
    branches is not normalised.
    """

    def __init__(self, d, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1 = LayerNorm(d)
        self.attention = MultiHeadAttention(d, heads)
        self.norm2 = LayerNorm(d)
        self.feed_forward = FeedForward(d, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        x = self.norm1(x + self.dropout(self.attention(x, mask)))
        return self.norm2(x + self.dropout(self.feed_forward(x)))


@misconception(of=layers.Block)
class residual_from_the_norm(nn.Module):
    """You add what a branch finds to its normalised input.

    The input itself has to pass unchanged: use the norm inside the branch only.
    """

    def __init__(self, d, heads, hidden, dropout=0.0):
        super().__init__()
        self.norm1 = LayerNorm(d)
        self.attention = MultiHeadAttention(d, heads)
        self.norm2 = LayerNorm(d)
        self.feed_forward = FeedForward(d, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        x = self.norm1(x)
        x = x + self.dropout(self.attention(x, mask))
        x = self.norm2(x)
        return x + self.dropout(self.feed_forward(x))


@misconception(of=model.LanguageModel)
class positions_after_the_first_block(nn.Module):
    """You add the positions after the first block.

    The first block then sees a bag of characters without their order: add the positions to the
    embeddings, before all blocks.
    """

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
        length = tokens.shape[1]
        x = self.dropout(self.embedding(tokens))
        mask = self.mask(length, tokens.device)
        for i, block in enumerate(self.blocks):
            x = block(x, mask)
            if i == 0:
                x = x + self.positions[:length]
        return self.output(self.norm(x))


@misconception(of=model.LanguageModel)
class positions_forgotten(nn.Module):
    """You do not add the positions to the embeddings.

    Attention does not know the order of what it sees, so your model cannot tell "was" from "saw".
    """

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
        x = self.dropout(self.embedding(tokens))
        mask = self.mask(tokens.shape[1], tokens.device)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(self.norm(x))


@misconception(of=model.LanguageModel)
class last_norm_forgotten(nn.Module):
    """You leave out the norm before the output layer.

    With the norm at the beginning of the branches, nothing else normalises the sum of all branches
    before the scores are computed.
    """

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
        length = tokens.shape[1]
        x = self.dropout(self.embedding(tokens) + self.positions[:length])
        mask = self.mask(length, tokens.device)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(x)


@misconception(of=model.LanguageModel)
class future_in_sight(nn.Module):
    """You call the blocks without the mask.

    Each position then sees the character that it has to predict: pass the mask to every block.
    """

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
        x = self.dropout(self.embedding(tokens) + self.positions[: tokens.shape[1]])
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x))


@misconception(of=model.LanguageModel)
class softmax_of_the_scores(nn.Module):
    """You return probabilities instead of scores.

    The loss function takes the softmax itself, and a second one would make all probabilities nearly
    equal: return what the output layer gives.
    """

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
        length = tokens.shape[1]
        x = self.dropout(self.embedding(tokens) + self.positions[:length])
        mask = self.mask(length, tokens.device)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(self.norm(x)).softmax(dim=-1)


# ------------------------------------------------------------------------------------------------
# Counting


@misconception(of=counting.matrix_products)
def projections_for_each_head(layers, heads):
    """You count the projections of queries, keys and values for each head.

    One product computes them for all heads, because the vectors are split only afterwards.
    """
    return {
        "query, key, value": 3 * heads * layers,
        "scores": heads * layers,
        "weighted values": heads * layers,
        "output projection": layers,
        "feed-forward": 2 * layers,
        "next token": 1,
    }


@misconception(of=counting.matrix_products)
def heads_forgotten(layers, heads):
    """You count the scores and the weighted values once per layer.

    Each head has a softmax of its own, and so it has a product for the scores and one for the
    values: h of each in every layer.
    """
    return {
        "query, key, value": 3 * layers,
        "scores": layers,
        "weighted values": layers,
        "output projection": layers,
        "feed-forward": 2 * layers,
        "next token": 1,
    }


@misconception(of=counting.matrix_products)
def scores_in_every_layer(layers, heads):
    """You count the product that gives the scores of the next token once per layer.

    The output layer comes once, after the last block.
    """
    return {
        "query, key, value": 3 * layers,
        "scores": heads * layers,
        "weighted values": heads * layers,
        "output projection": layers,
        "feed-forward": 2 * layers,
        "next token": layers,
    }


@misconception(of=counting.multiplications)
def heads_of_full_size(length, *, d, heads, layers, hidden, vocabulary):
    """You let each head work with all d numbers.

    The vectors are split: each head has d/h of them, so that all heads together cost as much as a
    single one.
    """
    return {
        "query, key, value": layers * 3 * length * d * d,
        "scores": layers * heads * length * d * length,
        "weighted values": layers * heads * length * d * length,
        "output projection": layers * length * d * d,
        "feed-forward": layers * 2 * length * d * hidden,
        "next token": length * d * vocabulary,
    }


# ------------------------------------------------------------------------------------------------
# Language


@misconception(of=language.ngram_bits)
def nats_for_bits(training, test, n, smoothing=0.1):
    """You use the natural logarithm, and so the unit is the nat.

    A bit is a factor of 2: use the logarithm to the base 2, or divide by log(2).
    """
    letters = len(set(training) | set(test))
    grams = [training[i : i + n] for i in range(len(training) - n + 1)]
    counts = dict.fromkeys(grams, 0)
    seen = dict.fromkeys([gram[:-1] for gram in grams], 0)
    for gram in grams:
        counts[gram] += 1
        seen[gram[:-1]] += 1
    total = 0.0
    asked = [test[i : i + n] for i in range(len(test) - n + 1)]
    for gram in asked:
        total -= np.log(
            (counts.get(gram, 0) + smoothing) / (seen.get(gram[:-1], 0) + smoothing * letters)
        )
    return float(total / len(asked))


@misconception(of=language.ngram_bits)
def joint_probability(training, test, n, smoothing=0.1):
    """You divide the count of an n-gram by the number of all n-grams.

    That is how often the n characters occur together. The model predicts the last one when the
    others are known: divide by the count of the context.
    """
    letters = len(set(training) | set(test))
    grams = [training[i : i + n] for i in range(len(training) - n + 1)]
    counts = dict.fromkeys(grams, 0)
    for gram in grams:
        counts[gram] += 1
    total = 0.0
    asked = [test[i : i + n] for i in range(len(test) - n + 1)]
    for gram in asked:
        total -= np.log2((counts.get(gram, 0) + smoothing) / (len(grams) + smoothing * letters))
    return float(total / len(asked))


@misconception(of=language.ngram_bits)
def alphabet_of_the_training_text(training, test, n, smoothing=0.1):
    """You count only the characters of the training text as the alphabet.

    The test text may have others, and then your probabilities of all characters sum to more than 1:
    take the characters of both texts.
    """
    letters = len(set(training))
    grams = [training[i : i + n] for i in range(len(training) - n + 1)]
    counts = dict.fromkeys(grams, 0)
    seen = dict.fromkeys([gram[:-1] for gram in grams], 0)
    for gram in grams:
        counts[gram] += 1
        seen[gram[:-1]] += 1
    total = 0.0
    asked = [test[i : i + n] for i in range(len(test) - n + 1)]
    for gram in asked:
        total -= np.log2(
            (counts.get(gram, 0) + smoothing) / (seen.get(gram[:-1], 0) + smoothing * letters)
        )
    return float(total / len(asked))


@misconception(of=language.bits_per_character)
def multiplied_by_log_2(scores, targets):
    """You multiply the loss in nats by log(2) instead of dividing by it.

    A bit is the smaller unit, so that the number of bits is larger than the number of nats.
    """
    return float(F.cross_entropy(scores.flatten(0, 1), targets.flatten())) * np.log(2)


@misconception(of=language.bits_per_character)
def loss_in_nats(scores, targets):
    """You return the loss in nats, as `F.cross_entropy` gives it.

    One nat is 1 / log(2) bits: the probability 1/2 should be exactly one bit.
    """
    return float(F.cross_entropy(scores.flatten(0, 1), targets.flatten()))


@misconception(of=language.next_probabilities)
def multiplies_by_the_temperature(scores, temperature):
    """You multiply the scores by the temperature.

    Then a high temperature makes the likely characters likelier, and a low one makes all alike: it
    is the other way round.
    """
    return (scores * temperature).softmax(dim=-1)


@misconception(of=language.next_probabilities)
def divides_probabilities(scores, temperature):
    """You divide the probabilities by the temperature and normalise them again.

    A common factor cancels, so that your temperature has no effect: divide the scores before the
    softmax.
    """
    found = scores.softmax(dim=-1) / temperature
    return found / found.sum(dim=-1, keepdim=True)
