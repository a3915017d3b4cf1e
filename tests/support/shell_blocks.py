"""The commands that the documents show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCUMENTS", "PROJECT", "Block", "blocks", "commands", "mentions", "read"]

PROJECT = Path(__file__).parents[2]
DOCUMENTS = (
    "README.md",
    "SECURITY.md",
    *sorted(f"docs/{p.name}" for p in PROJECT.glob("docs/*.md")),
)
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^>]+?) -->\n)?```(?:sh|console|bash)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of commands.

    Attributes
    ----------
    document
        Path of the document in the project.
    text
        The lines of the block.
    reason
        Why the tests do not run it; empty if they do.
    """

    document: str
    text: str
    reason: str = ""


def read(document: str) -> str:
    """Return the text of a document."""
    return (PROJECT / document).read_text(encoding="utf-8")


def blocks(document: str) -> list[Block]:
    """Return the blocks of commands of a document, in order."""
    found = BLOCK.finditer(read(document))
    return [Block(document, m["text"], m["reason"] or "") for m in found]


def commands(block: Block) -> Iterator[str]:
    """Yield the commands of a block, without comments."""
    for line in block.text.replace("\\\n", " ").splitlines():
        if command := re.sub(r"\s+#.*|^#.*", "", line).strip():
            yield command


def mentions(document: str) -> list[str]:
    """Return the commands `autograder ...` and `make ...` that the prose of a document mentions."""
    prose = FENCED.sub("", read(document))
    return re.findall(r"`((?:autograder|make) [^`]+)`", prose)
