"""A public check that fails shows own values beside the expected ones where a picture helps."""

import base64
import math
import re
import time
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from helpers.assignments.quantization import checks as quantization
from helpers.assignments.sparse_linear import checks as sparse_linear
from helpers.assignments.transformer import checks as transformer
from helpers.checks import pictures
from helpers.checks.pictures import Picture, graph, grids

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def not_graded(monkeypatch):
    monkeypatch.delenv("COURSE_GRADING", raising=False)


def rounds_down(w, bits=8):
    low = float(w.min())
    scale = (float(w.max()) - low) / (2**bits - 1) or 1.0
    return np.floor((w - low) / scale).astype(np.uint8), scale, low


def too_many_levels(w, bits):
    if not bits:
        return w if bits is None else w * 0
    scale = (w.max() - w.min()) / 2**bits
    return ((w - w.min()) / scale).round() * scale + w.min()


def rebuilt(codes, scale, minimum):
    return (codes * np.float32(scale) + np.float32(minimum)).astype(np.float32)


def soft(w, threshold, free=0):
    return np.sign(w) * np.maximum(np.abs(w) - threshold, 0)


def reversed_mask(length, device=None):
    return torch.ones(length, length, dtype=torch.bool, device=device).triu()


def blocks_the_allowed(q, k, v, mask=None):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    weights = (scores if mask is None else scores.masked_fill(mask, -math.inf)).softmax(-1)
    return weights @ v, weights


def sines_first(length, d):
    angles = torch.arange(length)[:, None] / 10000 ** (torch.arange(d // 2) * 2 / d)
    return torch.cat([angles.sin(), angles.cos()], 1)


FAILS = {
    "quantize": lambda: quantization.quantize(rounds_down),
    "round_trip": lambda: quantization.round_trip(rounds_down, rebuilt),
    "quantize_linear": lambda: quantization.quantize_linear(too_many_levels),
    "soft_threshold": lambda: sparse_linear.soft_threshold(lambda w, t: np.where(w > t, w, 0.0)),
    "cut_small": lambda: sparse_linear.cut_small(soft),
    "trimmed_threshold": lambda: sparse_linear.trimmed_threshold(soft),
    "causal_mask": lambda: transformer.causal_mask(reversed_mask),
    "attention": lambda: transformer.attention(blocks_the_allowed),
    "sinusoidal_positions": lambda: transformer.sinusoidal_positions(sines_first),
}
checks_that_fail = pytest.mark.parametrize("check", FAILS.values(), ids=FAILS)


def drawn(html):
    """Return the root of the SVG in an ``img``."""
    (source,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    return ElementTree.fromstring(base64.b64decode(source))


@checks_that_fail
def test_a_check_that_fails_shows_both(check):
    texts = [text.text for text in drawn(check()._repr_html_()).iter(f"{SVG}text")]
    assert {"yours", "expected"} <= set(texts)


@checks_that_fail
def test_a_picture_has_a_text_that_names_values_which_differ(check):
    (text,) = re.findall(r'alt="([^"]+)"', check().picture)
    assert re.search(r"[1-9]\d* of \d+ values differ: .+ yours is \S+, expected \S+", text)


@checks_that_fail
def test_while_a_submission_is_graded_no_picture_is_drawn(check, monkeypatch):
    def refuse(self):
        raise AssertionError("It was drawn.")

    monkeypatch.setattr(Picture, "html", refuse)
    monkeypatch.setenv("COURSE_GRADING", "1")
    found = check()
    assert not found
    assert "<img" not in found._repr_html_()


@checks_that_fail
def test_it_takes_less_than_a_third_of_a_second(check):
    check()
    began = time.process_time()
    check()
    assert time.process_time() - began < 0.3


def test_nothing_is_drawn_where_a_check_passes(monkeypatch):
    monkeypatch.setattr(Picture, "html", lambda self: pytest.fail("It was drawn."))
    found = sparse_linear.soft_threshold(soft)
    assert found
    assert found.picture == ""


def test_a_staircase_has_its_first_steps():
    """With 2 bits, it goes up at -0.5, 0.5 and 1.5, and has five weights at most on each level."""
    rings = drawn(quantization.quantize(rounds_down).picture).iter(f"{SVG}circle")
    heights = [ring.get("cy") for ring in rings][1:]  # the first is that of the legend
    assert [heights.count(height) for height in dict.fromkeys(heights)] == [3, 5, 5, 3]


def test_a_picture_in_which_nothing_differs_is_left_out():
    assert graph([0, 1], [0, 1], [0, 1], ("x", "y")).html() == ""
    assert grids(torch.eye(2), torch.eye(2), ("x", "y")).html() == ""


@pytest.mark.parametrize("own", [[0, math.nan], [0], ["a", "b"], lambda: 1 / 0])
def test_values_that_cannot_be_drawn_cost_only_the_picture(own):
    assert graph([0, 1], own, [0, 1], ("x", "y")).html() == ""


def test_what_a_student_prints_while_it_is_drawn_is_not_shown(capsys):
    assert graph([0, 1], lambda: print("here") or [1, 1], [0, 1], ("x", "y")).html()
    assert capsys.readouterr().out == ""


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_text_can_be_told_from_what_is_behind_it():
    steps = torch.linspace(0, 1, 101)[None]
    behind, least = luminance(pictures.PAPER), []
    for element in drawn(grids(1 - steps, steps, ("row", "column")).html()).iter():
        colour = element.get("fill", "none")
        if element.tag == f"{SVG}rect" and colour != "none" and element.get("x"):
            behind = luminance(colour)
        elif element.tag == f"{SVG}text":
            on = behind if element.get("font-size") == "9" else luminance(pictures.PAPER)
            dark, light = sorted((luminance(colour), on))
            least.append((light + 0.05) / (dark + 0.05))
    assert len(least) > 200
    assert min(least) >= 4.5
