"""Names that students and their files come with, safe for nbgrader, its pages and a terminal."""

from __future__ import annotations

import hashlib
import unicodedata

MAX_NAME_BYTES = 200
"""Of a student's name. A file's name may take 255 bytes; the rest is for what is named after it."""

_MARKS = frozenset(" _-.,@'()+")
"""Allowed beside letters and digits. What is missing, and where it does harm: ``* ? [ ]`` are
patterns to nbgrader's globbing; ``< > & " \\`` and the backtick act in the formgrader's pages,
which put a student's name into HTML and JavaScript as it is; ``% # ? /`` end or change the
addresses that it makes of a name. The others are not needed for names."""


def safe_name(name: str) -> str:
    """Return `name` if nbgrader can bear it as a student's, and a safe spelling of it if not.

    Letters and digits of any script are safe, and so are spaces inside and the marks
    ``_ - . , @ ' ( ) +``. Any other character becomes ``_``, and a digest of `name` is added: the
    same name is always spelled the same, and two names are not spelled alike.

    Parameters
    ----------
    name : str
        As the file system or an archive gave it; what is not UTF-8 may stand in it as surrogates.

    Returns
    -------
    str
        A safe name is its own: ``safe_name(safe_name(name)) == safe_name(name)``.

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
        # nbgrader strips spaces and overlooks hidden folders; commands take "-x" for an option.
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
    """Return `text` with U+FFFD in the place of what a terminal or a page must not get.

    Parameters
    ----------
    text : str
        Such as a file's name, or an error's message that quotes one.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _UNPRINTABLE else c for c in text
    )
