"""Wrong solutions of `lora_transfer`, as students write them.

Each makes one mistake and is otherwise right. Where a wrong solution calls the answer to another
question (`freeze` in `freeze_all_but`, say), it calls the reference's function here, and the
student's own in a notebook.
"""

# Students write no type hints and no docstrings on methods.
# mypy: allow-untyped-defs
# ruff: noqa: D102

import torch
import torch.nn.functional as F
from torch import nn

from autograder.misconceptions import misconception
from helpers.reference.lora_transfer import freezing, lora, spectrum
from helpers.reference.lora_transfer.freezing import freeze

# ------------------------------------------------------------------------------------------------
# freezing


@misconception(of=freezing.freeze)
def statistics_still_move(module):
    """You stop the parameters, but the running statistics of batch norm still move.

    They are no parameters: every batch that passes in training mode moves them, and the training
    loop puts all modules into training mode. The module has to stay in evaluation mode.
    """
    module.requires_grad_(False)


@misconception(of=freezing.freeze)
def momentum_of_zero(module):
    """You stop the running statistics, but in training mode the module normalises by the batch.

    What comes after it is then trained with another function before it than the one that it is used
    with in the end. A momentum of 0 is not enough: the module has to stay in evaluation mode.
    """
    module.requires_grad_(False)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.momentum = 0.0


@misconception(of=freezing.freeze)
def no_gradients_pass(module):
    """You compute the frozen module without gradients, so that none reach what comes before it.

    A frozen module gets no gradients for its own parameters, but it has to pass them on.
    """
    module.requires_grad_(False)
    forward = module.forward

    def forward_without_gradients(x):
        module.eval()
        with torch.no_grad():
            return forward(x)

    module.forward = forward_without_gradients


@misconception(of=freezing.freeze)
def gradients_set_to_zero(module):
    """You set the gradients of the frozen parameters to zero instead of removing them.

    An optimizer with weight decay shrinks every parameter that has a gradient, even one of zero:
    set `requires_grad` to False.
    """
    for parameter in module.parameters():
        parameter.register_hook(torch.zeros_like)

    def stay_in_evaluation(module, inputs):
        module.eval()

    module.register_forward_pre_hook(stay_in_evaluation)


@misconception(of=freezing.freeze)
def parameters_still_train(module):
    """You keep the module in evaluation mode, but its parameters are still trained.

    Evaluation mode stops the statistics of batch norm and nothing else: set `requires_grad` of the
    parameters to False as well.
    """

    def stay_in_evaluation(module, inputs):
        module.eval()

    module.register_forward_pre_hook(stay_in_evaluation)


@misconception(of=freezing.freeze_all_but)
def classifier_frozen_too(model, trained):
    """You freeze every part of the network, those that are to be trained included.

    A new classifier is random: it has to learn. Leave out the names in `trained`.
    """
    for _, child in model.named_children():
        freeze(child)


@misconception(of=freezing.freeze_all_but)
def the_named_parts_frozen(model, trained):
    """You freeze the parts that are named, and train the others.

    The names are those of the parts that stay trainable.
    """
    for name, child in model.named_children():
        if name in trained:
            freeze(child)


@misconception(of=freezing.freeze_all_but)
def parts_frozen_without_their_statistics(model, trained):
    """You set `requires_grad` of the parts to False, but their batch norm statistics still move.

    Use your function `freeze`, which stops both.
    """
    for name, child in model.named_children():
        if name not in trained:
            child.requires_grad_(False)


@misconception(of=freezing.training_cost)
def frozen_parameters_counted(model):
    """You count the frozen parameters as well.

    The optimizer keeps nothing for them: count those with `requires_grad=True`.
    """
    count = sum(p.numel() for p in model.parameters())
    return {"trained parameters": count, "optimizer bytes": 4 * count}


@misconception(of=freezing.training_cost)
def two_numbers_for_each(model):
    """You count two numbers for each parameter.

    Adam keeps two; SGD with momentum keeps one, the velocity.
    """
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {"trained parameters": count, "optimizer bytes": 8 * count}


@misconception(of=freezing.training_cost)
def bits_for_bytes(model):
    """You give the memory in bits.

    A float32 has 32 bits, which are 4 bytes.
    """
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {"trained parameters": count, "optimizer bytes": 32 * count}


@misconception(of=freezing.training_cost)
def statistics_counted(model):
    """You count the running statistics of batch norm as well.

    They are buffers: no gradient changes them, and the optimizer keeps nothing for them.
    """
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    count += sum(buffer.numel() for buffer in model.buffers())
    return {"trained parameters": count, "optimizer bytes": 4 * count}


# ------------------------------------------------------------------------------------------------
# lora.LoRALinear


@misconception(of=lora.LoRALinear)
class ScaleMissing(nn.Module):
    """You do not multiply the update by alpha / r.

    Without the scale, another rank also needs another learning rate.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = 1.0
        out, into = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, into) / into**0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * self.B @ self.A

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + x @ self.update().T


@misconception(of=lora.LoRALinear)
class AlphaTimesR(nn.Module):
    """You multiply the update by alpha * r instead of alpha / r.

    The product of the factors is a sum of r terms; the division keeps its size about the same for
    every rank.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha * r
        out, into = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, into) / into**0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * self.B @ self.A

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + x @ self.update().T


@misconception(of=lora.LoRALinear)
class BothFactorsZero(nn.Module):
    """You let both factors be zero at the start.

    The gradient of B contains A, and that of A contains B: if both are zero, neither ever moves.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha / r
        out, into = base.weight.shape
        self.A = nn.Parameter(torch.zeros(r, into))
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * self.B @ self.A

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + x @ self.update().T


@misconception(of=lora.LoRALinear)
class BothFactorsRandom(nn.Module):
    """You draw both factors at random.

    The layer should first compute what its base does: let B be zero.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha / r
        out, into = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, into) / into**0.5)
        self.B = nn.Parameter(torch.ones(out, r))

    def update(self):
        return self.scale * self.B @ self.A

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + x @ self.update().T


@misconception(of=lora.LoRALinear)
class ProductTransposed(nn.Module):
    """Your update is the transpose of B A.

    It fits only if the weight is square, and even there it is another matrix.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha / r
        out, into = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, into) / into**0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * (self.B @ self.A).T

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + x @ self.update().T


@misconception(of=lora.LoRALinear)
class BaseStillTrains(nn.Module):
    """You still train the weight of the base.

    Only A and B are: set `requires_grad` of the base to False. Otherwise LoRA trains more than the
    layer had before.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        self.scale = alpha / r
        out, into = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, into) / into**0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * self.B @ self.A

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + x @ self.update().T


@misconception(of=lora.LoRALinear)
class FactorsExchanged(nn.Module):
    """You let A be zero and draw B at random.

    The product is zero as well, but the question asks for a random A and a zero B.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha / r
        out, into = base.weight.shape
        self.A = nn.Parameter(torch.zeros(r, into))
        self.B = nn.Parameter(torch.randn(out, r) / out**0.5)

    def update(self):
        return self.scale * self.B @ self.A

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + x @ self.update().T


@misconception(of=lora.LoRALinear)
class NumbersOfAEqual(nn.Module):
    """You give all numbers of A the same value.

    Its rows are then equal and stay so up to a factor, and the update never gets beyond rank 1.
    Draw them at random.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha / r
        out, into = base.weight.shape
        self.A = nn.Parameter(torch.ones(r, into))
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * self.B @ self.A

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + x @ self.update().T


@misconception(of=lora.LoRALinear)
class MergedIgnored(nn.Module):
    """Your forward pass adds the update even if `merged` is True.

    The weight holds the update then, so that it would count twice.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha / r
        out, into = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, into) / into**0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * self.B @ self.A

    def forward(self, x):
        return self.base(x) + x @ self.update().T


# ------------------------------------------------------------------------------------------------
# lora.merge, lora.useful_rank


@misconception(of=lora.merge)
def merged_again_and_again(layer):
    """You merge a layer that is merged already.

    The update is then in the weight twice, and nothing tells: raise a RuntimeError.
    """
    with torch.no_grad():
        layer.base.weight += layer.update()
    layer.merged = True


@misconception(of=lora.merge)
def merging_not_noted(layer):
    """You add the update to the weight, but do not set `merged`.

    The forward pass adds it a second time, and nothing stops another merge.
    """
    if layer.merged:
        raise RuntimeError
    with torch.no_grad():
        layer.base.weight += layer.update()


@misconception(of=lora.merge)
def merged_without_the_scale(layer):
    """You add B A without the factor alpha / r.

    The merged layer then computes something else than the layer did before.
    """
    if layer.merged:
        raise RuntimeError
    with torch.no_grad():
        layer.base.weight += layer.B @ layer.A
    layer.merged = True


@misconception(of=lora.merge)
def merged_weight_trains(layer):
    """You put a new parameter in the place of the weight, and it is trained.

    Add the update in place under `torch.no_grad()`, so that the weight stays frozen.
    """
    if layer.merged:
        raise RuntimeError
    layer.base.weight = nn.Parameter(layer.base.weight + layer.update())
    layer.merged = True


@misconception(of=lora.unmerge)
def taken_out_without_asking(layer):
    """You take the update out of a layer that is not merged.

    The weight then lacks an update that it never had: raise a RuntimeError.
    """
    with torch.no_grad():
        layer.base.weight -= layer.update()
    layer.merged = False


@misconception(of=lora.useful_rank)
def possible_rank(out, into):
    """You return the largest rank that is possible.

    With it, the two factors have more parameters than the weight.
    """
    return min(out, into)


@misconception(of=lora.useful_rank)
def as_many_parameters(out, into):
    """You count a rank as useful that has exactly as many parameters as the weight.

    The question asks for fewer.
    """
    return out * into // (out + into)


# ------------------------------------------------------------------------------------------------
# lora.LoRAConv2d, spectrum.energy_held


@misconception(of=lora.LoRAConv2d)
class ConvScaleMissing(nn.Module):
    """You do not multiply the update by alpha / r.

    Without the scale, another rank also needs another learning rate.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = 1.0
        out, *patch = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, *patch) / base.weight[0].numel() ** 0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * (self.B @ self.A.flatten(1)).view_as(self.base.weight)

    def forward(self, x):
        base = self.base
        weight = base.weight if self.merged else base.weight + self.update()
        return F.conv2d(x, weight, base.bias, base.stride, base.padding, base.dilation)


@misconception(of=lora.LoRAConv2d)
class ConvAlphaTimesR(nn.Module):
    """You multiply the update by alpha * r instead of alpha / r.

    The product of the factors is a sum of r terms; the division keeps its size about the same for
    every rank.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha * r
        out, *patch = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, *patch) / base.weight[0].numel() ** 0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * (self.B @ self.A.flatten(1)).view_as(self.base.weight)

    def forward(self, x):
        base = self.base
        weight = base.weight if self.merged else base.weight + self.update()
        return F.conv2d(x, weight, base.bias, base.stride, base.padding, base.dilation)


@misconception(of=lora.LoRAConv2d)
class StrideForgotten(nn.Module):
    """Your forward pass forgets the stride of the base.

    Give `F.conv2d` the stride, the padding and the dilation of the base.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha / r
        out, *patch = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, *patch) / base.weight[0].numel() ** 0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * (self.B @ self.A.flatten(1)).view_as(self.base.weight)

    def forward(self, x):
        base = self.base
        weight = base.weight if self.merged else base.weight + self.update()
        return F.conv2d(x, weight, base.bias, 1, base.padding, base.dilation)


@misconception(of=lora.LoRAConv2d)
class BiasForgotten(nn.Module):
    """Your forward pass forgets the bias of the base.

    It is frozen, but it is still a part of the layer.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha / r
        out, *patch = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, *patch) / base.weight[0].numel() ** 0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * (self.B @ self.A.flatten(1)).view_as(self.base.weight)

    def forward(self, x):
        base = self.base
        weight = base.weight if self.merged else base.weight + self.update()
        return F.conv2d(x, weight, None, base.stride, base.padding, base.dilation)


@misconception(of=lora.LoRAConv2d)
class DilationForgotten(nn.Module):
    """Your forward pass forgets the dilation of the base.

    Give `F.conv2d` the stride, the padding and the dilation of the base.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha / r
        out, *patch = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, *patch) / base.weight[0].numel() ** 0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * (self.B @ self.A.flatten(1)).view_as(self.base.weight)

    def forward(self, x):
        base = self.base
        weight = base.weight if self.merged else base.weight + self.update()
        return F.conv2d(x, weight, base.bias, base.stride, base.padding)


@misconception(of=lora.LoRAConv2d)
class ConvMergedIgnored(nn.Module):
    """Your forward pass adds the update even if `merged` is True.

    The weight holds the update then, so that it would count twice.
    """

    def __init__(self, base, r, alpha):
        super().__init__()
        self.base = base
        self.merged = False
        base.requires_grad_(False)
        self.scale = alpha / r
        out, *patch = base.weight.shape
        self.A = nn.Parameter(torch.randn(r, *patch) / base.weight[0].numel() ** 0.5)
        self.B = nn.Parameter(torch.zeros(out, r))

    def update(self):
        return self.scale * (self.B @ self.A.flatten(1)).view_as(self.base.weight)

    def forward(self, x):
        base = self.base
        weight = base.weight + self.update()
        return F.conv2d(x, weight, base.bias, base.stride, base.padding, base.dilation)


@misconception(of=spectrum.energy_held)
def all_but_the_first_dimension_not_flattened(update, r):
    """You take the singular values of each kernel, not those of the matrix.

    The weight of a convolution is one matrix with a row for each output channel: flatten all
    dimensions after the first.
    """
    squares = torch.linalg.svdvals(update) ** 2
    return float(squares[..., :r].sum() / squares.sum())


@misconception(of=spectrum.energy_held)
def values_for_squares(update, r):
    """You add up the singular values instead of their squares.

    The squared norm of a matrix is the sum of the squared singular values.
    """
    values = torch.linalg.svdvals(update.flatten(1))
    return float(values[:r].sum() / values.sum())


@misconception(of=spectrum.energy_held)
def error_for_share(update, r):
    """You return the share that is left out instead of the one that is held.

    The sum over the first r belongs into the numerator.
    """
    squares = torch.linalg.svdvals(update.flatten(1)) ** 2
    return float(squares[r:].sum() / squares.sum())


@misconception(of=spectrum.energy_held)
def root_of_the_share(update, r):
    """You return the share of the norm instead of that of the squared norm.

    Do not take the root.
    """
    squares = torch.linalg.svdvals(update.flatten(1)) ** 2
    return float((squares[:r].sum() / squares.sum()) ** 0.5)
