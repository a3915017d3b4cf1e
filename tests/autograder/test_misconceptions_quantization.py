"""Every wrong solution is told apart from the right one, and from the others, by stated inputs."""

import warnings
from itertools import combinations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder.hidden import gradient
from autograder.misconceptions import misconceptions_in, misconceptions_of
from helpers.checks import quantization as checks
from helpers.reference import affine, mixed_precision, ste

ALL = misconceptions_in("quantization")
REFERENCES = list(dict.fromkeys(m.of for m in ALL))

# The inputs. Skewed weights show a wrong range; none of them is near a tie at 2, 3 or 4 bits.
ARRAY = np.array([-0.5, -0.31, 0.02, 0.26, 0.7, 1.11, 1.6], np.float32)
TENSOR = torch.from_numpy(ARRAY)
BYTES = np.array([0, 3, 200, 255], np.uint8)
PARAMETERS = {"w": TENSOR.view(7, 1), "b": 100 * TENSOR, "c": 0.1 + TENSOR}
UPSTREAM = torch.tensor([3.0, -0.5, 0.25, -20.0, 0.5, 2.0, -1.0])
SIZES = {"stem": 10, "stage1": 90, "stage2": 300}
BITS = {"stem": 32, "stage1": 2, "stage2": 4}
IMAGE = torch.randn((1, 2, 6, 6), generator=torch.Generator().manual_seed(0))
KERNELS = torch.randn((3, 2, 3, 3), generator=torch.Generator().manual_seed(1)) + 0.3


def call(*args):
    return lambda answer: answer(*args)


def mean_codes(quantize_stochastic):
    """The answer is random: its mean over many equal weights is not."""
    copies = 20_000
    w = np.repeat(np.array([0, 0.2, 1.4, 2.9, 3], np.float32), copies)
    codes, scale, minimum = quantize_stochastic(w, 2, 0)
    return codes.reshape(5, copies).mean(axis=1).round(1), scale, minimum


def backward(STE):
    return gradient(STE.apply, TENSOR, 2, upstream=UPSTREAM)


def layer_after_a_step(QuantConv2d):
    """Return the output, what then stands in the weights, and their gradient."""
    layer = QuantConv2d(2, 3, 3, bits=2, stride=2, padding=1, bias=False)
    layer.load_state_dict({"weight": KERNELS.clone()})
    output = layer(IMAGE)
    output.pow(2).sum().backward()
    return output.detach(), layer.weight.detach().clone(), layer.weight.grad


PROBES = {
    affine.quantize: [call(ARRAY, 8), call(ARRAY, 3)],
    affine.dequantize: [call(BYTES, 0.5, -1.0)],
    affine.memory_ratio: [call(ARRAY)],
    affine.quantize_parameters: [call(PARAMETERS, 3)],
    affine.quantize_stochastic: [mean_codes],
    ste.quantize_linear: [call(TENSOR, bits) for bits in (None, 0, 3)],
    ste.STE: [backward],
    ste.QuantConv2d: [layer_after_a_step],
    ste.quantize_nonzero: [
        call(torch.tensor([0.0, 1.0, 2.1, 0.0, 2.9, 4.0]), 2),
        call(torch.tensor([0.0, -1.0, 2.1, 0.0, 2.9, 4.0]), 2),
    ],
    mixed_precision.layer_bits: [
        call(layer, (5, 6, 7))
        for layer in ("stem", "stage1.2.conv1", "stage2.0.conv1", "stage3.1.conv2", "classifier")
    ],
    mixed_precision.average_precision: [call(SIZES, BITS)],
}


def answers(implementation, reference):
    """Return what an implementation answers to the probes of its question."""
    return [_asked(probe, implementation) for probe in PROBES[reference]]


def _asked(probe, implementation):
    try:
        with warnings.catch_warnings(action="ignore"):
            return probe(implementation)
    except Exception as error:
        return type(error).__name__


def alike(a, b):
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(alike(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return all(alike(a[key], b[key]) for key in a)
    if a is None or b is None or isinstance(a, str) or isinstance(b, str):
        return type(a) is type(b) and a == b
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=1e-5, equal_nan=True)


def name(value):
    return getattr(value, "name", getattr(value, "__name__", None))


def test_every_question_with_a_function_has_misconceptions():
    assert list(PROBES) == REFERENCES
    assert all(len(misconceptions_of(reference)) >= 3 for reference in REFERENCES)


@pytest.mark.parametrize("wrong", ALL, ids=name)
def test_a_misconception_differs_from_the_right_answer(wrong):
    assert not alike(answers(wrong.wrong, wrong.of), answers(wrong.of, wrong.of))


@pytest.mark.parametrize("reference", REFERENCES, ids=name)
def test_no_two_misconceptions_of_a_question_coincide(reference):
    given = {m.name: answers(m.wrong, reference) for m in misconceptions_of(reference)}
    same = [pair for pair in combinations(given, 2) if alike(*map(given.get, pair))]
    assert not same


@pytest.mark.parametrize("wrong", ALL, ids=name)
def test_the_cell_of_a_student_makes_the_same_mistake(wrong):
    notebook = {"np": np, "torch": torch, "nn": nn, "F": F}
    notebook |= {r.__name__: r for r in REFERENCES if r is not wrong.of}
    exec(wrong.source, notebook)
    assert alike(answers(notebook[wrong.of.__name__], wrong.of), answers(wrong.wrong, wrong.of))
    assert "misconception" not in wrong.source
    assert '"""' not in wrong.source


@pytest.mark.parametrize("wrong", ALL, ids=name)
def test_the_explanation_talks_to_the_student_in_two_or_three_sentences(wrong):
    assert wrong.explanation.startswith(("You ", "Your "))
    assert wrong.explanation.endswith((".", "?"))
    assert 15 <= len(wrong.explanation.split()) <= 60
    assert wrong.explanation.count(". ") in (1, 2)


PUBLIC_CHECKS = {
    affine.quantize: checks.quantize,
    affine.dequantize: checks.dequantize,
    affine.memory_ratio: checks.memory_ratio,
    affine.quantize_parameters: checks.quantize_parameters,
    affine.quantize_stochastic: checks.quantize_stochastic,
    ste.quantize_linear: checks.quantize_linear,
    ste.STE: checks.ste,
    ste.QuantConv2d: checks.quant_conv2d,
    ste.quantize_nonzero: checks.quantize_nonzero,
    mixed_precision.layer_bits: checks.layer_bits,
    mixed_precision.average_precision: checks.average_precision,
}


@pytest.mark.parametrize("wrong", ALL, ids=name)
def test_the_public_check_catches_it(wrong):
    result = PUBLIC_CHECKS[wrong.of](wrong.wrong)
    assert not result
    assert result.problem
