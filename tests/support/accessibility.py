"""What axe finds wrong in a page: the rules of WCAG 2 that a program can test."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""Levels A and AA, and what axe recommends beyond them."""


def violations(page: Page, inside: str | None = None) -> list[str]:
    """Return what is wrong in a page, or in some of its elements, a line for each fault."""
    rules = RULES if inside is None else RULES[:-1]
    found = Axe().run(page, inside, {"runOnly": rules}).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]
