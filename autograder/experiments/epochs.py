"""How long to train: the whole recipe, or a share of it where there is no GPU."""


def part(share: float, epochs: int) -> int:
    """Return the share of so many epochs that is trained, at least one."""
    return max(1, round(share * epochs))
