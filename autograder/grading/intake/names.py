"""Make the names of students and of their files safe for nbgrader, its pages and a terminal."""

from __future__ import annotations

import hashlib
import unicodedata

MAX_NAME_BYTES = 200
"""Longest name of a student. A file's name may take 255 bytes; the rest is left for suffixes."""

_MARKS = frozenset(" _-.,@'()+")
"""Characters allowed besides letters and digits.

Some others would do harm: ``* ? [ ]`` are patterns for nbgrader's globbing; ``< > & " \\`` and the
backtick have a meaning in the formgrader's pages, which insert a student's name into HTML and
JavaScript without escaping it; ``% # ? /`` end or change the addresses that the formgrader builds
from a name. The rest are not needed in names.
"""


def safe_name(name: str) -> str:
    """Return `name` if nbgrader can use it as a student's name, and a safe spelling of it if not.

    Letters and digits of any script are safe, and so are spaces inside the name and the characters
    ``_ - . , @ ' ( ) +``. Any other character becomes ``_``, and a digest of `name` is added, so
    that the same name always has the same spelling, and different names have different ones.

    Parameters
    ----------
    name
        The name as the file system or an archive gives it, which may hold surrogates in place of
        bytes that are not UTF-8.

    Returns
    -------
    str
        A safe name stays as it is: ``safe_name(safe_name(name)) == safe_name(name)``.

    Examples
    --------
    >>> safe_name("Zoë O'Brien")
    "Zoë O'Brien"
    >>> safe_name("[TA] Jane")
    'TA_ Jane-5245f69a'
    """
    if _is_safe(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    spelled = "".join(c if _is_safe_character(c) else "_" for c in name)
    shortened = spelled.encode()[: MAX_NAME_BYTES - 1 - len(digest)].decode(errors="ignore")
    return f"{shortened.strip(' ._-') or 'student'}-{digest}"


def _is_safe(name: str) -> bool:
    return (
        all(map(_is_safe_character, name))
        and 0 < len(name.encode()) <= MAX_NAME_BYTES
        # nbgrader strips spaces and ignores hidden folders; commands take "-x" for an option.
        and not name.startswith((" ", ".", "-"))
        and not name.endswith(" ")
    )


def _is_safe_character(character: str) -> bool:
    # Marks (M) are the accents of decomposed letters and the vowels of many scripts.
    return character.isalnum() or character in _MARKS or unicodedata.category(character)[0] == "M"


_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of control and format characters (which move a terminal's cursor or turn
the direction of text), surrogates, private and unassigned characters, and line separators."""


def printable(text: str) -> str:
    """Return `text` with U+FFFD in place of the characters that a terminal or page must not get.

    Parameters
    ----------
    text
        Any text, such as a file's name, or an error message that quotes one.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _UNPRINTABLE else c for c in text
    )


def no_formula(text: str) -> str:
    """Return `text` so that a spreadsheet does not run a name in a table as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
