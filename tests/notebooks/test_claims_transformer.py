"""What the notebook on transformers says is true, in the profile `quick`."""

import math
import re
from collections import Counter

import numpy as np
import pytest
import torch

from autograder import references
from helpers import data
from helpers.artifacts import load_artifact
from helpers.reference.quantization import affine
from helpers.reference.transformer.attention import attention, causal_mask
from helpers.reference.transformer.counting import matrix_products, multiplications
from helpers.reference.transformer.inputs import sinusoidal_positions
from helpers.reference.transformer.language import next_probabilities, ngram_bits
from helpers.reference.transformer.language import test_bits as bits_on_test
from helpers.reference.transformer.model import SIZES, course_model, only_itself
from helpers.text import ALICE

MASKS = {"char_transformer": causal_mask, "char_itself": only_itself}


@pytest.fixture(scope="module", autouse=True)
def quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROFILE", "quick")
        yield


@pytest.fixture(scope="module")
def text():
    return data.load("alice", device="cpu")


@pytest.fixture(scope="module")
def ngrams(text):
    training, test = text.decode(text.text), text.decode(text.test.inputs.flatten())
    return [ngram_bits(training, test, n) for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def models(text):
    found = {}
    for name, mask in MASKS.items():
        found[name] = course_model(text, mask)
        artifacts = references.artifacts("quick", "transformer")
        load_artifact(artifacts, name).load_into(found[name])
    return found


@pytest.fixture(scope="module")
def losses(models, text):
    return {name: bits_on_test(model, text) for name, model in models.items()}


# ------------------------------------------------------------------------------------------------
# The text and the sizes


def test_the_text_is_as_long_as_the_notebook_says(text):
    assert len(ALICE.read_text(encoding="ascii")) == 143_019
    assert (len(text.alphabet), text.length) == (65, 64)
    assert math.log2(65) == pytest.approx(6.02, abs=0.005)


def test_a_block_has_about_twelve_times_d_squared_weights():
    d = SIZES["quick"]["d"]
    assert SIZES["quick"]["hidden"] == 4 * d
    assert 4 * d**2 + 2 * d * 4 * d == 12 * d**2


def test_the_first_positions_are_alike_and_the_product_falls_from_distance_0():
    p = sinusoidal_positions(64, 64)
    products = p @ p[0]
    assert products.argmax() == 0
    assert products[0] == pytest.approx(32)
    # Half of the fall is in the first ten positions.
    assert products[0] - products[:10].min() > (products[0] - products.min()) / 2
    # In the last third, sines stay near 0 and cosines near 1; the first pair takes all values.
    assert p[:, 44::2].abs().max() < 0.15
    assert p[:, 45::2].min() > 0.98
    assert p[:, :2].min() < -0.95


# ------------------------------------------------------------------------------------------------
# Counts


@pytest.mark.parametrize(("layers", "heads"), [(1, 1), (2, 4), (6, 8)])
def test_the_formula_of_the_number_of_products(layers, heads):
    assert sum(matrix_products(layers, heads).values()) == layers * (6 + 2 * heads) + 1


def test_the_heads_do_as_much_as_the_layers_of_a_block_at_six_times_d():
    d = 64
    found = multiplications(6 * d, d=d, heads=4, layers=2, hidden=4 * d, vocabulary=65)
    heads = found["scores"] + found["weighted values"]
    assert heads == sum(found.values()) - heads - found["next token"]


def test_undivided_scores_have_the_spread_of_the_root_and_a_sharper_softmax():
    generator = torch.Generator().manual_seed(0)
    sharpest = []
    for d_k in (4, 16, 64, 256):
        q = torch.randn(1000, 1, d_k, generator=generator)
        k = torch.randn(1000, 16, d_k, generator=generator)
        scores = q @ k.transpose(1, 2)
        assert scores.std() == pytest.approx(d_k**0.5, rel=0.1)
        sharpest.append(float(scores.softmax(-1).amax(-1).mean()))
        divided = attention(q, k, k)[1].amax(-1).mean()
        assert divided < 0.35
    assert sharpest == sorted(sharpest)
    assert sharpest[-1] > 0.9


# ------------------------------------------------------------------------------------------------
# The trained models


def test_ngrams_have_the_losses_that_the_notebook_names(ngrams):
    assert ngrams == sorted(ngrams, reverse=True)
    assert ngrams[1] == pytest.approx(3.4, abs=0.05)
    assert ngrams[2] == pytest.approx(2.65, abs=0.01)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_loss_of_ngrams_is_larger_than_the_entropy_of_the_test_text(text, ngrams, n):
    test = text.decode(text.test.inputs.flatten())
    places = range(len(test) - n + 1)
    grams = Counter(test[i : i + n] for i in places)
    contexts = Counter(test[i : i + n - 1] for i in places)
    bits = sum(m * math.log2(contexts[gram[:-1]] / m) for gram, m in grams.items())
    assert bits / len(places) < ngrams[n - 1]


def test_the_model_that_sees_itself_alone_is_a_model_of_bigrams(losses, ngrams):
    assert losses["char_itself"] == pytest.approx(ngrams[1], abs=0.05)
    assert losses["char_itself"] == pytest.approx(3.4, abs=0.05)


def test_looking_back_gains_more_than_a_bit_and_ends_below_the_trigrams(losses, ngrams):
    assert losses["char_itself"] - losses["char_transformer"] > 1
    assert losses["char_transformer"] < ngrams[2]


def test_the_training_loss_crosses_the_bigrams_in_the_first_epochs(ngrams):
    histories = {
        name: load_artifact(references.artifacts("quick", "transformer"), name).history
        for name in MASKS
    }
    bits = {name: np.array(h.train_loss) / math.log(2) for name, h in histories.items()}
    assert (bits["char_transformer"][3:] < ngrams[1]).all()
    assert bits["char_transformer"][-1] < ngrams[2]
    assert abs(bits["char_itself"][-1] - ngrams[1]) < 0.1


def test_the_control_does_not_reach_the_bar_of_the_model():
    control = references.runs("quick")["char_itself"]
    assert max(control["accuracies"]) < references.bar("quick", "char_transformer")


def test_the_maps_show_what_the_text_says(models, text):
    model = models["char_transformer"].eval()
    with torch.no_grad():
        model(text.test.inputs[3:4, :20])
    first, last = (block.attention.weights[0] for block in model.blocks)
    for layer in (first, last):
        assert (layer.triu(1) == 0).all()
    # Each head of the first layer spends most of its weight on the character and three before it.
    near = torch.stack([first[:, t, t - 3 : t + 1].sum(-1) for t in range(4, 20)]).mean(0)
    assert (near > 0.5).all()
    # In each head of the last layer, several queries look back at the same character.
    distance = torch.arange(20)[:, None] - torch.arange(20)
    looking_back = (last > 0.25) & (distance >= 2)
    assert (looking_back.sum(dim=1).amax(-1) >= 3).all()


def test_fewer_words_exist_at_a_higher_temperature(models, text):
    model = models["char_transformer"].eval()

    def words(characters):
        return re.findall("[a-z']+", characters.lower())

    book = set(words(text.decode(text.text)))

    def share_of_known_words(temperature):
        chance = torch.Generator().manual_seed(0)
        tokens = text.encode("The ")
        with torch.no_grad():
            for _ in range(200):
                scores = model(tokens[None, -text.length :])[0, -1]
                found = next_probabilities(scores, temperature)
                tokens = torch.cat([tokens, torch.multinomial(found, 1, generator=chance)])
        written = words(text.decode(tokens))[:-1]
        return sum(word in book for word in written) / len(written)

    assert share_of_known_words(0.3) > 0.85
    assert 0.5 < share_of_known_words(0.8) < 0.95
    assert share_of_known_words(1.5) < 0.5


def test_eight_and_six_bits_cost_little_and_two_bits_much(models, text, losses, ngrams):
    def rounded(bits):
        model = course_model(text)
        parameters = dict(models["char_transformer"].named_parameters())
        model.load_state_dict(affine.quantize_parameters(parameters, bits))
        return bits_on_test(model, text)

    found = {bits: rounded(bits) for bits in (8, 6, 4, 3, 2)}
    assert abs(found[8] - losses["char_transformer"]) < 0.02
    assert abs(found[6] - losses["char_transformer"]) < 0.1
    assert found[6] < found[4] < found[3]
    assert found[2] > ngrams[0]
