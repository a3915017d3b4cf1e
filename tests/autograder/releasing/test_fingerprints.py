"""Lines that give a secret away are found, with their numbers."""

import pytest

from autograder.releasing.fingerprints import (
    CODE_WORDS,
    PROSE_WORDS,
    Fingerprints,
    Kind,
    Origin,
    Secret,
    code_secrets,
    prose_secret,
)

ORIGIN = Origin("solution", "question")
FORMULA = "scale = (high - low) / (2**bits - 1)"


def secret(*lines: str, kind: Kind = Kind.CODE) -> Secret:
    return Secret(kind, ORIGIN, lines)


def found(secrets: list[Secret], text: str, public: str = "") -> list[int]:
    return [line for line, _ in Fingerprints(secrets, public).find(text)]


def test_telling_line_is_found_with_its_number() -> None:
    assert found([secret(FORMULA)], f"import math\n\n{FORMULA}\n") == [3]


@pytest.mark.parametrize(
    "text",
    [
        "scale=(high-low)/(2 ** bits-1)",
        "scale = (\n    high - low\n) / (2**bits - 1)",
        "scale = (high - low) / (2**bits - 1)  # one step",
        "# scale = (high - low) / (2**bits - 1)",
        "Write `scale = (high - low) / (2**bits - 1)` here.",
    ],
)
def test_form_does_not_matter(text: str) -> None:
    assert found([secret(FORMULA)], text) == [1]


def test_kind_of_quotation_marks_does_not_matter() -> None:
    assert found([secret('a["b"] = c["d"] + e')], "a['b'] = c['d'] + e") == [1]


@pytest.mark.parametrize("text", ["the_scale = (high - low) / (2**bits - 1)", "scale = high - low"])
def test_other_code_is_not_found(text: str) -> None:
    assert found([secret(FORMULA)], text) == []


def test_short_line_alone_is_not_telling() -> None:
    short = "return codes, scale, minimum"
    assert len(short.split()) - 1 < CODE_WORDS
    assert found([secret(short)], short) == []


def test_short_lines_are_telling_together() -> None:
    run = ("kept = w != 0", "result = zeros(w)", "return result")
    assert found([secret(*run)], "\n".join(run)) == [1]
    assert found([secret(*run)], "\n\n".join(run)) == [1]
    assert found([secret(*run)], "\n".join(run[1:])) == []


def test_prose_needs_more_words_and_ignores_signs_and_capitals() -> None:
    sentence = "Only the exponent of every weight becomes smaller by one."
    written = prose_secret([f"First. {sentence}"], ORIGIN)
    assert found([written], sentence.upper().replace(".", "!")) == [1]
    short = " ".join(sentence.split()[: PROSE_WORDS - 1])
    assert found([prose_secret([short], ORIGIN)], short) == []


def test_what_every_student_sees_is_no_secret() -> None:
    assert found([secret(FORMULA)], FORMULA, public=f"The step is\n{FORMULA}") == []


SOURCE = '''\
import numpy as np
from torch import nn


class Layer(nn.Linear):
    """Weights that are rounded to a grid of equal steps before use."""

    def __init__(self, *args: int, bits: int) -> None:
        super().__init__(*args, **kwargs)
        self.bits = bits

    @property
    def grid(
        self, scale: float, minimum: float, offset: float
    ) -> float:
        # the codes of the grid, in the order of their size, as floats
        return np.arange(2**self.bits, dtype=np.float32) * scale  # ascending
'''


def secrets_of(numbers: range) -> dict[Kind, list[tuple[str, ...]]]:
    found: dict[Kind, list[tuple[str, ...]]] = {kind: [] for kind in Kind}
    for one in code_secrets(SOURCE, numbers, ORIGIN):
        found[one.kind].append(tuple(line.strip(" #") for line in one.lines))
    return found


def test_imports_signatures_and_super_are_no_secrets() -> None:
    assert secrets_of(range(1, 18))[Kind.CODE] == [
        ("self.bits = bits",),
        ("return np.arange(2**self.bits, dtype=np.float32) * scale",),
    ]


def test_docstrings_and_comments_are_prose() -> None:
    assert secrets_of(range(1, 18))[Kind.PROSE] == [
        ('"""Weights that are rounded to a grid of equal steps before use."""',),
        ("the codes of the grid, in the order of their size, as floats",),
        ("ascending",),
    ]


def test_only_the_requested_lines_are_secret() -> None:
    assert secrets_of(range(10, 11))[Kind.CODE] == [("self.bits = bits",)]


def test_text_that_is_not_python_is_compared_line_by_line() -> None:
    [found] = code_secrets("%pip install x\nscale = 1", [2], ORIGIN)
    assert found.lines == ("scale = 1",)
