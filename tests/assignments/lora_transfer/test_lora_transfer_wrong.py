"""Wrong answers to `lora_transfer` lose points, and the feedback says nothing that is untrue."""

import pytest
import torch
from alternatives import question_about
from source_notebook import judged
from torch import nn

from helpers.assignments.lora_transfer import checks
from helpers.reference.lora_transfer import freezing, lora

BESIDE = {
    "nn": nn,
    "torch": torch,
    "checks": checks,
    "LoRALinear": lora.LoRALinear,
    "merge": lora.merge,
    "unmerge": lora.unmerge,
    "freeze": freezing.freeze,
}


def judge(name, answer):
    """Return the score of an answer and the names of the misconceptions that are explained."""
    score = judged("lora_transfer", question_about("lora_transfer", name), BESIDE | {name: answer})
    return score, {check.misconception.name for check in score.checks if check.misconception}


def without_tracking(module):
    module.requires_grad_(False)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.track_running_stats = False


def evaluation_mode_once(module):
    module.requires_grad_(False)
    module.eval()


def weights_but_no_biases(module):
    freezing.freeze(module)
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name.endswith("bias"))


def hook_that_returns_the_module(module):
    module.requires_grad_(False)
    module.register_forward_pre_hook(lambda module, inputs: module.eval())


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (without_tracking, {"momentum_of_zero"}),
        (evaluation_mode_once, {"statistics_still_move"}),
        (weights_but_no_biases, set()),
        (hook_that_returns_the_module, set()),
        (lambda module: None, set()),
    ],
)
def test_a_module_that_is_not_frozen(answer, named):
    score, found = judge("freeze", answer)
    assert score.points < score.of
    assert found == named
    assert not checks.freeze(answer)


def test_a_name_that_is_a_part_of_another_name():
    def freeze_all_but(model, trained):
        for name, child in model.named_children():
            if name not in "".join(trained):
                freezing.freeze(child)

    score, found = judge("freeze_all_but", freeze_all_but)
    assert score.points < score.of
    assert not found


def test_the_last_parts_whatever_their_names():
    def freeze_all_but(model, trained):
        for child in list(model.children())[: -len(trained)]:
            freezing.freeze(child)

    score, found = judge("freeze_all_but", freeze_all_but)
    assert score.points < score.of
    assert not found


class Right(nn.Module):
    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged, self.scale = base.requires_grad_(False), False, alpha / r
        self.A = nn.Parameter(torch.randn(r, base.in_features))
        self.B = nn.Parameter(torch.zeros(base.out_features, r))

    def update(self):
        return self.scale * self.B @ self.A

    def forward(self, x):
        return self.base(x) if self.merged else self.base(x) + x @ self.update().T


class ScaledTwice(Right):
    def forward(self, x):
        return self.base(x) if self.merged else self.base(x) + self.scale * x @ self.update().T


class BiasForgotten(Right):
    def forward(self, x):
        return x @ (self.base.weight + (0 if self.merged else self.update())).T


class RootOfTheRank(Right):
    def __init__(self, base, r, alpha):
        super().__init__(base, r, alpha)
        self.scale = alpha / r**0.5


class Detached(Right):
    def update(self):
        return self.scale * self.B @ self.A.detach()


class FactorFrozen(Right):
    def __init__(self, base, r, alpha):
        super().__init__(base, r, alpha)
        self.A.requires_grad_(False)


class BiasTrains(Right):
    def __init__(self, base, r, alpha):
        super().__init__(base, r, alpha)
        if base.bias is not None:
            base.bias.requires_grad_(True)


class ScaleSaved(Right):
    def __init__(self, base, r, alpha):
        super().__init__(base, r, alpha)
        del self.scale
        self.register_buffer("scale", torch.tensor(alpha / r))


class Parametrized(Right):
    """The update is added by a parametrization, which renames the weight."""

    def __init__(self, base, r, alpha):
        super().__init__(base, r, alpha)
        layer = [self]

        class Updated(nn.Module):
            def forward(self, weight):
                return weight + layer[0].update()

        torch.nn.utils.parametrize.register_parametrization(base, "weight", Updated())

    def forward(self, x):
        return self.base(x)


class Transposed(nn.Module):
    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged, self.scale = base.requires_grad_(False), False, alpha / r
        self.A = nn.Parameter(torch.randn(base.in_features, r))
        self.B = nn.Parameter(torch.zeros(r, base.out_features))

    def update(self):
        return self.scale * (self.A @ self.B).T

    def forward(self, x):
        return self.base(x) + self.scale * x @ self.A @ self.B


def test_the_class_that_the_wrong_ones_start_from_is_right():
    score, _ = judge("LoRALinear", Right)
    assert score.points == score.of
    assert checks.lora_linear(Right)


@pytest.mark.parametrize(
    "answer",
    [
        ScaledTwice,
        BiasForgotten,
        RootOfTheRank,
        Detached,
        FactorFrozen,
        BiasTrains,
        ScaleSaved,
        Parametrized,
        Transposed,
    ],
)
def test_a_wrong_layer_loses_points_and_gets_no_explanation_of_another_mistake(answer):
    score, found = judge("LoRALinear", answer)
    assert score.points < score.of
    assert not found
    assert not checks.lora_linear(answer)


class BiasTwice(nn.Module):
    """A second convolution for the update, with the bias of the base."""

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged, self.scale = base.requires_grad_(False), False, alpha / r
        self.A = nn.Parameter(torch.randn(r, *base.weight.shape[1:]))
        self.B = nn.Parameter(torch.zeros(base.out_channels, r))

    def update(self):
        return self.scale * torch.tensordot(self.B, self.A, 1)

    def forward(self, x):
        added = self.base._conv_forward(x, self.update(), self.base.bias)
        return self.base(x) if self.merged else self.base(x) + added


def test_a_convolution_with_its_bias_twice():
    score, found = judge("LoRAConv2d", BiasTwice)
    assert score.points < score.of
    assert not found
    assert not checks.lora_conv(BiasTwice)


def silently(layer):
    if not layer.merged:
        lora.merge(layer)


def too_late(layer):
    with torch.no_grad():
        layer.base.weight += layer.update()
    if layer.merged:
        raise RuntimeError
    layer.merged = True


def scaled_again(layer):
    if layer.merged:
        raise RuntimeError
    with torch.no_grad():
        layer.base.weight += layer.scale * layer.update()
    layer.merged = True


@pytest.mark.parametrize("answer", [silently, too_late, scaled_again])
def test_a_wrong_merge(answer):
    score, found = judge("merge", answer)
    assert score.points < score.of
    assert not found
    assert not checks.merge(answer)


def factors_set_to_zero(layer):
    lora.unmerge(layer)
    layer.B.data.zero_()


def not_noted(layer):
    lora.unmerge(layer)
    layer.merged = True


@pytest.mark.parametrize("answer", [factors_set_to_zero, not_noted])
def test_a_wrong_unmerge(answer):
    score = judged("lora_transfer", "merge", BESIDE | {"unmerge": answer})
    assert score.points < score.of
    assert not checks.unmerge(answer)


@pytest.mark.parametrize(
    "answer",
    [
        lambda out, into: min(out, into) // 2,
        lambda out, into: round(out * into / (out + into)),
        lambda out, into: out * into / (out + into),
        lambda out, into: max(1, (out * into - 1) // (out + into)),
    ],
)
def test_a_wrong_rank(answer):
    score, found = judge("useful_rank", answer)
    assert score.points < score.of
    assert not found
    assert not checks.useful_rank(answer)


# ------------------------------------------------------------------------------------------------
# Nothing is written


def unwritten(*args):
    raise NotImplementedError


class Unwritten(nn.Module):
    def __init__(self, base, r, alpha):
        super().__init__()
        raise NotImplementedError


@pytest.mark.parametrize(
    "names",
    [
        ("freeze",),
        ("freeze_all_but",),
        ("training_cost",),
        ("LoRALinear",),
        ("merge", "unmerge"),
        ("useful_rank",),
        ("LoRAConv2d",),
        ("energy_held",),
    ],
)
@pytest.mark.parametrize("does", ["nothing", "stops"])
def test_what_is_not_written_earns_nothing(names, does):
    nothing = nn.Module if "Conv" in names[0] or "Linear" in names[0] else lambda *args: None
    stops = Unwritten if nothing is nn.Module else unwritten
    answers = dict.fromkeys(names, {"nothing": nothing, "stops": stops}[does])
    question = question_about("lora_transfer", names[0])
    assert judged("lora_transfer", question, BESIDE | answers).points == 0
