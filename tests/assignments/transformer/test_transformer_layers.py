"""Embedding, positions, norm, block and model against PyTorch's own, and by their properties."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers.assignments.transformer.products import count_products
from helpers.reference.transformer import language
from helpers.reference.transformer.attention import causal_mask
from helpers.reference.transformer.counting import matrix_products, multiplications
from helpers.reference.transformer.inputs import WordEmbedding, sinusoidal_positions
from helpers.reference.transformer.language import (
    bits_per_character,
    next_probabilities,
    ngram_bits,
)
from helpers.reference.transformer.layers import Block, FeedForward, LayerNorm
from helpers.reference.transformer.model import LanguageModel, only_itself
from helpers.text import text_dataset
from tests.assignments.transformer.test_attention import close, drawn, of_torch

SMALL = {"d": 8, "heads": 2, "layers": 2, "hidden": 12}


def small(**changes):
    torch.manual_seed(0)
    return LanguageModel(11, 9, **SMALL | changes).double().eval()


TOKENS = torch.tensor([[1, 5, 3, 3, 10, 0, 7], [2, 2, 9, 4, 6, 8, 1]])


# ------------------------------------------------------------------------------------------------
# Inputs


def test_an_embedding_is_that_of_torch_times_the_root_of_its_size():
    layer = WordEmbedding(11, 6)
    theirs = nn.Embedding.from_pretrained(layer.weight.detach())
    torch.testing.assert_close(layer(TOKENS), theirs(TOKENS) * math.sqrt(6))


@given(st.integers(1, 40), st.integers(1, 10))
@settings(max_examples=20, deadline=None)
def test_positions_have_the_formula(length, half):
    found = sinusoidal_positions(length, 2 * half)
    assert found.dtype == torch.float32
    for t in range(length):
        for i in range(half):
            angle = t / 10000 ** (2 * i / (2 * half))
            assert abs(found[t, 2 * i] - math.sin(angle)) < 1e-6
            assert abs(found[t, 2 * i + 1] - math.cos(angle)) < 1e-6


def test_the_product_of_two_positions_depends_on_their_distance_alone():
    p = sinusoidal_positions(50, 16).double()
    products = p @ p.T
    for distance in (0, 1, 7):
        diagonal = products.diagonal(distance)
        assert (diagonal - diagonal[0]).abs().max() < 1e-5


# ------------------------------------------------------------------------------------------------
# Layers


@given(st.integers(0, 100), st.integers(2, 9))
@settings(max_examples=20, deadline=None)
def test_layer_norm_is_that_of_torch(seed, d):
    x = drawn(seed, 3, 4, d)
    layer = LayerNorm(d).double()
    layer.load_state_dict({"weight": drawn(seed + 1, d), "bias": drawn(seed + 2, d)})
    close(layer(x), F.layer_norm(x, (d,), layer.weight, layer.bias, 1e-5))


def test_a_block_is_an_encoder_layer_of_torch_with_the_norm_first():
    block, x, mask = Block(8, 2, 12).double().eval(), drawn(0, 2, 5, 8), causal_mask(5)
    theirs = nn.TransformerEncoderLayer(8, 2, 12, norm_first=True, batch_first=True).double()
    state = {f"self_attn.{k}": v for k, v in of_torch(block.attention).state_dict().items()}
    for own, their in (
        ("feed_forward.up", "linear1"),
        ("feed_forward.down", "linear2"),
        ("norm1", "norm1"),
        ("norm2", "norm2"),
    ):
        for part in ("weight", "bias"):
            state[f"{their}.{part}"] = block.get_parameter(f"{own}.{part}")
    theirs.load_state_dict(state)
    close(block(x, mask), theirs.eval()(x, src_mask=~mask))


def test_the_feed_forward_network_treats_each_position_alone():
    layer, x = FeedForward(4, 8).double(), drawn(0, 2, 5, 4)
    expected = torch.stack([layer(x[:, t : t + 1])[:, 0] for t in range(5)], dim=1)
    close(layer(x), expected)


# ------------------------------------------------------------------------------------------------
# The model


def test_no_future_token_changes_an_earlier_score():
    model = small()
    before = model(TOKENS)
    for t in range(1, TOKENS.shape[1]):
        changed = TOKENS.clone()
        changed[:, t:] = (changed[:, t:] + 1) % 11
        after = model(changed)
        assert torch.equal(after[:, :t], before[:, :t])
        assert (after[:, t] != before[:, t]).any()


def test_without_looking_back_the_scores_depend_on_one_token():
    model = small(mask=only_itself)
    changed = TOKENS.clone()
    changed[:, :3] = 0
    assert torch.equal(model(changed)[:, 3:], model(TOKENS)[:, 3:])


def test_dropout_is_off_in_evaluation_only():
    plain, model = small(), small(dropout=0.5)
    assert torch.equal(model(TOKENS), plain(TOKENS))
    model.train()
    assert not torch.equal(model(TOKENS), model(TOKENS))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_model_computes_in_the_type_of_its_weights(dtype):
    assert small().to(dtype)(TOKENS).dtype == dtype


def test_the_model_runs_on_the_device_of_its_weights():
    assert small().to("meta")(TOKENS.to("meta")).device.type == "meta"


def test_positions_are_no_part_of_the_weights():
    assert "positions" not in small().state_dict()


# ------------------------------------------------------------------------------------------------
# Counting


@pytest.mark.parametrize(("layers", "heads"), [(1, 1), (2, 4), (3, 2)])
def test_the_counts_are_those_of_the_running_model(layers, heads):
    model = small(layers=layers, heads=heads)
    found = count_products(model, TOKENS[:1])
    assert sum(p.count for p in found) == sum(matrix_products(layers, heads).values())
    expected = multiplications(7, d=8, heads=heads, layers=layers, hidden=12, vocabulary=11)
    assert sum(p.count * p.multiplications for p in found) == sum(expected.values())
    for name, count in matrix_products(layers, heads).items():
        here = [p for p in found if p.place == name]
        assert sum(p.count for p in here) == count
        assert sum(p.count * p.multiplications for p in here) == expected[name]


# ------------------------------------------------------------------------------------------------
# Language


def test_bigrams_of_a_text_worked_out_by_hand():
    # After a: b twice. After b: a once. With 1 added to each of 2 letters: 3/4 and 2/3.
    assert ngram_bits("abab", "aba", 2, 1.0) == pytest.approx(
        (math.log2(4 / 3) + math.log2(3 / 2)) / 2
    )
    assert ngram_bits("aab", "b", 1, 1.0) == pytest.approx(math.log2(5 / 2))


@given(st.text("abc", min_size=4, max_size=30), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_the_probabilities_after_a_context_sum_to_one(text, n):
    alphabet = sorted(set(text))
    context = text[: n - 1]
    total = sum(2 ** -ngram_bits(text, context + letter, n) for letter in alphabet)
    assert total == pytest.approx(1)


def test_bits_per_character_of_equal_scores_are_those_of_the_alphabet():
    dataset = text_dataset("short", "abcdefgh" * 30, 5)

    class Equal(nn.Module):
        def forward(self, tokens):
            return torch.zeros(*tokens.shape, 8)

    assert language.test_bits(Equal(), dataset) == pytest.approx(3)


def test_bits_are_those_of_the_probability_of_the_right_character():
    scores = torch.tensor([0.5, 0.25, 0.25]).log().view(1, 1, 3)
    assert bits_per_character(scores, torch.tensor([[0]])) == pytest.approx(1)
    assert bits_per_character(scores, torch.tensor([[2]])) == pytest.approx(2)


def test_temperature_sharpens_and_flattens():
    scores = torch.tensor([0.0, 1.0, 3.0])
    close(next_probabilities(scores, 1.0), scores.softmax(-1))
    assert next_probabilities(scores, 0.1)[2] > 0.999
    assert next_probabilities(scores, 100.0).max() < 0.35
