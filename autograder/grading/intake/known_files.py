"""What a file in a hand-in is, by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable

Parts = tuple[str, ...]
"""The path of a file: folders and name."""

_TOOLS = frozenset(
    {
        "__macosx",
        ".ds_store",
        ".localized",
        ".spotlight-v100",
        ".trashes",
        "icon\r",
        "desktop.ini",
        "thumbs.db",
        "ehthumbs.db",
        "$recycle.bin",
        ".ipynb_checkpoints",
        "__pycache__",
        ".git",
        ".idea",
        ".vscode",
        ".virtual_documents",
    }
)
"""What macOS, Windows, Jupyter, Python, git and editors leave in folders, in lower case."""

_NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)
"""How the name of a notebook ends. Browsers add ``.txt`` or ``.json`` when they save one."""

_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.(?:gz|bz2|xz|zst)|tbz2?|txz|gz|rar|7z)$", re.IGNORECASE)
"""How the name of an archive ends, whether or not it can be opened."""


def is_made_by_a_tool(parts: Iterable[str]) -> bool:
    """Whether a file, or a folder around it, was made by a tool and not by a person."""
    return any(name.lower() in _TOOLS or name.startswith("._") for name in parts)


def is_notebook(name: str) -> bool:
    """Whether a file of this name is a notebook."""
    return _ended(name, _NOTEBOOK) is not None


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive."""
    return _ended(name, _ARCHIVE) is not None


def stem(name: str) -> str:
    """Return a name without the ending of a notebook or an archive."""
    match = _ended(name, _NOTEBOOK) or _ended(name, _ARCHIVE)
    return name[: match.start()] if match else name


def kind(parts: Parts) -> str:
    """Return what a file is, in a word, such as "notebook" or "pdf"."""
    if is_notebook(parts[-1]):
        return "notebook"
    match = _ended(parts[-1], _ARCHIVE)
    ending = match[1] if match else parts[-1].rpartition(".")[2]
    return ending.lower() if match or "." in parts[-1][1:] else "folder or file"


def _ended(name: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    return pattern.search(name, 1)
