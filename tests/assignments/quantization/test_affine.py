import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from torch import nn

from helpers.models import convnet
from helpers.reference.quantization.affine import (
    dequantize,
    memory_ratio,
    quantize,
    quantize_parameters,
    quantize_stochastic,
)

weights = npst.arrays(
    np.float32,
    npst.array_shapes(max_dims=4, max_side=6),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)
bit_counts = st.integers(1, 8)

FLOAT32 = 2.0**-24  # half the distance between neighbouring float32 numbers, relative to them
SMALLEST = 2.0**-150  # half the distance between subnormal float32 numbers
FLOAT64 = 2.0**-53


def weights_of(*values):
    return np.array(values, dtype=np.float32)


def double_rounding(w):
    """Return a bound on the rounding errors of quantizing and dequantizing in double precision.

    There are five roundings (range, step, position, product, sum), of numbers up to twice the
    largest weight.
    """
    return 5 * FLOAT64 * 2 * float(np.abs(w).max())


# Against other implementations


def torch_grid(bits, centred):
    """Return weights, and the zero point of the grid with a step of 1/64 that spans them.

    The step and the ends are exact in float32: nothing is rounded but the codes. Every third weight
    is a tie; the zero point is even, because torch rounds before it adds the zero point.
    """
    top = 2**bits - 1
    zero_point = top // 4 * 2 if centred else 0
    steps = np.concatenate([[0, top], np.random.default_rng(0).uniform(0, top, 1000)])
    steps[2::3] = np.minimum(np.floor(steps[2::3]) + 0.5, top)
    return torch.from_numpy((steps - zero_point) / 64).float(), zero_point


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("centred", [False, True])
def test_a_round_trip_agrees_with_torchs_fake_quantization(bits, centred):
    w, zero_point = torch_grid(bits, centred)
    codes, scale, minimum = quantize(w.numpy(), bits)
    assert (scale, minimum) == (1 / 64, -zero_point / 64)
    theirs = torch.fake_quantize_per_tensor_affine(w, scale, zero_point, 0, 2**bits - 1)
    assert np.array_equal(dequantize(codes, scale, minimum), theirs.numpy())


@pytest.mark.skipif(not hasattr(torch, "quantize_per_tensor"), reason="removed from this torch")
@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor.*deprecated")
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("centred", [False, True])
def test_codes_agree_with_torch(bits, centred):
    w, zero_point = torch_grid(bits, centred)
    codes, scale, _ = quantize(w.numpy(), bits)
    theirs = torch.quantize_per_tensor(w, scale, zero_point, torch.quint8).int_repr()
    assert np.array_equal(codes, theirs.numpy())


# quantize and dequantize


def test_an_example_by_hand():
    codes, scale, minimum = quantize(weights_of(-1, 0.2, 0.9, 2), bits=2)

    assert codes.tolist() == [0, 1, 2, 3]
    assert (scale, minimum) == (1.0, -1.0)
    assert dequantize(codes, scale, minimum).tolist() == [-1, 0, 1, 2]


def test_eight_bits_are_the_default():
    codes, scale, _ = quantize(weights_of(0, 1))
    assert codes.tolist() == [0, 255]
    assert scale == 1 / 255


def test_ties_go_to_the_even_code():
    codes, _, _ = quantize(weights_of(0, 0.5, 1.5, 2.5, 3), bits=2)
    assert codes.tolist() == [0, 0, 2, 2, 3]


@given(weights, bit_counts)
def test_codes_are_bytes_of_the_right_shape_and_range(w, bits):
    codes, scale, minimum = quantize(w, bits)

    assert codes.dtype == np.uint8
    assert codes.shape == w.shape
    assert codes.max() <= 2**bits - 1
    assert type(scale) is float
    assert type(minimum) is float


@given(weights, bit_counts)
def test_no_weight_moves_by_more_than_half_a_step(w, bits):
    codes, scale, minimum = quantize(w, bits)
    back = dequantize(codes, scale, minimum)

    assert back.dtype == np.float32
    error = np.abs(back.astype(np.float64) - w)
    largest = float(np.abs(w).max())
    assert error.max() <= scale / 2 + FLOAT32 * largest + SMALLEST + double_rounding(w)


@given(weights, bit_counts)
def test_the_smallest_weight_comes_back_exactly_and_the_largest_up_to_rounding(w, bits):
    back = dequantize(*quantize(w, bits))

    assert back.min() == w.min()
    error = abs(float(back.max()) - float(w.max()))
    assert error <= FLOAT32 * abs(float(w.max())) + SMALLEST + double_rounding(w)


@given(weights, bit_counts)
def test_quantizing_quantized_weights_changes_no_code(w, bits):
    codes, scale, minimum = quantize(w, bits)
    # Otherwise float32 cannot tell neighbouring levels apart.
    assume(scale == 0 or scale > 4 * (FLOAT32 * float(np.abs(w).max()) + SMALLEST))

    again, _, _ = quantize(dequantize(codes, scale, minimum), bits)

    assert np.array_equal(again, codes)


@pytest.mark.parametrize("value", [0.0, 2.5, -3.0, 1e-45])
@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_equal_weights_have_code_zero_and_come_back_exactly(value, shape):
    w = np.full(shape, value, np.float32)

    codes, scale, minimum = quantize(w, bits=4)

    assert scale == 0
    assert not codes.any()
    assert np.array_equal(dequantize(codes, scale, minimum), w)
    assert dequantize(codes, scale, minimum).shape == shape


def test_the_whole_range_of_float32_can_be_quantized():
    largest = float(np.finfo(np.float32).max)
    w = weights_of(-largest, 0.1 * largest, largest)
    assert dequantize(*quantize(w, bits=1)).tolist() == [-largest, largest, largest]


def test_the_narrowest_range_of_float32_can_be_quantized():
    w = weights_of(0, 1e-45)
    codes, scale, minimum = quantize(w)
    assert codes.tolist() == [0, 255]
    assert np.array_equal(dequantize(codes, scale, minimum), w)


def test_the_weights_are_not_changed():
    w = weights_of(-1, 0.2, 0.9, 2)
    quantize(w, 2)
    assert np.array_equal(w, weights_of(-1, 0.2, 0.9, 2))


def test_an_empty_array_is_refused():
    with pytest.raises(ValueError, match="empty"):
        quantize(weights_of())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_must_be_finite(value):
    with pytest.raises(ValueError, match="finite"):
        quantize(weights_of(0, value))


@pytest.mark.parametrize("bits", [0, 9, -1, 2.5, "8", None])
def test_bits_must_be_a_whole_number_from_1_to_8(bits):
    with pytest.raises(ValueError, match="from 1 to 8"):
        quantize(weights_of(0, 1), bits)


def test_bits_may_be_a_numpy_integer():
    assert quantize(weights_of(0, 1), np.int64(2))[0].tolist() == [0, 3]


def test_dequantizing_does_not_overflow_the_byte():
    codes = np.array([0, 128, 255], np.uint8)
    assert dequantize(codes, 2.0, 100.0).tolist() == [100, 356, 610]


# memory_ratio


@pytest.mark.parametrize(("count", "ratio"), [(1, 4 / 9), (2, 0.8), (100, 400 / 108)])
def test_the_memory_ratio_counts_scale_and_minimum(count, ratio):
    assert memory_ratio(np.linspace(-1, 1, count, dtype=np.float32)) == ratio


def test_the_memory_ratio_depends_on_the_number_of_weights_alone():
    w = np.zeros((16, 3, 3, 3))  # float64, and all equal
    assert memory_ratio(w) == memory_ratio(np.arange(432, dtype=np.float32))


def test_the_memory_ratio_approaches_four_from_below():
    ratios = [memory_ratio(np.zeros(n, np.float32)) for n in (10, 1000, 100_000)]
    assert ratios == sorted(ratios)
    assert 4 - 1e-3 < ratios[-1] < 4


# quantize_parameters


def test_every_parameter_is_quantized_with_its_own_range():
    w = torch.tensor([-1, 0.2, 0.9, 2])
    parameters = {"conv.weight": nn.Parameter(w.view(2, 2)), "conv.bias": nn.Parameter(100 * w)}

    quantized = quantize_parameters(parameters, bits=2)

    assert quantized["conv.weight"].tolist() == [[-1, 0], [1, 2]]
    assert quantized["conv.bias"].tolist() == [-100, 0, 100, 200]


def test_quantized_parameters_fit_into_the_model():
    model = convnet()
    model.load_state_dict(quantize_parameters(dict(model.named_parameters()), 2), strict=False)
    assert all(parameter.unique().numel() <= 4 for parameter in model.parameters())


def test_parameters_are_not_changed_and_the_new_ones_need_no_gradient():
    parameter = nn.Parameter(torch.tensor([0, 0.4, 1]))
    (quantized,) = quantize_parameters({"p": parameter}, 1).values()

    assert parameter.tolist() == torch.tensor([0, 0.4, 1]).tolist()
    assert not quantized.requires_grad
    assert quantized.dtype == torch.float32


# quantize_stochastic


@given(weights, bit_counts, st.integers(0, 2**32))
def test_a_stochastic_code_is_one_of_the_two_next_to_the_weight(w, bits, seed):
    codes, scale, minimum = quantize_stochastic(w, bits, seed)

    assert codes.dtype == np.uint8
    assert codes.shape == w.shape
    assert codes.max() <= 2**bits - 1
    assert (scale, minimum) == quantize(w, bits)[1:]
    # In units of steps, there are three roundings (range, step, quotient) of at most 2^bits.
    if scale > 0:
        position = (w.astype(np.float64) - minimum) / scale
        assert (np.abs(codes - position) < 1 + 3 * FLOAT64 * 2**bits).all()


@pytest.mark.parametrize("fraction", [0.01, 0.25, 0.5, 1.1, 2.8])
def test_stochastic_rounding_is_unbiased(fraction):
    copies = 100_000
    w = np.array([0, 3] + copies * [fraction], np.float32)

    codes, _, _ = quantize_stochastic(w, 2, seed=0)

    # Hoeffding's inequality: the mean of n numbers from an interval of length 1 is further than
    # this from its expectation with a probability of at most 1e-9.
    bound = math.sqrt(math.log(2 / 1e-9) / (2 * copies))
    assert abs(codes[2:].mean() - float(w[2])) <= bound


@pytest.mark.parametrize("seed", range(5))
def test_a_weight_on_a_level_stays(seed):
    w = np.arange(256, dtype=np.float32) / 64
    assert np.array_equal(quantize_stochastic(w, 8, seed)[0], np.arange(256))


def test_equal_weights_are_never_rounded():
    w = np.full((2, 3), 2.5, np.float32)
    assert np.array_equal(dequantize(*quantize_stochastic(w, 2, seed=0)), w)


def test_the_seed_determines_the_codes():
    w = np.linspace(0, 1, 1000, dtype=np.float32)
    first, again, other = (quantize_stochastic(w, 2, seed)[0] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
