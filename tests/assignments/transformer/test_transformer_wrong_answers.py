"""Wrong answers that only one part of a test notices lose points and fail their public check.

Each class or function makes one mistake and is otherwise right. The number at the end of a name is
added, as in the test of right answers; the known misconceptions have tests of their own.
"""

import numpy as np
import torch
import torch.nn.functional as F
from alternatives import each_alternative, judged_alternative
from torch import nn

from helpers.assignments.transformer import checks
from helpers.reference.transformer import attention as heads_and_masks
from helpers.reference.transformer import counting, inputs, layers, model
from helpers.reference.transformer.attention import causal_mask
from tests.assignments.transformer.transformer_probes import PUBLIC_CHECKS


class WordEmbedding_1(inputs.WordEmbedding):
    """No gradient reaches the table."""

    def forward(self, tokens):
        return torch.from_numpy(self.weight.detach().numpy()[tokens.numpy()]) * self.d**0.5


def causal_mask_1(length, device=None):
    """On the CPU, whatever is asked for."""
    return causal_mask(length)


class MultiHeadAttention_1(heads_and_masks.MultiHeadAttention):
    """The weights keep their gradient, and with it the memory of the whole step."""

    def forward(self, x, mask=None):
        layers = (self.query, self.key, self.value)
        parts = [heads_and_masks.split_heads(layer(x), self.heads) for layer in layers]
        found, self.weights = heads_and_masks.attention(*parts, mask)
        return self.output(heads_and_masks.merge_heads(found))


class LayerNorm_1(layers.LayerNorm):
    """The gradient of mean and variance is cut off."""

    def forward(self, x):
        mean = x.mean(dim=-1, keepdim=True).detach()
        variance = x.var(dim=-1, correction=0, keepdim=True).detach()
        return (x - mean) / (variance + self.eps).sqrt() * self.weight + self.bias


class LayerNorm_2(layers.LayerNorm):
    """Its eps is fixed."""

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, 1e-5)


class Block_1(layers.Block):
    """Dropout acts on the sum instead of on the branch."""

    def forward(self, x, mask=None):
        x = self.dropout(x + self.attention(self.norm1(x), mask))
        return self.dropout(x + self.feed_forward(self.norm2(x)))


class Block_2(layers.Block):
    """Dropout acts in evaluation as well."""

    def forward(self, x, mask=None):
        p = self.dropout.p
        x = x + F.dropout(self.attention(self.norm1(x), mask), p)
        return x + F.dropout(self.feed_forward(self.norm2(x)), p)


class LanguageModel_1(model.LanguageModel):
    """The mask that is given is not used."""

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.dropout(self.embedding(tokens) + self.positions[:length])
        mask = causal_mask(length, tokens.device)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(self.norm(x))


class LanguageModel_2(model.LanguageModel):
    """A shorter text gets the last positions."""

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.dropout(self.embedding(tokens) + self.positions[-length:])
        mask = self.mask(length, tokens.device)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(self.norm(x))


class LanguageModel_3(model.LanguageModel):
    """The dropout of the input acts in evaluation as well."""

    def forward(self, tokens):
        length = tokens.shape[1]
        x = F.dropout(self.embedding(tokens) + self.positions[:length], self.dropout.p)
        mask = self.mask(length, tokens.device)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(self.norm(x))


class LanguageModel_4(model.LanguageModel):
    """The mask is made on the CPU."""

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.dropout(self.embedding(tokens) + self.positions[:length])
        mask = self.mask(length, None)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(self.norm(x))


class LanguageModel_5(model.LanguageModel):
    """Only the first block gets the mask."""

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.dropout(self.embedding(tokens) + self.positions[:length])
        x = self.blocks[0](x, self.mask(length, tokens.device))
        for block in self.blocks[1:]:
            x = block(x)
        return self.output(self.norm(x))


def multiplications_1(length, *, d, heads, layers, hidden, vocabulary):
    """Of one layer only."""
    sizes = {"d": d, "heads": heads, "layers": 1, "hidden": hidden, "vocabulary": vocabulary}
    return counting.multiplications(length, **sizes)


def next_probabilities_1(scores, temperature):
    """Over the wrong dimension."""
    return (scores / temperature).softmax(dim=0)


IMPORTS = {"torch": torch, "np": np, "nn": nn, "F": F, "checks": checks}


@each_alternative(globals())
def test_a_wrong_answer_loses_points(alternative):
    score = judged_alternative("transformer", alternative, IMPORTS)
    assert score.points < score.of
    assert score.messages


@each_alternative(globals())
def test_a_wrong_answer_fails_its_public_check(alternative):
    name = alternative.__name__.rpartition("_")[0]
    (check,) = [check for right, check in PUBLIC_CHECKS.items() if right.__name__ == name]
    result = check(alternative)
    assert not result
    assert result.problem


def test_the_mask_of_the_control_is_checked_before_its_training():
    assert checks.only_itself(model.only_itself)
    for wrong in (
        causal_mask,
        lambda length, device=None: torch.eye(length, device=device),
        lambda length, device=None: torch.eye(length, dtype=torch.bool),
        lambda length, device=None: torch.ones(length, dtype=torch.bool, device=device),
    ):
        assert not checks.only_itself(wrong)
