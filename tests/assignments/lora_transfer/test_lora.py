"""The reference of `lora_transfer` against the definition, PEFT (if installed) and torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers.reference.lora_transfer import freezing, lora, spectrum

SIZES = st.integers(1, 6)


def by_definition(x, weight, bias, A, B, r, alpha):
    """Compute h = W0 x + (alpha / r) B A x of Hu et al. (2021) in float64, term by term."""
    x, weight, A, B = (t.detach().double().numpy() for t in (x, weight, A, B))
    out = np.zeros((len(x), len(weight)))
    for n, row in enumerate(x):
        out[n] = weight @ row
        for i in range(r):
            out[n] += alpha / r * B[:, i] * (A[i] @ row)
    return out + bias.detach().double().numpy()


@settings(max_examples=25, deadline=None)
@given(SIZES, SIZES, st.integers(1, 4), st.floats(0.5, 16), st.integers(0, 2**31))
def test_a_linear_layer_computes_what_the_paper_defines(out, into, r, alpha, seed):
    torch.manual_seed(seed)
    base = nn.Linear(into, out)
    layer = lora.LoRALinear(base, r, alpha)
    nn.init.normal_(layer.B)
    x = torch.randn(3, into)
    expected = by_definition(x, base.weight, base.bias, layer.A, layer.B, r, alpha)
    # Sums of at most 6 + 4 * 6 products of numbers below ten, scaled by at most 16.
    assert np.abs(layer(x).detach().numpy() - expected).max() < 1e-3


def test_a_linear_layer_agrees_with_peft():
    peft = pytest.importorskip("peft")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(7, 5))
    layer = lora.LoRALinear(nn.Linear(7, 5), 3, 12.0)
    layer.base.load_state_dict(model[0].state_dict())
    nn.init.normal_(layer.B)
    config = peft.LoraConfig(r=3, lora_alpha=12, lora_dropout=0.0, target_modules=["0"])
    theirs = peft.get_peft_model(model, config)
    inner = theirs.base_model.model[0]
    with torch.no_grad():
        inner.lora_A["default"].weight.copy_(layer.A)
        inner.lora_B["default"].weight.copy_(layer.B)
    x = torch.randn(4, 7)
    torch.testing.assert_close(layer(x), theirs(x))
    torch.testing.assert_close(layer.update(), inner.get_delta_weight("default"))


@pytest.mark.parametrize(
    "options", [{}, {"stride": 2}, {"padding": 1, "bias": False}, {"dilation": 2}]
)
def test_a_convolution_is_r_filters_and_then_a_mixture(options):
    torch.manual_seed(0)
    base = nn.Conv2d(3, 5, 3, **options)
    layer = lora.LoRAConv2d(base, 2, 6.0)
    nn.init.normal_(layer.B)
    bare = {key: value for key, value in options.items() if key != "bias"}
    filters = nn.Conv2d(3, 2, 3, bias=False, **bare)
    mixture = nn.Conv2d(2, 5, 1, bias=False)
    with torch.no_grad():
        filters.weight.copy_(layer.A)
        mixture.weight.copy_(layer.B[:, :, None, None])
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(layer(x), base(x) + 3 * mixture(filters(x)))


LAYERS = [
    (lambda: lora.LoRALinear(nn.Linear(4, 3), 2, 6.0), (5, 4)),
    (lambda: lora.LoRAConv2d(nn.Conv2d(4, 3, 3, padding=1), 2, 6.0), (2, 4, 5, 5)),
]


@pytest.mark.parametrize(("build", "shape"), LAYERS, ids=["linear", "convolution"])
def test_a_new_layer_is_its_base_and_a_merged_one_the_same_layer(build, shape):
    torch.manual_seed(0)
    layer, x = build(), torch.randn(shape)
    assert torch.equal(layer(x), layer.base(x))
    nn.init.normal_(layer.B)
    before, weight = layer(x), layer.base.weight.clone()
    lora.merge(layer)
    torch.testing.assert_close(layer(x), before)
    torch.testing.assert_close(layer.base(x), before)
    with pytest.raises(RuntimeError, match="merged already"):
        lora.merge(layer)
    torch.testing.assert_close(layer(x), before)
    lora.unmerge(layer)
    torch.testing.assert_close(layer.base.weight, weight)
    with pytest.raises(RuntimeError, match="not merged"):
        lora.unmerge(layer)


@pytest.mark.parametrize(("build", "shape"), LAYERS, ids=["linear", "convolution"])
def test_only_the_factors_are_trained_and_the_update_has_their_rank(build, shape):
    layer = build()
    assert {name for name, p in layer.named_parameters() if p.requires_grad} == {"A", "B"}
    nn.init.normal_(layer.B)
    assert torch.linalg.matrix_rank(layer.update().flatten(1)) == 2


@given(st.integers(1, 300), st.integers(1, 300))
def test_the_useful_rank_is_the_last_with_fewer_parameters(out, into):
    r = lora.useful_rank(out, into)
    assert r * (out + into) < out * into <= (r + 1) * (out + into)


def test_every_convolution_gets_an_update():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()))
    lora.add_to_convolutions(model, 2, 4.0)
    assert isinstance(model[0], lora.LoRAConv2d)
    assert isinstance(model[1][0], lora.LoRAConv2d)
    assert isinstance(model[1][0].base, nn.Conv2d)


@settings(max_examples=25, deadline=None)
@given(SIZES, SIZES, st.integers(1, 6), st.integers(0, 2**31))
def test_the_energy_is_what_the_best_approximation_holds(out, into, r, seed):
    torch.manual_seed(seed)
    update = torch.randn(out, into).double()
    u, s, v = torch.linalg.svd(update, full_matrices=False)
    best = u[:, :r] @ torch.diag(s[:r]) @ v[:r]
    held = float(best.norm() ** 2 / update.norm() ** 2)
    assert spectrum.energy_held(update, r) == pytest.approx(held, abs=1e-9)
    assert spectrum.energy_held(update.view(out, into, 1, 1), r) == pytest.approx(held, abs=1e-9)


# ------------------------------------------------------------------------------------------------
# Freezing


def test_a_frozen_module_is_the_same_function_after_a_training():
    torch.manual_seed(0)
    frozen = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    model = nn.Sequential(nn.Linear(3, 3), frozen, nn.Linear(4, 2))
    freezing.freeze(frozen)
    x = torch.randn(8, 3)
    frozen.eval()
    before, first = frozen(x), model[0].weight.clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(3):
        model.train()
        optimizer.zero_grad(set_to_none=False)
        model(torch.randn(8, 3)).square().sum().backward()
        optimizer.step()
    assert torch.equal(frozen(x), before)
    assert not torch.equal(model[0].weight, first)


def test_what_is_not_frozen_is_counted():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    freezing.freeze_all_but(model, ["1"])
    assert freezing.training_cost(model) == {"trained parameters": 10, "optimizer bytes": 40}
