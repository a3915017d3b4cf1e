"""Texts as data sets: a network reads windows of characters and predicts what follows each of them.

Two texts are known. `alice` comes with the course: Lewis Carroll, "Alice's Adventures in
Wonderland", 1865, which is in the public domain. The file holds the author's text alone, with plain
quotation marks and dashes, and with one line per paragraph or verse. `tinyshakespeare` is a
selection from the plays of William Shakespeare (1564-1616), compiled for experiments with recurrent
networks. It is stored as ``tinyshakespeare.txt`` in the data folder (see `helpers.data_folder`). If
it is missing, it is downloaded from the folder that COURSE_MIRROR names (a URL), or else from its
home.

References
----------
Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks", 2015;
https://github.com/karpathy/char-rnn.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor

from helpers.data_folder import DataMissing, downloaded
from helpers.dataset import Dataset, Split

__all__ = ["TextDataset", "load_alice", "load_tinyshakespeare", "text_dataset"]

ALICE = Path(__file__).with_name("texts") / "alice.txt"
SHAKESPEARE = "tinyshakespeare.txt"
HOME = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
MD5 = "6fb458f1232090904fb40fe944165e91"
"""Checksum of tiny Shakespeare."""
TEST_SHARE = 0.1
"""The share of a text, at its end, that is kept for the test."""


@dataclass(frozen=True)
class TextDataset(Dataset):
    """A text, cut into windows of characters; the target of a character is the one after it.

    The inputs and the targets of both splits are (N, T), int64: the numbers of the characters in
    the alphabet. The windows of a split follow one another without a gap. In training, the windows
    of each epoch are shifted along the text at random by up to T - 1 characters, so that characters
    are not always seen from the same places in a window.

    Attributes
    ----------
    alphabet
        The characters of the text, each once, in the order of their code points.
    text
        All characters of the training text, as numbers, int64.
    """

    alphabet: str
    text: Tensor

    numbers_per_example: ClassVar[int] = 2
    unit: ClassVar[str] = "characters"

    @property
    def length(self) -> int:
        """The number of characters T in a window."""
        return self.train.inputs.shape[1]

    def to(self, device: torch.device | str) -> Self:
        """Return the same data set on another device."""
        return replace(super().to(device), text=self.text.to(device))

    def encode(self, text: str) -> Tensor:
        """Return the numbers of the characters of `text`, (N,), int64, on the CPU.

        Raises
        ------
        ValueError
            If a character is not in the alphabet.
        """
        return _encoded(text, self.alphabet)

    def decode(self, numbers: Tensor) -> str:
        """Return the text whose characters have these numbers, (N,)."""
        return "".join(self.alphabet[number] for number in numbers.tolist())

    def draw_epoch(self, batch_size: int, generator: torch.Generator) -> Tensor:
        """Draw all random numbers for one epoch of training; see `Dataset.draw_epoch`.

        The two numbers of a window are its index, and how far it is shifted.
        """
        plan = super().draw_epoch(batch_size, generator)
        shape = plan[:, 1].shape
        plan[:, 1] = torch.randint(self.length, shape, generator=generator)
        return plan

    def planned_batch(self, row: Tensor) -> tuple[Tensor, Tensor]:
        """Return the shifted windows and their targets; see `Dataset.planned_batch`."""
        index, shift = row
        within = torch.arange(self.length + 1, device=row.device)
        windows = self.text[(index * self.length + shift)[:, None] + within]
        return windows[:, :-1], windows[:, 1:]


def load_alice() -> TextDataset:
    """Load "Alice's Adventures in Wonderland" in windows of 64 characters, on the CPU."""
    return text_dataset("alice", ALICE.read_text(encoding="ascii"), length=64)


def load_tinyshakespeare(md5: str = MD5) -> TextDataset:
    """Load tiny Shakespeare in windows of 128 characters, on the CPU.

    Parameters
    ----------
    md5
        Expected MD5 checksum of the file, in hexadecimal.

    Raises
    ------
    helpers.data_folder.DataMissing
        If there is no file in the data folder and the download fails, or if the file is another
        one.
    """
    path = downloaded(SHAKESPEARE, HOME, md5, called="Tiny Shakespeare is")
    content = path.read_bytes()
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise DataMissing(
            f"{path} is damaged or not tiny Shakespeare: delete it and run this again."
        )
    return text_dataset("tinyshakespeare", content.decode("ascii"), length=128)


def text_dataset(name: str, text: str, length: int) -> TextDataset:
    """Cut a text into windows of `length` characters; its last tenth is for the test.

    Parameters
    ----------
    name
        Name of the data set.
    text
        The text. Its characters are the alphabet of both splits.
    length
        Characters in a window.
    """
    alphabet = "".join(sorted(set(text)))
    numbers = _encoded(text, alphabet)
    border = len(numbers) - round(TEST_SHARE * len(numbers))
    training, test = numbers[:border], numbers[border:]
    # One window fewer than fit into the training text, because windows are shifted.
    return TextDataset(
        name=name,
        train=_windows(training, length, len(training) // length - 1),
        test=_windows(test, length, (len(test) - 1) // length),
        alphabet=alphabet,
        text=training,
    )


def _windows(numbers: Tensor, length: int, count: int) -> Split:
    end = count * length
    return Split(
        numbers[:end].view(count, length).clone(),
        numbers[1 : end + 1].view(count, length).clone(),
    )


def _encoded(text: str, alphabet: str) -> Tensor:
    numbers = {character: number for number, character in enumerate(alphabet)}
    if missing := sorted(set(text) - set(alphabet)):
        raise ValueError(f"The alphabet has no {', '.join(map(repr, missing))}.")
    return torch.tensor([numbers[character] for character in text], dtype=torch.int64)
