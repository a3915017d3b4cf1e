"""Attention against PyTorch's own, and the properties that define it."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers.reference.transformer.attention import (
    MultiHeadAttention,
    attention,
    cached_attention,
    causal_mask,
    merge_heads,
    split_heads,
)

sizes = st.integers(1, 6)
seeds = st.integers(0, 1000)
EPS = torch.finfo(torch.float64).eps


def drawn(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def close(a, b):
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@given(seeds, sizes, sizes, sizes)
@settings(max_examples=30, deadline=None)
def test_attention_is_that_of_torch(seed, queries, keys, d):
    q, k = drawn(seed, 2, queries, d), drawn(seed + 1, 2, keys, d)
    v = drawn(seed + 2, 2, keys, 3)
    mask = drawn(seed + 3, queries, keys) > 0
    mask[:, 0] = True
    close(attention(q, k, v)[0], F.scaled_dot_product_attention(q, k, v))
    close(attention(q, k, v, mask)[0], F.scaled_dot_product_attention(q, k, v, attn_mask=mask))


@given(seeds, sizes, sizes)
@settings(max_examples=30, deadline=None)
def test_weights_are_an_average(seed, length, d):
    q, k, v = (drawn(seed + i, length, d) for i in range(3))
    _, weights = attention(q, k, v, causal_mask(length))
    assert (weights >= 0).all()
    close(weights.sum(dim=-1), torch.ones(length, dtype=torch.float64))
    assert (weights.triu(1) == 0).all()


def test_the_order_of_keys_does_not_matter_and_queries_keep_their_order():
    q, k, v = (drawn(i, 5, 4) for i in range(3))
    order = torch.tensor([3, 0, 4, 1, 2])
    output, weights = attention(q, k, v)
    moved, moved_weights = attention(q[order], k[order], v[order])
    close(moved, output[order])
    close(moved_weights, weights[order][:, order])


def test_the_causal_mask_is_that_of_torch():
    own = causal_mask(7)
    theirs = nn.Transformer.generate_square_subsequent_mask(7)
    assert torch.equal(own, theirs == 0)
    assert own.dtype == torch.bool
    assert causal_mask(3, "meta").device.type == "meta"


def test_the_same_mask_is_inverted_in_multihead_attention_of_torch():
    layer = nn.MultiheadAttention(4, 2, batch_first=True).double()
    x = drawn(0, 1, 5, 4)
    q, k, v = F.linear(x, layer.in_proj_weight, layer.in_proj_bias).chunk(3, dim=-1)
    mask = causal_mask(5)
    own = merge_heads(attention(*(split_heads(part, 2) for part in (q, k, v)), mask)[0])
    close(layer.out_proj(own), layer(x, x, x, attn_mask=~mask)[0])


def of_torch(layer):
    """Return torch's own layer with the same weights."""
    d = layer.query.in_features
    theirs = nn.MultiheadAttention(d, layer.heads, batch_first=True).to(layer.query.weight)
    parts = (layer.query, layer.key, layer.value)
    theirs.load_state_dict(
        {
            "in_proj_weight": torch.cat([part.weight for part in parts]),
            "in_proj_bias": torch.cat([part.bias for part in parts]),
            "out_proj.weight": layer.output.weight,
            "out_proj.bias": layer.output.bias,
        }
    )
    return theirs


@pytest.mark.parametrize(("d", "heads", "length"), [(8, 2, 5), (12, 3, 1), (6, 6, 4), (4, 1, 7)])
def test_multi_head_attention_is_that_of_torch(d, heads, length):
    torch.manual_seed(d)
    layer, x, mask = MultiHeadAttention(d, heads).double(), drawn(1, 2, length, d), None
    for mask in (None, causal_mask(length)):
        blocked = None if mask is None else ~mask
        expected, weights = of_torch(layer)(x, x, x, attn_mask=blocked, average_attn_weights=False)
        close(layer(x, mask), expected)
        close(layer.weights, weights)


@given(seeds, st.integers(1, 3), sizes, st.sampled_from([(4, 2), (6, 3), (5, 1)]))
@settings(max_examples=20, deadline=None)
def test_heads_are_split_and_merged(seed, n, length, shape):
    d, heads = shape
    x = drawn(seed, n, length, d)
    split = split_heads(x, heads)
    assert split.shape == (n, heads, length, d // heads)
    for head, piece in enumerate(x.chunk(heads, dim=-1)):
        assert torch.equal(split[:, head], piece)
    assert torch.equal(merge_heads(split), x)


def test_no_gradient_reaches_an_earlier_position_from_a_later_one():
    layer, x = MultiHeadAttention(6, 2).double(), drawn(3, 1, 5, 6).requires_grad_()
    for t in range(5):
        (gradient,) = torch.autograd.grad(layer(x, causal_mask(5))[0, t].sum(), x)
        assert (gradient[0, t + 1 :] == 0).all()
        assert (gradient[0, : t + 1] != 0).any(dim=-1).all()


def test_steps_with_a_cache_give_what_all_positions_give_at_once():
    q, k, v = (drawn(i, 2, 3, 6, 4) for i in range(3))
    expected, _ = attention(q, k, v, causal_mask(6))
    cache = None
    for t in range(6):
        before = cache
        new = [x[:, :, t : t + 1] for x in (q, k, v)]
        output, cache = cached_attention(*new, cache)
        close(output, expected[:, :, t : t + 1])
        if before is not None:
            assert before[0].shape[2] == t
    assert torch.equal(cache[0], k)
    assert torch.equal(cache[1], v)
