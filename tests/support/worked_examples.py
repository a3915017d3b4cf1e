"""What the references answer to the examples of the hints, as plain data."""

import inspect
from importlib import import_module

import numpy as np
import torch
from torch import nn

from helpers.reference import masks
from helpers.reference.deep_compression import compressed_file
from helpers.reference.depthwise_conv import approximation, layer
from helpers.reference.lora_transfer import freezing, lora
from helpers.reference.quantization import ste
from helpers.reference.structured_pruning import filters, layers
from helpers.reference.transformer import attention, inputs, language, model
from helpers.reference.transformer import layers as transformer_layers


def answer(assignment, check, given):
    """Return what the reference of a public check gives, as lists, dicts and numbers."""
    if (assignment, check) in BY_HAND:
        return plain(BY_HAND[assignment, check](**given))
    probes = import_module(f"tests.assignments.{assignment}.{assignment}_probes")
    (reference,) = (right for right, c in probes.PUBLIC_CHECKS.items() if c.__name__ == check)
    parameters = inspect.signature(reference).parameters
    given = {name: _typed(value, str(parameters[name].annotation)) for name, value in given.items()}
    return plain(reference(**given))


def plain(value):
    match value:
        case torch.Tensor():
            return plain(value.detach().tolist())
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value


def _typed(value, annotation):
    """Return plain data in the type that a reference asks for."""
    if isinstance(value, dict):
        tensors = "Tensor" in annotation or annotation == "Weights"
        return {key: torch.tensor(each) if tensors else each for key, each in value.items()}
    if not isinstance(value, list):
        return value
    if "Tensor" in annotation or "Hessian" in annotation:
        return torch.tensor(value)
    if "array" in annotation.lower():
        return np.array(value, np.uint8) if "uint8" in annotation else np.array(value)
    return tuple(map(tuple, value)) if isinstance(value[0], list) else tuple(value)


def apply_masks(weight, mask):
    network = nn.Sequential(nn.Linear(2, 2))
    network.load_state_dict({"0.weight": torch.tensor(weight), "0.bias": torch.ones(2)})
    masks.apply_masks(network, {"0": torch.tensor(mask)})
    return network[0].weight


def pixel(convolution, weight, x, **buffers):
    """Return what a convolution with kernels of one weight gives for a single pixel."""
    buffers = {name: torch.tensor(each).view(-1, 1, 1, 1) for name, each in buffers.items()}
    weight = torch.tensor(weight).view(-1, 1, 1, 1)
    convolution.load_state_dict({"weight": weight} | buffers)
    return convolution(torch.full((1, 1, 1, 1), x)).flatten()


def pruned(sparse, prune, weight, percentage):
    convolution = sparse(1, len(weight), 1, bias=False)
    convolution.weight.data = torch.tensor(weight).view(convolution.weight.shape)
    prune(nn.Sequential(convolution), percentage)
    return convolution.mask.flatten()


def pruned_weights(weights, percentage):
    convolution = layers.SparseWeightConv2d(len(weights), 1, 1, bias=False)
    convolution.weight.data = torch.tensor(weights).view(convolution.weight.shape)
    filters.unstructured_pruning(nn.Sequential(convolution), percentage)
    return convolution.mask.flatten()


def straight_through(w, bits, gradient):
    weights = torch.tensor(w, requires_grad=True)
    ste.STE.apply(weights, bits).backward(torch.tensor(gradient))
    return weights.grad


def layer_from_bytes(labels, runs, centroids, width, shape):
    labels, runs = np.array(labels, np.uint8), np.array(runs, np.uint8)
    block = compressed_file.layer_to_bytes(labels, runs, np.array(centroids, np.float32), width)
    return compressed_file.layer_from_bytes(block, tuple(shape))


def training_cost(trained, frozen):
    network = nn.Module()
    sizes = [*((size, True) for size in trained), *((size, False) for size in frozen)]
    for place, (size, learns) in enumerate(sizes):
        network.register_parameter(str(place), nn.Parameter(torch.ones(size), learns))
    return freezing.training_cost(network)


def with_update(weight, A, B, r, alpha):
    base = torch.tensor(weight)
    convolution = base.dim() == 4
    inner = (nn.Conv2d if convolution else nn.Linear)(
        base.shape[1], base.shape[0], *([1] if convolution else []), bias=False
    )
    inner.weight.data = base
    found = (lora.LoRAConv2d if convolution else lora.LoRALinear)(inner, r, alpha)
    found.A.data, found.B.data = torch.tensor(A), torch.tensor(B)
    return found


def merged(unmerge=False, **given):
    found = with_update(**given)
    lora.merge(found)
    if unmerge:
        lora.unmerge(found)
    return found.base.weight


def word_embedding(weight, tokens):
    found = inputs.WordEmbedding(len(weight), len(weight[0]))
    found.weight.data = torch.tensor(weight)
    return found(torch.tensor(tokens))


def feed_forward(up, down, x):
    found = transformer_layers.FeedForward(1, len(up))
    found.up.weight.data, found.down.weight.data = torch.tensor(up), torch.tensor(down)
    found.up.bias.data.zero_()
    found.down.bias.data.zero_()
    return found(torch.tensor(x))


def cached_attention(q, k, v, cached_k, cached_v):
    cache = torch.tensor(cached_k), torch.tensor(cached_v)
    return attention.cached_attention(*map(torch.tensor, (q, k, v)), cache)[0]


def separable_convolution(depthwise, pointwise, bias, x):
    found = layer.DepthwiseSeparableConvolution(len(x), len(bias), 1)
    state = {"depthwise": depthwise, "pointwise": pointwise, "bias": bias}
    found.load_state_dict({name: torch.tensor(each) for name, each in state.items()})
    return found(torch.tensor(x).view(1, -1, 1, 1)).flatten()


def best_separable(kernel):
    return layer.dense_kernel(*approximation.best_separable(torch.tensor(kernel)))


BY_HAND = {
    ("pruning", "apply_masks"): apply_masks,
    ("structured_pruning", "sparse_conv2d"): lambda weight, mask, x: pixel(
        layers.SparseConv2d(1, 2, 1, bias=False), weight, x, mask=mask
    ),
    ("structured_pruning", "sparse_weight_conv2d"): lambda weight, mask, x: pixel(
        layers.SparseWeightConv2d(1, 2, 1, bias=False), weight, x, mask=mask
    ),
    ("structured_pruning", "filter_l1_pruning"): lambda norms, percentage: pruned(
        layers.SparseConv2d, filters.filter_l1_pruning, norms, percentage
    ),
    ("structured_pruning", "unstructured_pruning"): pruned_weights,
    ("quantization", "ste"): straight_through,
    ("quantization", "quant_conv2d"): lambda weight, bits, x: pixel(
        ste.QuantConv2d(1, len(weight), 1, bits=bits, bias=False), weight, x
    ),
    ("deep_compression", "layer_from_bytes"): layer_from_bytes,
    ("lora_transfer", "training_cost"): training_cost,
    ("lora_transfer", "lora_linear"): lambda x, **given: with_update(**given)(torch.tensor(x)),
    ("lora_transfer", "lora_conv"): lambda x, **given: with_update(**given)(
        torch.full((1, 1, 1, 1), x)
    ),
    ("lora_transfer", "merge"): merged,
    ("lora_transfer", "unmerge"): lambda **given: merged(unmerge=True, **given),
    ("transformer", "word_embedding"): word_embedding,
    ("transformer", "layer_norm"): lambda x: transformer_layers.LayerNorm(len(x[0]))(
        torch.tensor(x)
    ),
    ("transformer", "feed_forward"): feed_forward,
    ("transformer", "cached_attention"): cached_attention,
    ("transformer", "only_itself"): model.only_itself,
    ("transformer", "bits_per_character"): lambda scores, targets: language.bits_per_character(
        torch.tensor(scores), torch.tensor(targets)
    ),
    ("depthwise_conv", "separable_convolution"): separable_convolution,
    ("depthwise_conv", "best_separable"): best_separable,
    ("depthwise_conv", "training_error"): lambda train_accuracy: [1 - a for a in train_accuracy],
}
