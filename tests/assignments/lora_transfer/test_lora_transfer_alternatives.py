"""Correct answers that differ from the reference earn every point of `lora_transfer`."""

import math
import types

import numpy as np
import torch
import torch.nn.functional as F
from alternatives import each_alternative, judged_alternative
from torch import nn

from helpers.assignments.lora_transfer import checks
from helpers.reference.lora_transfer import freezing, lora

# ------------------------------------------------------------------------------------------------
# Freezing


def freeze_1(module):
    """Override `train` of the object."""
    for parameter in module.parameters():
        parameter.requires_grad = False
    module.eval()
    module.train = types.MethodType(lambda self, mode=True: self, module)


def freeze_2(module):
    """Override `train` of every batch norm alone."""
    module.requires_grad_(False)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.eval()
            part.train = types.MethodType(lambda self, mode=True: self, part)


def freeze_3(module):
    """Put a class between that ignores the mode."""
    module.requires_grad_(False)
    module.eval()
    kind = type(module)
    module.__class__ = type(kind.__name__, (kind,), {"train": lambda self, mode=True: self})


def freeze_4(module):
    """Let every batch norm compute with its running statistics, whatever its mode."""
    module.requires_grad_(False)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):

            def normalised(x, part=part):
                numbers = part.running_mean, part.running_var, part.weight, part.bias
                return F.batch_norm(x, *numbers, training=False, eps=part.eps)

            part.forward = normalised


def freeze_5(module):
    """A hook for every part, which returns the inputs."""
    for parameter in module.parameters():
        parameter.requires_grad = False

    def evaluate(part, inputs):
        part.eval()
        return inputs

    for part in module.modules():
        part.register_forward_pre_hook(evaluate)


def freeze_6(module):
    """Wrap the forward pass."""
    module.requires_grad_(False)
    forward = module.forward

    def evaluated(*inputs):
        module.eval()
        return forward(*inputs)

    module.forward = evaluated
    return module


def freeze_all_but_1(model, trained):
    for name in {name for name, _ in model.named_children()} - set(trained):
        freezing.freeze(model.get_submodule(name))


def freeze_all_but_2(model, trained):
    parts = dict(model.named_children())
    for name in trained:
        parts.pop(name, None)
    list(map(freezing.freeze, parts.values()))


def freeze_all_but_3(model, trained):
    for name in model._modules:
        if not any(name == other for other in trained):
            freezing.freeze(getattr(model, name))


def training_cost_1(model):
    trained = [p for p in model.parameters() if p.requires_grad]
    return {
        "trained parameters": sum(math.prod(p.shape) for p in trained),
        "optimizer bytes": sum(p.numel() * p.element_size() for p in trained),
    }


def training_cost_2(model):
    count = sum(np.prod(p.shape, dtype=int) * p.requires_grad for p in model.parameters())
    return {"optimizer bytes": int(count) * 32 // 8, "trained parameters": int(count)}


def training_cost_3(model):
    frozen = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    count = sum(p.numel() for p in model.parameters()) - frozen
    return {"trained parameters": float(count), "optimizer bytes": 4.0 * count}


# ------------------------------------------------------------------------------------------------
# LoRA


class LoRALinear_1(nn.Module):
    """Gaussian A, as in the paper, and the update computed as one matrix."""

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged, self.scale = base, False, alpha / r
        for parameter in base.parameters():
            parameter.requires_grad = False
        self.A = nn.Parameter(torch.randn(r, base.in_features) / r)
        self.B = nn.Parameter(torch.zeros(base.out_features, r))

    def update(self):
        return torch.mm(self.B, self.A).mul(self.scale)

    def forward(self, x):
        weight = self.base.weight if self.merged else self.base.weight + self.update()
        return F.linear(x, weight, self.base.bias)


class LoRALinear_2(nn.Module):
    """The scale at the first factor, and a uniform A."""

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.merged = False
        self.scale = alpha / r
        self.A = nn.Parameter(torch.empty(r, base.weight.shape[1]).uniform_(-0.1, 0.1))
        self.B = nn.Parameter(torch.zeros(base.weight.shape[0], r))

    def update(self):
        return self.B @ (self.A * self.scale)

    def forward(self, x):
        out = self.base(x)
        if not self.merged:
            out = out + F.linear(F.linear(x, self.scale * self.A), self.B)
        return out


class LoRALinear_3(nn.Module):
    """With einsum."""

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged, self.r, self.alpha = base.requires_grad_(False), False, r, alpha
        self.A = nn.Parameter(nn.init.xavier_normal_(torch.empty(r, base.in_features)))
        self.B = nn.Parameter(torch.zeros(base.out_features, r))

    @property
    def scale(self):
        return self.alpha / self.r

    def update(self):
        return torch.einsum("or,ri->oi", self.B, self.A) * self.alpha / self.r

    def forward(self, x):
        out = self.base(x)
        return out if self.merged else out + x @ self.update().T


class LoRALinear_4(nn.Module):
    """A sum of outer products, an orthogonal A, and the scale as a tensor that is not saved."""

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged = base.requires_grad_(False), False
        self.register_buffer("scale", torch.tensor(float(alpha / r)), persistent=False)
        self.A = nn.Parameter(nn.init.orthogonal_(torch.empty(r, base.in_features)))
        self.B = nn.Parameter(torch.zeros(base.out_features, r))

    def update(self):
        return self.scale * sum(torch.outer(b, a) for a, b in zip(self.A, self.B.T, strict=True))

    def forward(self, x):
        return self.base(x) + (not self.merged) * (x @ self.update().T)


class LoRALinear_5(nn.Module):
    """The weight of an inner layer as A, and `functional_call`."""

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged, self.scale = base.requires_grad_(False), False, alpha / r
        self.A = nn.Linear(base.in_features, r, bias=False).weight
        self.B = nn.Parameter(base.weight.new_zeros(base.out_features, r))

    def update(self):
        return torch.addmm(torch.zeros_like(self.base.weight), self.B, self.A, alpha=self.scale)

    def forward(self, x):
        weight = {} if self.merged else {"weight": self.base.weight + self.update()}
        return torch.func.functional_call(self.base, weight, (x,))


def merge_1(layer):
    if layer.merged:
        raise RuntimeError
    layer.base.weight.data.add_(layer.update().detach())
    layer.merged = True


def merge_2(layer):
    if layer.merged is True:
        raise RuntimeError("merged already")
    with torch.no_grad():
        layer.base.weight.copy_(layer.base.weight + layer.scale * (layer.B @ layer.A))
    layer.merged = not layer.merged


def merge_3(layer):
    if not layer.merged:
        layer.base.weight = nn.Parameter(
            (layer.base.weight + layer.update()).detach(), requires_grad=False
        )
        layer.merged = True
    else:
        raise RuntimeError("only once")


def merge_4(layer):
    """Through the state of the base, with an error of its own."""

    class MergedAlready(RuntimeError):
        pass

    if layer.merged:
        raise MergedAlready
    state = layer.base.state_dict()
    layer.base.load_state_dict(state | {"weight": state["weight"] + layer.update().detach()})
    layer.merged = True


def merge_5(layer):
    """With the product and the sum in one operation."""
    if layer.merged:
        raise RuntimeError("merged already")
    with torch.no_grad():
        layer.base.weight.addmm_(layer.B, layer.A, alpha=layer.scale)
    layer.merged = True


def unmerge_1(layer):
    if not layer.merged:
        raise RuntimeError
    layer.base.weight.data.sub_(layer.update().detach())
    layer.merged = False


def unmerge_2(layer):
    if layer.merged is False:
        raise RuntimeError("not merged")
    with torch.no_grad():
        layer.base.weight.copy_(layer.base.weight - layer.scale * (layer.B @ layer.A))
    layer.merged = not layer.merged


def unmerge_3(layer):
    if layer.merged:
        with torch.no_grad():
            layer.base.weight += -layer.update()
        layer.merged = False
        return
    raise RuntimeError("nothing to take out")


def useful_rank_1(out, into):
    return max(r for r in range(out + into) if r * (out + into) < out * into)


def useful_rank_2(out, into):
    return math.ceil(out * into / (out + into)) - 1


def useful_rank_3(out, into):
    r = 0
    while (r + 1) * out + (r + 1) * into < out * into:
        r += 1
    return r


class LoRAConv2d_1(nn.Module):
    """Two convolutions, one after the other."""

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged, self.scale = base.requires_grad_(False), False, alpha / r
        self.A = nn.Parameter(torch.randn(r, *base.weight.shape[1:]) / 10)
        self.B = nn.Parameter(torch.zeros(base.out_channels, r))

    def update(self):
        return self.scale * torch.einsum("or,rikl->oikl", self.B, self.A)

    def forward(self, x):
        out, base = self.base(x), self.base
        if self.merged:
            return out
        down = F.conv2d(x, self.A, None, base.stride, base.padding, base.dilation)
        return out + self.scale * torch.einsum("or,nrhw->nohw", self.B, down)


class LoRAConv2d_2(nn.Module):
    """By `functional_call`, which keeps all settings of the base."""

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged, self.scale = base.requires_grad_(False), False, alpha / r
        self.A = nn.Parameter(nn.init.xavier_uniform_(torch.empty(r, *base.weight.shape[1:])))
        self.B = nn.Parameter(torch.zeros(base.out_channels, r))

    def update(self):
        return torch.tensordot(self.B, self.A, 1).mul(self.scale)

    def forward(self, x):
        if self.merged:
            return self.base(x)
        weight = {"weight": self.base.weight + self.update()}
        return torch.func.functional_call(self.base, weight, (x,))


class LoRAConv2d_3(nn.Module):
    """The base and a second convolution with the update."""

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged, self.scale = base, False, alpha / r
        base.weight.requires_grad = False
        if base.bias is not None:
            base.bias.requires_grad = False
        self.A = nn.Parameter(torch.empty(r, *base.weight.shape[1:]).normal_())
        self.B = nn.Parameter(torch.zeros(base.weight.shape[0], r))

    def update(self):
        flat = self.B @ self.A.reshape(len(self.A), -1)
        return flat.reshape(self.base.weight.shape) * self.scale

    def forward(self, x):
        out = self.base._conv_forward(x, self.base.weight, self.base.bias)
        return out if self.merged else out + self.base._conv_forward(x, self.update(), None)


class LoRAConv2d_4(nn.Module):
    """The product of the update with the patches of the image."""

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base, self.merged, self.scale = base.requires_grad_(False), False, alpha / r
        self.A = nn.Parameter(torch.rand(r, *base.weight.shape[1:]) - 0.5)
        self.B = nn.Parameter(torch.zeros(base.out_channels, r))

    def update(self):
        return self.scale * torch.stack([torch.tensordot(b, self.A, 1) for b in self.B])

    def forward(self, x):
        out, base = self.base(x), self.base
        if self.merged:
            return out
        patches = F.unfold(x, base.kernel_size, base.dilation, base.padding, base.stride)
        return out + (self.update().flatten(1) @ patches).view_as(out)


# ------------------------------------------------------------------------------------------------
# Spectrum


def energy_held_1(update, r):
    values = np.linalg.svd(update.reshape(len(update), -1).numpy(), compute_uv=False)
    return (values[:r] ** 2).sum() / (values**2).sum()


def energy_held_2(update, r):
    """The eigenvalues of the Gram matrix."""
    flat = update.flatten(1).double()
    values = torch.linalg.eigvalsh(flat @ flat.T).flip(0)
    return values[:r].sum() / values.sum()


def energy_held_3(update, r):
    """What the best approximation leaves."""
    flat = update.flatten(1)
    u, s, v = torch.linalg.svd(flat, full_matrices=False)
    rest = flat - (u[:, :r] * s[:r]) @ v[:r]
    return float(1 - rest.norm() ** 2 / flat.norm() ** 2)


def energy_held_4(update, r):
    """The part of the matrix in the span of the first right singular vectors."""
    flat = update.flatten(1).double()
    _, vectors = torch.linalg.eigh(flat.T @ flat)
    return ((flat @ vectors[:, -r:]).norm() / flat.norm()).square()


# ------------------------------------------------------------------------------------------------


@each_alternative(globals())
def test_another_right_answer_earns_every_point(alternative):
    modules = {"nn": nn, "torch": torch, "checks": checks}
    right = {"LoRALinear": lora.LoRALinear, "merge": lora.merge, "unmerge": lora.unmerge}
    beside = modules | right | {"freeze": freezing.freeze}
    score = judged_alternative("lora_transfer", alternative, beside=beside)
    assert (score.points, score.messages) == (score.of, [])
