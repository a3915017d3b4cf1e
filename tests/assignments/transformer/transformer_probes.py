"""Inputs that tell the wrong solutions of `transformer` from right ones and from each other."""

import torch

from helpers.assignments.transformer import checks
from helpers.reference.transformer import attention, counting, inputs, language, layers, model


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def with_weights(module):
    """Give every parameter known random numbers."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 2)
    return module.eval()


MASK = torch.ones(4, 4, dtype=torch.bool).tril()
TOKENS = torch.tensor([[0, 3, 1, 2], [4, 4, 2, 0]])
Q, K, V = (drawn(2, 2, 4, 3, seed=seed) for seed in range(3))
TEXT = "the cat sat on the mat and the rat sat on the cat "


def call(*args, **kwargs):
    return lambda answer: answer(*args, **kwargs)


def module(*sizes, of=()):
    """Build a module with known weights, and let it compute."""

    def probe(module_class):
        with torch.no_grad():
            return with_weights(module_class(*sizes))(*of)

    return probe


def language_model(model_class):
    sizes = {"d": 4, "heads": 2, "layers": 2, "hidden": 6}
    with torch.no_grad():
        return with_weights(model_class(5, 6, **sizes))(TOKENS)


PROBES = {
    inputs.WordEmbedding: [module(5, 4, of=(TOKENS,))],
    inputs.sinusoidal_positions: [call(7, 8)],
    attention.attention: [call(Q, K, V), call(Q, K, V, MASK)],
    attention.causal_mask: [call(4)],
    attention.split_heads: [call(drawn(2, 3, 6), 2)],
    attention.merge_heads: [call(drawn(2, 3, 4, 2))],
    attention.MultiHeadAttention: [module(4, 2, of=(drawn(2, 4, 4), MASK))],
    attention.cached_attention: [
        call(Q[:, :, :1], K[:, :, :1], V[:, :, :1], None),
        call(Q[:, :, :1], K[:, :, :1], V[:, :, :1], (K[:, :, 1:], V[:, :, 1:])),
    ],
    layers.LayerNorm: [
        module(4, of=(drawn(2, 3, 4),)),
        # Numbers that hardly differ show where eps is added.
        module(4, of=(0.001 * drawn(2, 3, 4),)),
    ],
    layers.FeedForward: [module(4, 6, of=(drawn(2, 3, 4),))],
    layers.Block: [module(4, 2, 6, of=(drawn(2, 4, 4), MASK))],
    model.LanguageModel: [language_model],
    counting.matrix_products: [call(2, 4)],
    counting.multiplications: [call(3, d=4, heads=2, layers=2, hidden=6, vocabulary=5)],
    language.ngram_bits: [call(TEXT, "the sat on!", n) for n in (1, 2, 3)],
    language.bits_per_character: [call(drawn(2, 4, 5), TOKENS)],
    language.next_probabilities: [call(drawn(2, 5), 0.5), call(drawn(5), 2.0)],
}

PUBLIC_CHECKS = {
    inputs.WordEmbedding: checks.word_embedding,
    inputs.sinusoidal_positions: checks.sinusoidal_positions,
    attention.attention: checks.attention,
    attention.causal_mask: checks.causal_mask,
    attention.split_heads: checks.split_heads,
    attention.merge_heads: checks.merge_heads,
    attention.MultiHeadAttention: checks.multi_head_attention,
    attention.cached_attention: checks.cached_attention,
    layers.LayerNorm: checks.layer_norm,
    layers.FeedForward: checks.feed_forward,
    layers.Block: checks.block,
    model.LanguageModel: checks.language_model,
    counting.matrix_products: checks.matrix_products,
    counting.multiplications: checks.multiplications,
    language.ngram_bits: checks.ngram_bits,
    language.bits_per_character: checks.bits_per_character,
    language.next_probabilities: checks.next_probabilities,
}
