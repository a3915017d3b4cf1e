"""The public checks of `transformer`."""

import math
from collections.abc import Callable, Collection, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from helpers.checks.answers import as_number, as_tensor, ask, expect, expect_keys, kind, near, shown
from helpers.checks.hints import Hints
from helpers.checks.pictures import grids
from helpers.checks.result import Claims, Wrong, described, public_check
from helpers.checks.trained import trained
from helpers.checks.values import verdict
from helpers.checks.written import words

__all__ = [
    "attention",
    "attention_gradients",
    "bits_per_character",
    "block",
    "cached_attention",
    "causal_mask",
    "computes_layer_norm",
    "feed_forward",
    "hint",
    "language_model",
    "layer_norm",
    "losses",
    "matrix_products",
    "merge_heads",
    "multi_head_attention",
    "multiplications",
    "next_probabilities",
    "ngram_bits",
    "only_itself",
    "parameter_gradients",
    "sinusoidal_positions",
    "split_heads",
    "trained",
    "verdict",
    "word_embedding",
    "words",
]

hint = Hints(Path(__file__).with_name("hints.json"))

NEAR = 1e-5
"""Far more than the rounding of the short float32 sums in these examples."""


def _drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _with_weights(module: Any, seed: int = 0) -> Any:
    """Give every parameter of a student's module known random numbers."""
    expect(isinstance(module, nn.Module), f"It should be a module; yours is {kind(module)}.")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            scale = max(1, parameter.shape[-1]) ** 0.5
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / scale)
    return module.eval()


def _called(call: str, module: Any, shape: tuple[int, ...], *args: Any) -> Tensor:
    with torch.no_grad():
        return as_tensor(f"`{call}`", ask(call, module, *args), shape)


def _works_elsewhere(function: Callable[..., Any], *args: Tensor) -> None:
    """Call a function with tensors on the device "meta", which have no numbers."""
    try:
        with torch.no_grad():
            found = function(*(x.to("meta") for x in args))
    except Exception as error:
        # An assertion, for example, needs numbers: it would fail here and pass on a GPU.
        if "device" in str(error):
            raise Wrong(
                "It fails with tensors on another device than the CPU. What it makes should be "
                f"made there, for example with `device=x.device`. {described(error)}"
            ) from error
        return
    output = found[0] if isinstance(found, tuple | list) else found
    expect(output.device.type == "meta", "With tensors on another device, its output is not there.")


def parameter_gradients(module: nn.Module, *inputs: Any) -> dict[str, Tensor | None]:
    """Return the gradients of the sum of the squared outputs, by the names of the parameters.

    None stands for a parameter that no gradient reaches.
    """
    module.zero_grad()
    module(*inputs).square().sum().backward()
    return {name: parameter.grad for name, parameter in module.named_parameters()}


def attention_gradients(
    attention: Callable[..., Any], q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None
) -> list[Tensor | None]:
    """Return the gradients of the sum of the squared outputs for queries, keys and values."""
    inputs = [x.detach().clone().requires_grad_() for x in (q, k, v)]
    attention(*inputs, mask)[0].square().sum().backward()
    return [x.grad for x in inputs]


class _LayerNorms(TorchDispatchMode):
    """Note whether PyTorch carries out a layer norm of its own."""

    found = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.found = self.found or "layer_norm" in func.name()
        return func(*args, **(kwargs or {}))


def computes_layer_norm(module: Callable[..., Any], *inputs: Any) -> bool:
    """Return whether a module lets PyTorch compute a layer norm, whatever it is called."""
    noted = _LayerNorms()
    with noted:
        module(*inputs)
    return noted.found


def _expect_gradients(module: nn.Module, *inputs: Any) -> None:
    found = parameter_gradients(module, *inputs)
    if missing := [f"`{name}`" for name, slope in found.items() if slope is None]:
        raise Wrong(
            f"No gradient reaches {', '.join(missing)}, so it would never learn: compute with "
            "PyTorch's functions, and without `.detach()`, `.data` and NumPy."
        )


def _no_future(call: str, module: Any, x: Tensor, change: Callable[[Tensor], Tensor]) -> None:
    """Change the input from each position on; no earlier output may change."""
    with torch.no_grad():
        before = ask(call, module, x)
        for t in range(1, x.shape[1]):
            changed = x.clone()
            changed[:, t:] = change(changed[:, t:])
            after = ask(call, module, changed)
            expect(
                near(after[:, :t], before[:, :t], NEAR),
                f"When the input changes from position {t} on, the output before it changes too: "
                "a position looks into the future.",
            )
            expect(
                not near(after[:, t], before[:, t], 0),
                f"When the input changes at position {t}, the output there does not.",
            )


# ------------------------------------------------------------------------------------------------
# Tokens and positions


@public_check("WordEmbedding")
def word_embedding(layer_class: Callable[..., Any]) -> Claims:
    """Check the student's `WordEmbedding`."""
    call = "WordEmbedding(3, 4)(tokens)"
    yield "returns a vector for each token"
    layer = ask("WordEmbedding(3, 4)", layer_class, 3, 4)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(12.0).view(3, 4))
    tokens = torch.tensor([[2, 0, 2], [1, 1, 0]])
    found = _called(call, layer, (2, 3, 4), tokens)

    yield "returns the rows of the table, times the root of their size"
    row = torch.tensor([8.0, 9, 10, 11])
    expect(
        near(found[0, 0], 2 * row, NEAR),
        f"Token 2 has the row {shown(row)}, and the root of d = 4 is 2. Its vector is "
        f"{shown(2 * row)}; yours is {shown(found[0, 0])}.",
    )
    expect(near(found[1, 2], torch.tensor([0.0, 2, 4, 6]), NEAR), "The vector of token 0 is wrong.")

    yield "passes the gradient on to the table"
    expect(
        isinstance(found := ask(call, layer, tokens), Tensor) and found.requires_grad,
        "The vectors carry no gradient, so the rows would never be learned: compute with PyTorch's "
        "functions, and without `.detach()`, `.data` and NumPy.",
    )
    _expect_gradients(layer, tokens)
    (slope,) = torch.autograd.grad(ask(call, layer, tokens).sum(), layer.weight)
    counts = torch.tensor([2.0, 2, 2]).view(3, 1).expand(3, 4)
    expect(
        near(slope, 2 * counts, NEAR),
        "The gradient of the sum of all vectors should be the root of d for each number of a row, "
        f"once for each of its tokens: 4 everywhere here; yours begins with {shown(slope[0])}.",
    )

    yield "computes with the table that it has, and leaves it as it is"
    with torch.no_grad():
        layer.weight.mul_(2)
    again = [_called(call, layer, (2, 3, 4), tokens) for _ in range(2)]
    expect(
        near(again[0][0, 0], 4 * row, NEAR) and torch.equal(*again),
        "The table has changed since the first call, or is the same in two calls, and the vectors "
        "do not show it: keep nothing from call to call.",
    )


@public_check("sinusoidal_positions")
def sinusoidal_positions(function: Callable[..., Any]) -> Claims:
    """Check the student's ``sinusoidal_positions(length, d)``."""
    call = "sinusoidal_positions(3, 4)"
    yield "returns a float32 tensor of the shape (length, d)"
    found = as_tensor(f"`{call}`", ask(call, function, 3, 4), (3, 4))
    expect(found.dtype == torch.float32, f"It should be float32; yours is {found.dtype}.")

    angles = [[t, t, t / 100, t / 100] for t in range(3)]
    waves = [[math.sin(a), math.cos(b), math.sin(c), math.cos(d)] for a, b, c, d in angles]
    beside = grids(found, torch.tensor(waves), ("position", "column"))
    yield "has sine and cosine of the position side by side in the first two columns"
    for t in range(3):
        pair = torch.tensor([math.sin(t), math.cos(t)])
        expect(
            near(found[t, :2], pair, NEAR),
            f"At position {t}, the first two columns are sin({t}) and cos({t}): {shown(pair)}; "
            f"yours are {shown(found[t, :2])}.",
            beside,
        )

    yield "has longer wavelengths in the other columns"
    pair = torch.tensor([math.sin(2 / 100), math.cos(2 / 100)])
    expect(
        near(found[2, 2:], pair, NEAR),
        f"With d = 4 and i = 1 the angle is t / 10000^(2/4) = t / 100. At position 2 the last two "
        f"columns are {shown(pair)}; yours are {shown(found[2, 2:])}.",
        beside,
    )


# ------------------------------------------------------------------------------------------------
# Attention


@public_check("attention")
def attention(function: Callable[..., Any]) -> Claims:
    """Check the student's ``attention(q, k, v, mask)``."""
    q, k, v = _drawn(2, 3, 4), _drawn(2, 5, 4, seed=1), _drawn(2, 5, 6, seed=2)

    def asked(*args: Any) -> tuple[Tensor, Tensor]:
        call = f"attention({'q, k, v' if len(args) == 3 else 'q, k, v, mask'})"
        answer = ask(call, function, *args)
        expect(
            isinstance(answer, tuple | list) and len(answer) == 2,
            f"`{call}` should return the output and the weights; yours is {kind(answer)}.",
        )
        output = as_tensor("The output", answer[0], (*args[0].shape[:-1], args[2].shape[-1]))
        sizes = (*args[0].shape[:-1], args[1].shape[-2])
        return output, as_tensor("The tensor of weights", answer[1], sizes)

    yield "returns the output and the weights"
    output, weights = asked(q, k, v)

    yield "has weights that sum to 1 over the keys of each query"
    expect(
        near(weights.sum(-1), torch.ones(2, 3), NEAR),
        "The weights of a query should sum to 1 over the keys (the last dimension); the sums of "
        f"your first three queries are {shown(weights.sum(-1)[0])}.",
    )

    yield "has the weights of an example"
    one, two = torch.tensor([[2.0, 0, 0, 0]]), torch.tensor([[math.log(3), 0, 0, 0], [0.0] * 4])
    _, weights = asked(one, two, torch.eye(2))
    expect(
        near(weights, torch.tensor([[0.75, 0.25]]), NEAR),
        "The query [2, 0, 0, 0] and the keys [log 3, 0, 0, 0] and [0, 0, 0, 0] have the products "
        "2 log 3 and 0. Divided by the root of d_k = 4 they are log 3 and 0, and the weights are "
        f"[0.75, 0.25]; yours are {shown(weights[0])}.",
    )

    yield "averages the values as PyTorch does"
    expect(
        near(output, F.scaled_dot_product_attention(q, k, v), NEAR),
        "The weights are right, but the output is not the average of the values with them.",
    )

    yield "gives blocked keys the weight 0"
    mask = torch.ones(3, 5, dtype=torch.bool).tril()
    output, weights = asked(q, k, v, mask)
    blocked, allowed = weights.masked_select(~mask), weights.masked_select(mask)
    theirs = F.scaled_dot_product_attention(q[0], k[0], torch.eye(5), attn_mask=mask)
    beside = grids(weights[0], theirs, ("query", "key"))
    expect(
        bool((allowed > 0).all()),
        "Where the mask is true, a query may attend to a key, but some weights there are 0. Is "
        "the mask the other way round?",
        beside,
    )
    expect(
        bool((blocked == 0).all()),
        "Where the mask is false, the weight should be exactly 0.",
        beside,
    )
    expect(
        near(weights.sum(-1), torch.ones(2, 3), NEAR),
        "With a mask, the other weights should still sum to 1: block before the softmax.",
        beside,
    )
    expect(
        near(output, F.scaled_dot_product_attention(q, k, v, attn_mask=mask), NEAR),
        "With a mask, the output is not the average of the values that are allowed.",
    )

    yield "gives them nothing, however well they fit"
    one = torch.tensor([[2.0, 0, 0, 0]])
    fits = torch.tensor([[-30.0, 0, 0, 0], [-30, 0, 0, 0], [30, 0, 0, 0]])
    _, weights = asked(one, fits, torch.eye(3), torch.tensor([[True, True, False]]))
    expect(
        near(weights, torch.tensor([[0.5, 0.5, 0.0]]), NEAR) and not weights[0, 2].any(),
        "The scores are -30, -30 and 30, and the third key is blocked: the weights are "
        f"[0.5, 0.5, 0]; yours are {shown(weights[0])}. Which score becomes exactly 0?",
    )

    yield "takes a mask for each text, and one for all queries"
    texts = torch.stack([mask, mask.flip(1) | (torch.arange(5) == 0)])
    for other in (texts, texts[:, :1], torch.tensor([True, True, False, True, False])):
        output, _ = asked(q, k, v, other)
        expect(
            near(output, F.scaled_dot_product_attention(q, k, v, attn_mask=other), NEAR),
            f"With a mask of the shape {tuple(other.shape)}, the output is not right.",
        )

    yield "passes gradients to queries, keys and values"
    for name, slope in zip("qkv", attention_gradients(function, q, k, v), strict=True):
        expect(slope is not None, f"No gradient reaches `{name}`: is something detached?")

    yield "computes in the type and on the device of its inputs"
    output, _ = asked(*(x.double() for x in (q, k, v)))
    expect(output.dtype == torch.float64, f"For float64 inputs the output is {output.dtype}.")
    _works_elsewhere(function, q, k, v, mask)


@public_check("causal_mask")
def causal_mask(function: Callable[..., Any]) -> Claims:
    """Check the student's ``causal_mask(length, device)``."""
    yield "returns a boolean tensor of the shape (length, length)"
    mask = ask("causal_mask(3)", function, 3)
    expect(isinstance(mask, Tensor), f"It should be a tensor; yours is {kind(mask)}.")
    expect(tuple(mask.shape) == (3, 3), f"It should be (3, 3); yours is {tuple(mask.shape)}.")
    expect(mask.dtype == torch.bool, f"It should be boolean; yours is {mask.dtype}.")

    yield "is true for a position itself and for those before it"
    right = torch.tensor([[1, 0, 0], [1, 1, 0], [1, 1, 1]])
    beside = grids(mask, right, ("query", "key"))
    expect(bool(mask.diagonal().all()), "A position may attend to itself.", beside)
    expect(bool(mask[2].all()), "The last position may attend to all.", beside)
    expect(
        mask[0].tolist() == [True, False, False],
        f"The first position (row 0) may attend to itself alone; your row is {mask[0].tolist()}.",
        beside,
    )

    yield "is made on the device that is asked for"
    elsewhere = ask('causal_mask(3, device="meta")', function, 3, device="meta")
    expect(elsewhere.device.type == "meta", f"It is on {elsewhere.device}.")


def _expect_gradient_of(function: Callable[..., Any], x: Tensor, *others: Any) -> None:
    output = function(x.clone().requires_grad_(), *others)
    expect(output.requires_grad, "No gradient passes: compute with PyTorch, without `.detach()`.")


NUMBERED = torch.arange(12.0).view(1, 3, 4)
SPLIT = torch.tensor([[[[0.0, 1], [4, 5], [8, 9]], [[2, 3], [6, 7], [10, 11]]]])


@public_check("split_heads")
def split_heads(function: Callable[..., Any]) -> Claims:
    """Check the student's ``split_heads(x, heads)``."""
    call = "split_heads(x, 2)"
    yield "returns a tensor of the shape (N, heads, T, d / heads)"
    found = as_tensor(f"`{call}`", ask(call, function, NUMBERED, 2), (1, 2, 3, 2))

    yield "gives each head its piece of every position"
    expect(
        torch.equal(found, SPLIT),
        f"Three positions have the vectors {shown(NUMBERED[0])}. Head 0 gets the first two numbers "
        f"of each, {shown(SPLIT[0, 0])}; yours gets {shown(found[0, 0])}.",
    )

    yield "keeps texts apart"
    two = torch.cat([NUMBERED, 100 + NUMBERED])
    found = as_tensor(f"`{call}`", ask(call, function, two, 2), (2, 2, 3, 2))
    expect(torch.equal(found[1], 100 + SPLIT[0]), "The second text is mixed with the first.")
    _expect_gradient_of(function, NUMBERED, 2)


@public_check("merge_heads")
def merge_heads(function: Callable[..., Any]) -> Claims:
    """Check the student's ``merge_heads(x)``."""
    yield "returns a tensor of the shape (N, T, heads * d_k)"
    found = as_tensor("`merge_heads(x)`", ask("merge_heads(x)", function, SPLIT), (1, 3, 4))

    yield "puts the pieces of each position side by side"
    expect(
        torch.equal(found, NUMBERED),
        f"The first position should be {shown(NUMBERED[0, 0])}; yours is {shown(found[0, 0])}.",
    )
    _expect_gradient_of(function, SPLIT)


@public_check("MultiHeadAttention")
def multi_head_attention(layer_class: Callable[..., Any]) -> Claims:
    """Check the student's `MultiHeadAttention`."""
    call, d, heads = "MultiHeadAttention(8, 2)(x, mask)", 8, 2
    yield "returns a vector for each position"
    layer = _with_weights(ask("MultiHeadAttention(8, 2)", layer_class, d, heads))
    x = _drawn(2, 5, d, seed=1)
    mask = torch.ones(5, 5, dtype=torch.bool).tril()
    found = _called(call, layer, (2, 5, d), x, mask)

    yield "keeps the weights of all heads in `self.weights`, without a gradient"
    weights = as_tensor("`self.weights`", getattr(layer, "weights", None), (2, heads, 5, 5))
    ask(call, layer, x, mask)
    expect(not layer.weights.requires_grad, "`self.weights` carries a gradient: use `.detach()`.")

    yield "agrees with `nn.MultiheadAttention` of PyTorch"
    theirs = nn.MultiheadAttention(d, heads, batch_first=True).eval()
    parts = [layer.query, layer.key, layer.value]
    theirs.load_state_dict(
        {
            "in_proj_weight": torch.cat([part.weight for part in parts]),
            "in_proj_bias": torch.cat([part.bias for part in parts]),
            "out_proj.weight": layer.output.weight,
            "out_proj.bias": layer.output.bias,
        }
    )
    with torch.no_grad():
        right, right_weights = theirs(x, x, x, attn_mask=~mask, average_attn_weights=False)
    expect(near(weights, right_weights, NEAR), "The weights of the heads are not right.")
    expect(
        near(found, right, NEAR),
        "The weights are right, but the output is not. Are the heads merged, and does the output "
        "layer come last?",
    )

    yield "works without a mask"
    with torch.no_grad():
        right, _ = theirs(x, x, x)
    expect(near(_called(call, layer, (2, 5, d), x), right, NEAR), "Without a mask it differs.")
    expect(
        not near(layer.weights, weights, NEAR),
        "`self.weights` should be those of the last call; yours are those of an earlier one.",
    )

    yield "passes gradients to all of its parameters"
    _expect_gradients(layer, x, mask)


@public_check("cached_attention")
def cached_attention(function: Callable[..., Any]) -> Claims:
    """Check the student's ``cached_attention(q, k, v, cache)``."""
    call = "cached_attention(q, k, v, cache)"
    q, k, v = (_drawn(1, 2, 4, 3, seed=seed) for seed in range(3))
    cache: Any = None
    right = F.scaled_dot_product_attention(q, k, v, is_causal=True)

    yield "returns the output and a cache that grows by one position with each step"
    outputs = []
    for t in range(4):
        before = cache
        answer = ask(call, function, *(x[:, :, t : t + 1] for x in (q, k, v)), cache)
        expect(
            isinstance(answer, tuple | list) and len(answer) == 2,
            f"`{call}` should return the output and the cache; yours is {kind(answer)}.",
        )
        output, cache = answer
        outputs.append(as_tensor("The output", output, (1, 2, 1, 3)))
        expect(
            isinstance(cache, tuple | list) and len(cache) == 2,
            f"The cache should hold keys and values; yours is {kind(cache)}.",
        )
        for name, part in zip(("keys", "values"), cache, strict=True):
            as_tensor(f"The tensor of {name} after step {t + 1}", part, (1, 2, t + 1, 3))
        if before is not None:
            expect(before[0].shape[2] == t, "The given cache has changed: make a new one.")

    yield "keeps keys and values in their order"
    expect(torch.equal(cache[0], k) and torch.equal(cache[1], v), "The cache differs from them.")

    yield "gives what attention with the causal mask gives at once"
    for t, output in enumerate(outputs):
        expect(near(output, right[:, :, t : t + 1], NEAR), f"The output of step {t + 1} differs.")

    yield "attends to the cache that it is given, whatever it has seen before"
    answer = ask(call, function, *(x[:, :, 3:] for x in (q, k, v)), (k[:, :, :1], v[:, :, :1]))
    output = as_tensor("The output", answer[0], (1, 2, 1, 3))
    two = F.scaled_dot_product_attention(q[:, :, 3:], k[:, :, [0, 3]], v[:, :, [0, 3]])
    expect(near(output, two, NEAR), "With a cache of one position, the output is not right.")


# ------------------------------------------------------------------------------------------------
# The model


@public_check("LayerNorm")
def layer_norm(layer_class: Callable[..., Any]) -> Claims:
    """Check the student's `LayerNorm`."""
    call = "LayerNorm(4)(x)"
    yield "gives the vectors of an example mean 0 and variance 1"
    layer = ask("LayerNorm(4)", layer_class, 4)
    x = torch.tensor([[[1.0, 1, 3, 3], [0, 0, 0, 8]]])
    found = _called(call, layer, (1, 2, 4), x)
    right = torch.tensor([-1.0, -1, 1, 1])
    expect(
        near(found[0, 0], right, 1e-4),
        f"The vector [1, 1, 3, 3] has the mean 2 and the variance 1 (divided by d = 4), so it "
        f"becomes {shown(right)}; yours is {shown(found[0, 0])}.",
    )

    yield "agrees with `F.layer_norm` of PyTorch for other weights"
    layer = _with_weights(layer, seed=3)
    x = 3 * _drawn(2, 5, 4, seed=4) + 1
    with torch.no_grad():
        right = F.layer_norm(x, (4,), layer.weight, layer.bias, 1e-5)
    expect(
        near(_called(call, layer, (2, 5, 4), x), right, 1e-4),
        "With other weights and biases the output differs.",
    )
    slopes = []
    for function in (layer, lambda y: F.layer_norm(y, (4,), layer.weight, layer.bias, 1e-5)):
        y = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(ask(call, function, y).square().sum(), y)
        slopes.append(slope)
    expect(
        near(slopes[0], slopes[1], 1e-3),
        "The output is right, but its gradient is not: mean and variance depend on the input too, "
        "so they must not be detached.",
    )

    yield "adds eps to the variance, under the root"
    layer = ask("LayerNorm(4, eps=1.0)", layer_class, 4, 1.0)
    x = torch.tensor([[[1.0, 1, 3, 3]]])
    found = _called("LayerNorm(4, eps=1.0)(x)", layer, (1, 1, 4), x)
    expect(
        math.isclose(float(found[0, 0, 3]), 2**-0.5, rel_tol=1e-5),
        f"With eps = 1 the vector [1, 1, 3, 3] is divided by the root of 1 + 1, and its last "
        f"number becomes 0.7071; yours is {float(found[0, 0, 3]):.4f}.",
    )

    yield "computes without PyTorch's layer norm"
    expect(
        not computes_layer_norm(layer, x),
        "PyTorch has computed a layer norm of its own: write the formula out.",
    )

    yield "passes gradients to its weight and its bias"
    _expect_gradients(layer, x)

    yield "copes with numbers that are all equal"
    _called(call, layer, (1, 1, 4), torch.full((1, 1, 4), 3.0))


@public_check("FeedForward")
def feed_forward(layer_class: Callable[..., Any]) -> Claims:
    """Check the student's `FeedForward`."""
    call = "FeedForward(2, 2)(x)"
    yield "returns a vector for each position"
    layer = ask("FeedForward(2, 2)", layer_class, 2, 2)
    with torch.no_grad():
        for linear, factor, bias in ((layer.up, -2, 0.0), (layer.down, 2, 10.0)):
            linear.weight.copy_(torch.eye(2) * factor)
            linear.bias.fill_(bias)
    found = _called(call, layer, (1, 2, 2), torch.tensor([[[1.0, -1], [0, 3]]]))

    yield "has a ReLU between its layers, and none after them"
    right = torch.tensor([10.0, 14])
    expect(
        near(found[0, 0], right, NEAR),
        f"If the first layer multiplies by -2, and the second doubles and adds 10, [1, -1] becomes "
        f"[-2, 2], [0, 2] after the ReLU, and then {shown(right)}; yours is {shown(found[0, 0])}.",
    )
    with torch.no_grad():
        layer.down.bias.fill_(-10.0)
    found = _called(call, layer, (1, 1, 2), torch.tensor([[[1.0, -1]]]))
    expect(bool((found < 0).all()), "The result of the second layer may be negative.")

    yield "passes gradients to both layers"
    _expect_gradients(layer, torch.tensor([[[1.0, -1]]]))


@public_check("Block")
def block(block_class: Callable[..., Any]) -> Claims:
    """Check the student's `Block`."""
    call, sizes = "Block(8, 2, 12)(x, mask)", (8, 2, 12)
    yield "passes its input on when both branches give nothing"
    built = _with_weights(ask("Block(8, 2, 12)", block_class, *sizes))
    x = _drawn(2, 5, 8, seed=5)
    mask = torch.ones(5, 5, dtype=torch.bool).tril()
    silent = _with_weights(ask("Block(8, 2, 12)", block_class, *sizes))
    with torch.no_grad():
        for linear in (silent.attention.output, silent.feed_forward.down):
            linear.weight.zero_()
            linear.bias.zero_()
    expect(
        near(_called(call, silent, (2, 5, 8), x, mask), x, NEAR),
        "With branches that give 0, the output should be the input: what a branch finds is added "
        "to its input, which is not normalised.",
    )

    yield "agrees with `nn.TransformerEncoderLayer` of PyTorch with the norm first"
    theirs = nn.TransformerEncoderLayer(*sizes, batch_first=True, norm_first=True).eval()
    own = dict(built.named_parameters())
    attention = [own[f"attention.{part}.weight"] for part in ("query", "key", "value")]
    biases = [own[f"attention.{part}.bias"] for part in ("query", "key", "value")]
    state = {"in_proj_weight": torch.cat(attention), "in_proj_bias": torch.cat(biases)}
    state = {f"self_attn.{name}": tensor for name, tensor in state.items()}
    for name, there in (
        ("attention.output", "self_attn.out_proj"),
        ("feed_forward.up", "linear1"),
        ("feed_forward.down", "linear2"),
        ("norm1", "norm1"),
        ("norm2", "norm2"),
    ):
        state |= {f"{there}.{part}": own[f"{name}.{part}"] for part in ("weight", "bias")}
    theirs.load_state_dict(state)
    with torch.no_grad():
        right, not_masked = theirs(x, src_mask=~mask), theirs(x)
    found = _called(call, built, (2, 5, 8), x, mask)
    expect(
        not near(found, not_masked, 1e-4),
        "The output is that of a block without a mask: pass the mask on to the attention.",
    )
    expect(
        near(found, right, 1e-4),
        "The output differs. Does each branch begin with its own norm, and the second one with "
        "what the first has returned?",
    )

    yield "passes gradients to its input and to all of its parameters"
    _expect_gradients(built, x, mask)
    slopes = []
    for function in (lambda y: built(y, mask), lambda y: theirs(y, src_mask=~mask)):
        y = x.clone().requires_grad_()
        slopes.append(torch.autograd.grad(function(y).square().sum(), y)[0])
    expect(
        near(slopes[0], slopes[1], 1e-2),
        "The output is right, but its gradient for the input is not: is something detached?",
    )

    yield "drops numbers in training, and none in evaluation"
    dropping = _with_weights(ask("Block(8, 2, 12, 0.5)", block_class, *sizes, 0.5))
    expect(
        near(_called(call, dropping, (2, 5, 8), x, mask), right, 1e-4),
        "In evaluation the output should not depend on dropout.",
    )
    dropping.train()
    first, second = (_called(call, dropping, (2, 5, 8), x, mask) for _ in range(2))
    expect(not torch.equal(first, second), "In training dropout has no effect.")
    silent = _with_weights(ask("Block(8, 2, 12, 1.0)", block_class, *sizes, 1.0)).train()
    expect(
        near(_called(call, silent, (2, 5, 8), x, mask), x, NEAR),
        "With a dropout of 1, both branches give 0 in training, and the input should pass "
        "unchanged: dropout comes at the end of each branch, before the sum.",
    )


def _itself(length: int, device: torch.device | str | None = None) -> Tensor:
    return torch.eye(length, device=device).bool()


@public_check("LanguageModel")
def language_model(model_class: Callable[..., Any]) -> Claims:
    """Check the student's `LanguageModel`."""
    call = "LanguageModel(7, 6, d=8, heads=2, layers=2, hidden=12)"
    sizes = {"d": 8, "heads": 2, "layers": 2, "hidden": 12}
    yield "returns a score for each character at each position"
    model = _with_weights(ask(call, model_class, 7, 6, **sizes))
    tokens = torch.tensor([[0, 3, 6, 1, 1, 2], [5, 5, 4, 0, 2, 6]])
    whole = _called("model(tokens)", model, (2, 6, 7), tokens)
    short = _called("model(tokens)", model, (1, 4, 7), tokens[:1, :4])

    yield "makes nothing on another device than that of the tokens"
    _works_elsewhere(ask(call, model_class, 7, 6, **sizes).to("meta"), tokens)

    yield "does not look into the future"
    _no_future("model(tokens)", model, tokens, lambda later: (later + 1) % 7)

    yield "gives a shorter text the scores of its positions"
    expect(
        near(short, whole[:1, :4], NEAR),
        "The scores of the first four characters alone should be those that they have in the whole "
        "text: are they given the positions 0 to 3?",
    )

    yield "uses the mask that it is given, and no dropout in evaluation"
    call_itself = f"{call[:-1]}, mask=...)"
    itself = ask(call_itself, model_class, 7, 6, **sizes, mask=_itself)
    found = _called("model(tokens)", _with_weights(itself), (2, 6, 7), tokens)
    expect(
        not near(found, whole, NEAR),
        "With another function for `mask`, the scores stay the same: call `self.mask`.",
    )
    dropping = ask(f"{call[:-1]}, dropout=0.5)", model_class, 7, 6, **sizes, dropout=0.5)
    found = _called("model(tokens)", _with_weights(dropping), (2, 6, 7), tokens)
    expect(near(found, whole, NEAR), "In evaluation the scores should not depend on dropout.")

    yield "drops numbers of its input in training"
    silent = ask(f"{call[:-1]}, dropout=1.0)", model_class, 7, 6, **sizes, dropout=1.0)
    found = _called("model(tokens)", _with_weights(silent).train(), (2, 6, 7), tokens)
    expect(
        near(found, found[:1, :1].expand_as(found), NEAR),
        "With a dropout of 1 nothing is left in training, so that all positions should have the "
        "same scores: dropout acts on the sum of embeddings and positions as well.",
    )

    yield "passes gradients to all of its parameters"
    _expect_gradients(model, tokens)

    yield "knows the order of what it has seen"
    swapped = tokens.clone()
    swapped[:, :2] = tokens[:, :2].flip(1)
    before, after = (_called("model(tokens)", model, (2, 6, 7), t) for t in (tokens, swapped))
    expect(
        not near(before[0, 2:], after[0, 2:], NEAR),
        "When the first two characters change places, the scores after them stay the same: are the "
        "positions added before the first block?",
    )

    yield "adds embeddings and positions, and passes them through blocks, norm and output"
    scores = _called("model(tokens)", model, (2, 6, 7), tokens)
    mask = torch.ones(6, 6, dtype=torch.bool).tril()
    with torch.no_grad():
        vectors = model.embedding(tokens) + model.positions[:6]
        after_blocks = vectors
        for each in model.blocks:
            after_blocks = each(after_blocks, mask)
        right = model.output(model.norm(after_blocks))
        not_normed = model.output(after_blocks)
    expect(
        not near(scores, not_normed, NEAR),
        "The norm after the last block is missing.",
    )
    expect(
        near(scores, right, NEAR),
        "The scores are not those of your layers in this order: embeddings plus positions, all "
        "blocks with the mask, the norm, and the output layer, with nothing after it.",
    )


# ------------------------------------------------------------------------------------------------
# Counting


@public_check("matrix_products")
def matrix_products(function: Callable[..., Any]) -> Claims:
    """Check the student's ``matrix_products(layers, heads)``."""
    yield "has a whole number for each of the six places"
    found = _whole_numbers(ask("matrix_products(1, 1)", function, 1, 1))

    yield "counts those of one layer with one head"
    total = sum(found.values())
    expect(
        total == 9,
        "One layer with one head has 8 products, and the last layer of the model adds one: 9 in "
        f"all; you count {total}.",
    )

    yield "multiplies by the heads where each head has a product of its own"
    more = _whole_numbers(ask("matrix_products(1, 3)", function, 1, 3))
    changed = {place for place in found if more[place] != found[place]}
    expect(
        len(changed) == 2 and all(more[place] == 3 * found[place] for place in changed),
        "With three heads in place of one, two of the six numbers should triple; yours change in "
        f"{', '.join(sorted(changed)) or 'none'}.",
    )

    yield "multiplies by the layers, except for the last product"
    more = _whole_numbers(ask("matrix_products(4, 1)", function, 4, 1))
    expect(
        sum(more.values()) == 4 * 8 + 1,
        f"Four layers with one head have 33 products in all; you count {sum(more.values())}.",
    )


@public_check("multiplications")
def multiplications(function: Callable[..., Any]) -> Claims:
    """Check the student's ``multiplications(length, d=..., ...)``."""
    sizes = {"d": 4, "heads": 2, "layers": 1, "hidden": 6, "vocabulary": 5}
    call = "multiplications(3, d=4, heads=2, layers=1, hidden=6, vocabulary=5)"

    def asked(length: int, **changes: int) -> dict[str, int]:
        return _whole_numbers(ask(call, function, length, **sizes | changes))

    yield "counts those of a small model"
    found = asked(3)
    for place, right, why in (
        ("query, key, value", 144, "three products of (3, 4) and (4, 4)"),
        ("scores", 36, "two products of (3, 2) and (2, 3)"),
        ("next token", 60, "one product of (3, 4) and (4, 5)"),
    ):
        expect(
            found[place] == right,
            f"`{place}` takes {why}: {right} multiplications; yours are {found[place]}.",
        )
    total = sum(found.values())
    expect(total == 468, f"In all there are 468 multiplications; you count {total}.")

    yield "grows with the square of the length where each query meets each key"
    twice = asked(6)
    for place in found:
        factor = 4 if place in ("scores", "weighted values") else 2
        expect(
            twice[place] == factor * found[place],
            f"Twice the length means {factor} times the work for `{place}`; yours is "
            f"{twice[place] / found[place]:g} times.",
        )

    yield "grows with the number of layers, except for the last product"
    three = asked(3, layers=3)
    for place in found:
        factor = 1 if place == "next token" else 3
        expect(
            three[place] == factor * found[place],
            f"Three layers instead of one mean {factor} times the work for `{place}`; yours is "
            f"{three[place] / found[place]:g} times.",
        )

    yield "does not depend on the number of heads"
    expect(sum(asked(3, heads=4).values()) == 468, "With four heads instead of two it changes.")


PLACES = (
    "query, key, value",
    "scores",
    "weighted values",
    "output projection",
    "feed-forward",
    "next token",
)


def _whole_numbers(values: Any) -> dict[str, int]:
    expect_keys(values, PLACES, "no number")
    for place, value in values.items():
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else 0.0
        expect(
            number > 0 and number.is_integer(),
            f"`{place}` should be a whole number above 0; yours is {value!r}.",
        )
    return {place: int(value) for place, value in values.items()}


# ------------------------------------------------------------------------------------------------
# A model of a language


@public_check("ngram_bits")
def ngram_bits(function: Callable[..., Any]) -> Claims:
    """Check the student's ``ngram_bits(training, test, n, smoothing)``."""

    def asked(*args: Any) -> float:
        call = f"ngram_bits({', '.join(map(repr, args))})"
        return as_number(f"`{call}`", ask(call, function, *args))

    yield "finds the loss of unigrams"
    found, right = asked("aab", "b", 1, 1.0), math.log2(5 / 2)
    expect(
        math.isclose(found, right, rel_tol=1e-9),
        "In aab there is one b among three letters. With 1 added to each of the two letters its "
        f"probability is 2/5, which is {right:.4f} bits; you found {found:.4f}.",
    )

    yield "finds the loss of bigrams"
    found, right = asked("baba", "bab", 2, 1.0), (math.log2(4 / 3) + math.log2(3 / 2)) / 2
    expect(
        math.isclose(found, right, rel_tol=1e-9),
        "In baba, a follows b twice, and b follows a once. With 1 added, their probabilities are "
        f"3/4 and 2/3, and the mean over the two bigrams of bab is {right:.4f} bits; you found "
        f"{found:.4f}.",
    )

    yield "knows the characters of both texts, and those that it has never seen"
    found, right = asked("aa", "z", 1, 1.0), 2.0
    expect(
        math.isclose(found, right, rel_tol=1e-9),
        f"The alphabet is a and z. The probability of z is (0 + 1) / (2 + 2): 2 bits; you found "
        f"{found:.4f}.",
    )

    yield "counts n-grams that overlap"
    found, right = asked("aaab", "aa", 2, 1.0), math.log2(5 / 3)
    expect(
        math.isclose(found, right, rel_tol=1e-9),
        "In aaab, a follows a twice and b once. With 1 added, the probability of a is 3/5, which "
        f"is {right:.4f} bits; you found {found:.4f}.",
    )

    yield "predicts after a context that the training text does not have"
    found, right = asked("ab", "cab", 2, 1.0), (math.log2(3) + 1) / 2
    expect(
        math.isclose(found, right, rel_tol=1e-9),
        "In ab, nothing follows c, so that each of the three characters has the probability 1/3; "
        f"b follows a with 2/4. The mean over cab is {right:.4f} bits; you found {found:.4f}.",
    )


@public_check("bits_per_character")
def bits_per_character(function: Callable[..., Any]) -> Claims:
    """Check the student's ``bits_per_character(scores, targets)``."""
    call = "bits_per_character(scores, targets)"
    yield "is 2 bits for four characters with equal scores"
    found = as_number(
        f"`{call}`", ask(call, function, torch.zeros(2, 3, 4), torch.ones(2, 3, dtype=torch.int64))
    )
    expect(
        math.isclose(found, 2, rel_tol=1e-5),
        f"Each of the four characters has the probability 1/4, which is 2 bits; you found "
        f"{found:.4f}. (In nats it would be 1.3863.)",
    )

    yield "looks at the right character"
    scores = torch.tensor([0.5, 0.25, 0.25]).log().view(1, 1, 3)
    for target, right in ((0, 1.0), (2, 2.0)):
        found = as_number(f"`{call}`", ask(call, function, scores, torch.tensor([[target]])))
        expect(
            math.isclose(found, right, rel_tol=1e-5),
            f"A character with the probability {2**-right:g} costs {right:g} bit"
            f"{'' if right == 1 else 's'}; you found {found:.4f}.",
        )

    yield "averages over all positions"
    scores = torch.tensor([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]).log().view(1, 3, 2)
    found = as_number(f"`{call}`", ask(call, function, scores, torch.tensor([[0, 0, 1]])))
    expect(
        math.isclose(found, 4 / 3, rel_tol=1e-5),
        "Three characters cost 1, 2 and 1 bits, which is four thirds on average; you found "
        f"{found:.4f}.",
    )


@public_check("only_itself")
def only_itself(function: Callable[..., Any]) -> Claims:
    """Check the student's ``only_itself(length, device)``."""
    yield "returns a boolean tensor that is true on the diagonal alone"
    mask = ask("only_itself(3)", function, 3)
    expect(isinstance(mask, Tensor), f"It should be a tensor; yours is {kind(mask)}.")
    expect(tuple(mask.shape) == (3, 3), f"It should be (3, 3); yours is {tuple(mask.shape)}.")
    expect(mask.dtype == torch.bool, f"It should be boolean; yours is {mask.dtype}.")
    rows = [[i == j for j in range(3)] for i in range(3)]
    expect(mask.tolist() == rows, f"It should be {rows}; yours is {mask.tolist()}.")

    yield "is made on the device that is asked for"
    elsewhere = ask('only_itself(3, device="meta")', function, 3, device="meta")
    expect(elsewhere.device.type == "meta", f"It is on {elsewhere.device}.")


@public_check("next_probabilities")
def next_probabilities(function: Callable[..., Any]) -> Claims:
    """Check the student's ``next_probabilities(scores, temperature)``."""
    scores = torch.tensor([[0.0, math.log(3)], [math.log(2), 0.0]])

    def asked(temperature: float) -> Tensor:
        call = f"next_probabilities(scores, {temperature:g})"
        return as_tensor(f"`{call}`", ask(call, function, scores, temperature), (2, 2))

    yield "returns probabilities: at temperature 1, the softmax of the scores"
    right = torch.tensor([[1 / 4, 3 / 4], [2 / 3, 1 / 3]])
    expect(near(asked(1.0), right, NEAR), f"It should be {shown(right)}.")

    yield "sharpens below 1 and flattens above"
    right = torch.tensor([1 / 10, 9 / 10])
    expect(
        near(asked(0.5)[0], right, NEAR),
        f"At temperature 0.5, the scores 0 and log 3 become 0 and log 9, and the probabilities "
        f"{shown(right)}; yours are {shown(asked(0.5)[0])}.",
    )
    expect(bool(asked(4.0)[0, 0] > asked(1.0)[0, 0]), "Above 1 they should be more alike.")


@public_check("losses")
def losses(values: Any, keys: Collection[int], untouched: float) -> Claims:
    """Check the form of a dictionary of losses, and that of most bits.

    Parameters
    ----------
    values
        The student's dictionary, from the number of bits to the loss.
    keys
        The keys that it should have, with the most bits first.
    untouched
        The loss of the model in floats.
    """
    yield f"has a loss for each of {', '.join(map(str, keys))} bits"
    expect_keys(values, keys, "no loss")
    assert isinstance(values, Mapping)
    found = {key: as_number(f"The loss for {key} bits", values[key]) for key in keys}

    yield "is close to that of the model in floats with the most bits"
    most = max(found)
    if abs(found[most] - untouched) > 0.1:
        raise Wrong(
            f"{most} bits hardly change the model, whose loss is {untouched:.3f}; yours is "
            f"{found[most]:.3f}. Do you begin with the trained model each time?"
        )
