"""How long to train: the whole recipe, or a share of it where there is no GPU."""


def part(share: float, epochs: int) -> int:
    """Return the share of so many epochs that is trained, at least one."""
    return max(1, round(share * epochs))


def in_words(epochs: int) -> str:
    """Return ``"1 epoch"`` or ``"20 epochs"``, for a recipe."""
    return f"{epochs} epoch" + ("s" if epochs > 1 else "")


def gradually(epochs: int) -> str:
    """Say over how many epochs a network is pruned step by step; one leaves no steps."""
    return f"over {epochs} epochs" if epochs > 1 else "before the first epoch, that is at once"
