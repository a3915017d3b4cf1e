"""The names of files in zips, whose encoding most zips do not say.

References
----------
APPNOTE of the zip format, appendix D: a name is in UTF-8 if bit 11 of the flags says so, and in
code page 437 otherwise. In truth, macOS writes UTF-8 without the flag, Windows writes the code page
of the country (850 in Western Europe), and older tools write Windows-1252.
"""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Sequence

UTF8_FLAG = 0x800
CODE_PAGES = ("utf-8", "cp437", "cp850", "cp1252")
"""The encodings that are tried, in this order, for the names of a zip without the flag."""


def decoded(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Return the names of the members of a zip, as the person who made it saw them.

    All names without the flag are in one encoding: the first in which each of them looks like a
    name in a Latin script. If there is none, code page 437 is taken, as the format says.
    """
    raw = [_raw(info) for info in infos]
    page = next((page for page in CODE_PAGES if _fits(filter(None, raw), page)), "cp437")
    return [
        info.filename if name is None else name.decode(page, "replace")
        for info, name in zip(infos, raw, strict=True)
    ]


def _raw(info: zipfile.ZipInfo) -> bytes | None:
    """Return the bytes of a name whose encoding is not known."""
    if info.flag_bits & UTF8_FLAG or info.filename.isascii():
        return None
    try:
        return info.filename.encode("cp437")  # how Python has decoded it
    except UnicodeEncodeError:
        return None


def _fits(names: Sequence[bytes] | filter, page: str) -> bool:
    try:
        return all(_looks_right(name.decode(page), page) for name in names)
    except UnicodeDecodeError:
        return False


def _looks_right(name: str, page: str) -> bool:
    if page == "utf-8":
        return True  # no other text happens to be valid UTF-8
    before = ""
    for character in name:
        if not character.isascii():
            if not unicodedata.name(character, "").startswith("LATIN"):
                return False
            if character.isupper() and before.islower():
                return False
        before = character
    return True
