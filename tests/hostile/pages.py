"""The active parts of a page, found as a browser would find them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACTIVE_TAGS = _listed(
    """
    script style link meta base iframe frame frameset object embed applet form input button select
    textarea svg math template noscript portal audio video source track animate set foreignobject
    title xmp plaintext noembed noframes annotation-xml maction mglyph
    """
)
"""Tags that a page may contain only where we have put them ourselves."""

FORMULAS = ([], [("display", "inline")], [("display", "block")])
"""The attributes of formulas; nothing in them acts."""

ADDRESSES = _listed(
    """
    href src action formaction srcset poster data background cite longdesc manifest ping profile
    usemap codebase xlink:href
    """
)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
LEADS_ELSEWHERE = re.compile(r"(https?|mailto):", re.IGNORECASE)
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,")
UNSEEN = re.compile(r"[\x00-\x20\x7f]")
"""Characters that browsers ignore in the scheme of an address."""
ACTING_STYLE = re.compile(r"url\(|@import|image-set|position", re.IGNORECASE)
"""Parts of a style that load something, or that lay something over the rest of the page."""


@dataclass
class Page(HTMLParser):
    """A parsed page.

    Attributes
    ----------
    text
        The source of the page.
    active
        Every tag that is one of `ACTIVE_TAGS`, with its attributes; for scripts and style sheets,
        also the content.
    acts
        Attributes of other tags that run a script or load something.
    """

    text: str
    active: list[str] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "math" and attrs in FORMULAS:
            return
        if tag.split(":")[-1] in ACTIVE_TAGS:
            self.active.append(f"{tag} {attrs}")
            return
        for name, value in attrs:
            if _acts(tag, name, value or ""):
                self.acts.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is not None:  # inside a script or a style sheet
            self.active.append(f"{self.cdata_elem}: {data}")


def _acts(tag: str, name: str, value: str) -> bool:
    """Tell whether an attribute runs a script, or loads something when the page is shown."""
    address = UNSEEN.sub("", value)
    if name == "href" and tag in ("a", "area"):
        return bool(SCHEME.match(address)) and not LEADS_ELSEWHERE.match(address)
    if name in ADDRESSES:
        return not PICTURE.match(address)
    if name == "style":
        return bool(ACTING_STYLE.search(value))
    return name.startswith("on") or name == "srcdoc"
