"""The figures of `transformer`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from helpers.plots import BLUE, LINES, STYLE
from helpers.plots.style import legend_beside, panels
from helpers.training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "STYLE",
    "attention_maps",
    "generation",
    "loss_over_bits",
    "losses_in_bits",
    "positions",
    "sight",
    "work_over_length",
]

Multiplications = Callable[..., Mapping[str, int]]
OF_HEADS = ("scores", "weighted values")
"""The products whose work grows with the square of the length."""


def positions(vectors: Tensor) -> Figure:
    """Draw the vectors of all positions, and the product of the first one with each of them.

    Parameters
    ----------
    vectors
        (T, d).
    """
    p = vectors.detach().cpu()
    with panels(2, (4.8, 3.8)) as (figure, (table, products)):
        image = table.imshow(p, aspect="auto", cmap="RdBu", vmin=-1, vmax=1)
        table.grid(visible=False)
        table.set(title="Vectors of the positions", xlabel="column", ylabel="position t")
        figure.colorbar(image, ax=table)
        products.plot((p @ p[0]).tolist(), color=BLUE)
        products.set(title="Product with position 0", xlabel="position t", ylabel="product")
    return figure


def sight(changes: Tensor, gradients: Tensor, text: str) -> Figure:
    """Draw on which characters the scores of a language model depend; a field of 0 stays empty.

    Parameters
    ----------
    changes
        (T, T): by how much the scores at a position (row) change if a character (column) does.
    gradients
        (T, T): the size of the gradient of the scores with respect to the character's vector.
    text
        The T characters.
    """
    from matplotlib.colors import LogNorm

    titles = ("Change of the scores", "Gradient of the scores")
    with panels(2, (4.8, 4.3)) as (figure, both):
        for axes, values, title in zip(both, (changes, gradients), titles, strict=True):
            shown = np.ma.masked_equal(np.asarray(values.tolist()), 0)
            image = axes.imshow(shown, cmap="viridis", norm=LogNorm())
            _label_characters(axes, text, fontsize=9)
            axes.set(title=title, xlabel="character s", ylabel="scores at position t")
            figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def work_over_length(
    multiplications: Multiplications, *, dropout: float = 0.0, **sizes: int
) -> Figure:
    """Draw the multiplications of linear layers and of heads over the length of the text.

    Parameters
    ----------
    multiplications
        ``multiplications(length, **sizes)`` returns the numbers by the names of the products.
    dropout
        Not used, so that all sizes of a model can be passed.
    **sizes
        Sizes of the model.
    """
    lengths = [2**k for k in range(3, 13)]
    counts = [multiplications(length, **sizes) for length in lengths]
    heads = [sum(count[name] for name in OF_HEADS) for count in counts]
    linear = [sum(count.values()) - of_heads for count, of_heads in zip(counts, heads, strict=True)]
    with panels(1, (5.6, 3.8)) as (figure, (axes,)):
        axes.plot(lengths, linear, label="linear layers", **LINES[0])
        axes.plot(lengths, heads, label="scores and weighted values", **LINES[1])
        _double_logarithmic(axes, lengths)
        axes.set(title="Work of one inference", ylabel="multiplications")
        axes.legend()
    return figure


def losses_in_bits(
    histories: Mapping[str, History], losses: Mapping[str, float], ngrams: Mapping[str, float]
) -> Figure:
    """Draw the losses of models beside those of n-grams, in bits per character.

    Parameters
    ----------
    histories
        The histories of the models, by their names.
    losses
        Their losses on the test text.
    ngrams
        The losses of n-gram models on the test text, by their names.
    """
    with panels(2, (5.0, 3.9)) as (figure, (curves, bars)):
        for look, (name, history) in zip(LINES, histories.items(), strict=False):
            nats = np.array(history.train_loss)
            curves.plot(range(1, len(nats) + 1), nats / math.log(2), label=name, **look)
        _lines_of_ngrams(curves, ngrams)
        curves.set(title="Training", xlabel="epoch", ylabel="training loss (bits per character)")
        curves.locator_params(axis="x", integer=True)
        curves.set_ylim(top=1.4 * max(ngrams.values()))  # room for the legend
        curves.legend()
        everything = dict(ngrams) | dict(losses)
        colors = ["0.6"] * len(ngrams) + [LINES[i]["color"] for i in range(len(losses))]
        drawn = bars.barh(list(everything), list(everything.values()), color=colors)
        bars.bar_label(drawn, fmt="%.2f", padding=3)
        bars.invert_yaxis()
        bars.margins(x=0.15)
        bars.grid(visible=False, axis="y")
        bars.set(title="Test text", xlabel="loss (bits per character)")
    return figure


def attention_maps(layers: Sequence[Tensor], text: str) -> Figure:
    """Draw the attention weights of several layers, a row for each and a map for each head.

    Parameters
    ----------
    layers
        Weights (heads, T, T) of each layer.
    text
        The T characters.
    """
    from matplotlib.colors import PowerNorm

    heads = len(layers[0])
    with panels(len(layers) * heads, (2.6, 2.8), per_row=heads) as (figure, grid):
        for index, axes in enumerate(grid):
            row, head = divmod(index, heads)
            weights = np.asarray(layers[row][head].tolist())
            # Weights of a few per cent should not look like 0.
            image = axes.imshow(weights, cmap="viridis", norm=PowerNorm(0.5, vmin=0, vmax=1))
            _label_characters(axes, text, fontsize=7)
            where = "first" if row == 0 else "last"
            axes.set_title(f"{where} layer, head {head}", fontsize=11)
            if head == 0:
                axes.set_ylabel("query")
            if row == len(layers) - 1:
                axes.set_xlabel("key")
        bar = figure.colorbar(image, ax=grid, shrink=0.7, aspect=30, ticks=[0, 0.05, 0.25, 0.5, 1])
        bar.set_label("attention weight")
    return figure


def generation(
    lengths: Sequence[int],
    times: Mapping[str, Sequence[float]],
    multiplications: Multiplications,
    **sizes: int,
) -> Figure:
    """Draw the work and the time of writing texts, without a cache and with one.

    Parameters
    ----------
    lengths
        Numbers of characters.
    times
        Two lists of seconds, without a cache and with one, by their labels.
    multiplications, **sizes
        As for `work_over_length`.
    """

    def anew(length: int) -> int:
        return sum(sum(multiplications(t, **sizes).values()) for t in range(1, length + 1))

    def cached(length: int) -> int:
        one = sum(multiplications(1, **sizes).values())
        heads = sum(multiplications(1, **sizes)[name] for name in OF_HEADS)
        # The heads of step t attend to t keys.
        return length * (one - heads) + heads * length * (length + 1) // 2

    with panels(2, (4.8, 3.8)) as (figure, (work, seconds)):
        for look, label, count in zip(LINES, times, (anew, cached), strict=False):
            work.plot(lengths, [count(length) for length in lengths], label=label, **look)
            seconds.plot(lengths, times[label], label=label, **look)
        work.set(title="Work", ylabel="multiplications")
        seconds.set(title="Time", ylabel="seconds")
        for axes in (work, seconds):
            _double_logarithmic(axes, lengths)
            axes.legend()
    return figure


def loss_over_bits(
    losses: Mapping[int, float], float_loss: float, ngrams: Mapping[str, float]
) -> Figure:
    """Draw the loss of a quantized model over the bits per weight.

    Parameters
    ----------
    losses
        Bits per character, by the number of bits per weight.
    float_loss
        That of the model in floats.
    ngrams
        Those of n-gram models, by their names.
    """
    bits = sorted(losses)
    with panels(1, (5.8, 3.8)) as (figure, (axes,)):
        axes.plot(bits, [losses[b] for b in bits], label="rounded", **LINES[0])
        axes.axhline(float_loss, color="0.25", linewidth=1.2, label="float32")
        _lines_of_ngrams(axes, ngrams)
        axes.set(
            title="Loss on the test text", xlabel="bits per weight", ylabel="bits per character"
        )
        legend_beside(axes)
    return figure


def _lines_of_ngrams(axes: Axes, ngrams: Mapping[str, float]) -> None:
    for (name, bits), style in zip(ngrams.items(), (":", "--", "-."), strict=False):
        axes.axhline(bits, color="0.45", linestyle=style, linewidth=1.5, label=name)


def _label_characters(axes: Axes, text: str, fontsize: int) -> None:
    """Write the characters of a text at both axes of a map, with signs for the invisible ones."""
    signs = {" ": "·", "\n": "↵"}
    places, letters = range(len(text)), [signs.get(letter, letter) for letter in text]
    axes.set_xticks(places, letters, fontsize=fontsize)
    axes.set_yticks(places, letters, fontsize=fontsize)
    axes.tick_params(length=0)
    axes.grid(visible=False)


def _double_logarithmic(axes: Axes, lengths: Sequence[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("characters")
    axes.set_xticks(lengths, [str(length) for length in lengths], fontsize=8)
