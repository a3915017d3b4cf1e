"""How long to train: the whole recipe, or a share of it where there is no GPU."""

STEPS = 2
"""Epochs over which a network is pruned step by step, at least: one would be at once."""


def part(share: float, epochs: int, least: int = 1) -> int:
    """Return the share of so many epochs that is trained, at least `least`."""
    return max(least, round(share * epochs))


def in_words(epochs: int) -> str:
    """Return ``"1 epoch"`` or ``"20 epochs"``, for a recipe."""
    return f"{epochs} epoch" + ("s" if epochs > 1 else "")
