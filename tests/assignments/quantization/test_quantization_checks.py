import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.artifacts import train_or_load
from helpers.assignments.quantization import checks
from helpers.dataset import Dataset, Split
from helpers.models import resnet20
from helpers.reference.quantization import affine, ste
from helpers.training import fit

# Other correct ways to write it


def test_quantize_may_compute_in_float32():
    def quantize(w, bits=8):
        low, high = w.min(), w.max()
        scale = (high - low) / np.float32(2**bits - 1)
        if scale == 0:
            return np.zeros_like(w, dtype=np.uint8), 1.0, low
        return np.rint((w - low) / scale).astype("uint8"), scale, low

    def dequantize(codes, scale, minimum):
        return np.float32(scale) * codes.astype(np.float32) + np.float32(minimum)

    assert checks.quantize(quantize)
    assert checks.dequantize(dequantize)
    assert checks.round_trip(quantize, dequantize)


def test_stochastic_rounding_may_be_the_floor_of_weight_plus_noise():
    def quantize_stochastic(w, bits, seed):
        top = 2**bits - 1
        low = float(w.min())
        scale = (float(w.max()) - low) / top or 1.0
        noise = np.random.RandomState(seed).uniform(size=w.shape)
        return np.floor((w - low) / scale + noise).clip(0, top).astype(np.uint8), scale, low

    assert checks.quantize_stochastic(quantize_stochastic)


def test_quantize_linear_may_order_its_operations_differently():
    def quantize_linear(w, bits):
        if bits is None:
            return w.clone()
        if bits == 0:
            return 0 * w
        step = (w.max() - w.min()) / (2**bits - 1)
        return w if step == 0 else w.min() + step * torch.round((w - w.min()) / step)

    assert checks.quantize_linear(quantize_linear)


def test_the_layer_may_call_the_functional_convolution():
    class QuantConv2d(nn.Conv2d):
        def __init__(self, *args, bits=None, **kwargs):
            super().__init__(*args, **kwargs)
            self.bits = bits

        def forward(self, x):
            w = ste.STE.apply(self.weight, self.bits)
            return F.conv2d(x, w, self.bias, self.stride, self.padding, self.dilation, self.groups)

    assert checks.quant_conv2d(QuantConv2d)


# Wrong answers, and what the student reads


def test_a_code_type_other_than_a_byte_is_named():
    def quantize(w, bits=8):
        codes, scale, minimum = affine.quantize(w, bits)
        return codes.astype(int), scale, minimum

    assert "uint8, one byte each; yours are of int64" in checks.quantize(quantize).problem


def test_a_wrong_example_shows_input_expectation_and_answer():
    def quantize(w, bits=8):
        codes, scale, minimum = affine.quantize(w, bits)
        return codes[::-1].copy(), scale, minimum

    assert checks.quantize(quantize).problem.splitlines() == [
        "With 2 bits, `w = [-1, 0.2, 0.9, 2]` has four levels: -1, 0, 1 and 2, from its smallest "
        "to its largest weight.",
        "The nearest levels have the codes [0, 1, 2, 3]; yours are [3, 2, 1, 0].",
    ]


def test_dividing_by_an_empty_range_is_noticed():
    def quantize(w, bits=8):
        low = float(w.min())
        scale = (float(w.max()) - low) / (2**bits - 1)
        codes = np.array([round((float(x) - low) / scale) for x in w.flat], np.uint8)
        return codes.reshape(w.shape), scale, low

    result = checks.quantize(quantize)
    assert result.failed == "copes with weights that are all equal"
    assert "ZeroDivisionError" in result.problem


def test_changing_the_array_in_place_is_noticed():
    def quantize(w, bits=8):
        answer = affine.quantize(w.copy(), bits)
        w -= w.min()
        return answer

    assert "`w` itself has changed" in checks.quantize(quantize).problem


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (checks.quantize_linear, ste.quantize_linear),
        (checks.quantize_nonzero, ste.quantize_nonzero),
    ],
    ids=lambda value: value.__name__,
)
def test_changing_the_tensor_in_place_is_noticed(check, right):
    def answer(w, bits):
        quantized = right(w, bits)
        return quantized if bits is None else w.copy_(quantized)

    assert check(answer).failed == "leaves `w` as it was"


def test_changing_the_parameters_in_place_is_noticed():
    def quantize_parameters(parameters, bits):
        quantized = affine.quantize_parameters(parameters, bits)
        for name, parameter in parameters.items():
            parameter.data = quantized[name]
        return quantized

    assert "have changed" in checks.quantize_parameters(quantize_parameters).problem


def test_a_round_trip_that_is_off_by_more_than_half_a_step_is_noticed():
    def dequantize(codes, scale, minimum):
        return affine.dequantize(codes, scale, minimum + 0.1 * scale)

    result = checks.round_trip(affine.quantize, dequantize)
    assert "steps away" in result.problem


def test_a_seed_that_is_ignored_is_noticed():
    def fixed(w, bits, seed):
        return affine.quantize_stochastic(w, bits, 0)

    calls = iter(range(100))

    def unseeded(w, bits, seed):
        return affine.quantize_stochastic(w, bits, next(calls))

    assert "Seed 7 and seed 8 gave the same codes" in checks.quantize_stochastic(fixed).problem
    assert "gave different codes" in checks.quantize_stochastic(unseeded).problem


def test_a_forgotten_gradient_of_bits_is_explained_by_torch():
    class OneGradient(ste.STE):
        @staticmethod
        def backward(ctx, gradient):
            return gradient

    assert "returned an incorrect number of gradients" in checks.ste(OneGradient).problem


def test_a_forward_pass_cut_off_from_its_weights_is_noticed():
    class Detached(ste.QuantConv2d):
        def quantized_weight(self):
            return super().quantized_weight().detach()

    assert "cut off" in checks.quant_conv2d(Detached).problem


def test_a_layer_whose_parameters_have_other_names_is_noticed():
    class Renamed(nn.Module):
        def __init__(self, *args, bits=None, **kwargs):
            super().__init__()
            self.conv = ste.QuantConv2d(*args, bits=bits, **kwargs)

    assert "yours has conv.weight" in checks.quant_conv2d(Renamed).problem


# What happens at the training


dataset = Dataset("a few images", *[Split(torch.zeros(2, 1), torch.zeros(2).long())] * 2)


def quantized_resnet20(stage_bits):
    return resnet20(conv=[partial(ste.QuantConv2d, bits=bits) for bits in stage_bits])


def right_fine_tune(name, stage_bits, epochs):
    model = quantized_resnet20(stage_bits)

    def train(model, checkpoint):
        return fit(model, dataset, epochs=epochs, lr=0.01, checkpoint=checkpoint)

    return model, train_or_load(name, train, model)


def fine_tune_in_keywords(name, stage_bits, epochs):
    model = quantized_resnet20(stage_bits)

    def train(network, checkpoint):
        loaded_again = replace(dataset)
        return fit(
            model=network, dataset=loaded_again, lr=1e-2, epochs=epochs, checkpoint=checkpoint
        )

    return [model, train_or_load(name=name, train=train, model=model)]


def test_fine_tune_is_checked_without_training_and_without_a_trace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = globals()["fit"], globals()["train_or_load"]
    assert checks.fine_tune(right_fine_tune)
    assert checks.fine_tune(fine_tune_in_keywords)
    assert before == (globals()["fit"], globals()["train_or_load"])
    assert not list(tmp_path.iterdir())


ASKED = {
    "artifact": "trial",
    "network": True,
    "data": True,
    "epochs": 3,
    "rate": 0.01,
    "checkpoint": True,
}


@pytest.mark.parametrize(
    ("fine_tune", "otherwise"),
    [
        (lambda *given: right_fine_tune(*given), {}),
        (lambda *given: fine_tune_in_keywords(*given), {}),
        (lambda *given: fine_tune_without_checkpoint(*given), {"checkpoint": False}),
        (lambda *given: fine_tune_at_the_default_rate(*given), {"rate": 0.1}),
        (lambda *given: fine_tune_on_other_data(*given), {"data": False}),
    ],
)
def test_the_hidden_test_learns_what_fine_tune_asks_for(fine_tune, otherwise):
    assert checks.asked_by(fine_tune, (2, 4, 3), 3) == ASKED | otherwise


def fine_tune_without_checkpoint(name, stage_bits, epochs):
    model = quantized_resnet20(stage_bits)
    return model, train_or_load(
        name, lambda model, checkpoint: fit(model, dataset, epochs=epochs, lr=0.01), model
    )


def fine_tune_at_the_default_rate(name, stage_bits, epochs):
    model = quantized_resnet20(stage_bits)
    return model, train_or_load(
        name, lambda m, c: fit(m, dataset, epochs=epochs, checkpoint=c), model
    )


def fine_tune_on_other_data(name, stage_bits, epochs):
    model, other = quantized_resnet20(stage_bits), replace(dataset, name="others")
    return model, train_or_load(
        name, lambda m, c: fit(m, other, epochs=epochs, lr=0.01, checkpoint=c), model
    )


def fine_tune_without_epochs(name, stage_bits, epochs):
    model = quantized_resnet20(stage_bits)
    return model, train_or_load(name, lambda m, c: fit(m, dataset, checkpoint=c), model)


def fine_tune_that_never_saves(name, stage_bits, epochs):
    model = quantized_resnet20(stage_bits)
    return model, fit(model, dataset, epochs=epochs, lr=0.01)


def fine_tune_with_equal_bits(name, stage_bits, epochs):
    return right_fine_tune(name, (5, 5, 5), epochs)


def fine_tune_that_returns_the_history(name, stage_bits, epochs):
    return right_fine_tune(name, stage_bits, epochs)[1]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (fine_tune_without_checkpoint, "does not get the checkpoint"),
        (fine_tune_at_the_default_rate, "should be 0.01; yours is 0.1"),
        (fine_tune_on_other_data, "should train on `dataset`"),
        (fine_tune_without_epochs, "missing a required argument: 'epochs'"),
        (fine_tune_that_never_saves, "calls `train_or_load` 0 times"),
        (fine_tune_with_equal_bits, "yours have 5, 5, 5"),
        (fine_tune_that_returns_the_history, "you returned a History"),
        (None, "needs a function, but this is None"),
    ],
)
def test_a_wrong_fine_tune_is_explained(wrong, words):
    assert words in checks.fine_tune(wrong).problem


def test_a_network_whose_weights_have_not_moved_is_named():
    start, same = quantized_resnet20((2, 2, 2)), quantized_resnet20((2, 2, 2))
    same.load_state_dict(start.state_dict())
    result = checks.levels_changed({"2 bits": same}, start)
    assert result.failed == "2 bits: 0.0% of the quantized weights are on another level"
    assert "STE.backward" in result.problem
    assert checks.levels_changed({"2 bits": quantized_resnet20((2, 2, 2))}, start)


# Written answers


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("one two three", ""),
        ("one two three four", "has 4 words"),
        ("YOUR ANSWER HERE", "no answer yet"),
        (" ", "no answer yet"),
    ],
)
def test_the_words_of_the_saved_answer_are_counted(answer, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cell = {"metadata": {"nbgrader": {"grade_id": "why"}}, "source": [answer]}
    (tmp_path / "a.ipynb").write_text("not a notebook", encoding="utf-8")
    (tmp_path / "b.ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    assert problem in checks.words("why", 3).problem
    assert bool(checks.words("why", 3)) == (not problem)
    assert "lacks the cell" in checks.words("another", 3).problem
