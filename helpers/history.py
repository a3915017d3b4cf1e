"""The history of a training: its figures for each epoch."""

import math
from dataclasses import asdict, dataclass, field, fields

__all__ = ["History"]


@dataclass
class History:
    """The figures of a training; every list but the last has one entry per epoch.

    Attributes
    ----------
    train_loss
        Mean loss over the (augmented) training examples of the epoch.
    train_accuracy
        Fraction of right predictions for these examples, in [0, 1], made during the epoch while
        the weights were changing.
    test_accuracy
        Fraction of right predictions for the test examples after the epoch, in [0, 1].
    learning_rate
        Learning rate of the first step of the epoch.
    seconds
        Wall time of the epoch, including the evaluation.
    step_loss
        Loss of each step, in the order of the steps, if they were recorded; otherwise empty.
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    step_loss: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.train_loss)

    def to_dict(self) -> dict[str, list[float]]:
        """Return the lists as plain data, ready for JSON; without `step_loss` if it is empty."""
        lists = asdict(self)
        if not self.step_loss:
            del lists["step_loss"]
        return lists

    @classmethod
    def from_dict(cls, data: object) -> "History":
        """Build a history from plain data, which may come from an untrusted source.

        Raises
        ------
        ValueError
            If `data` is not a dict of exactly the five lists (and `step_loss`, which may be left
            out), if the lists differ in length, if the epochs do not all have as many steps, if a
            number is not finite, or if an accuracy is not in [0, 1].
        """
        names = [entry.name for entry in fields(cls) if entry.name != "step_loss"]
        if not isinstance(data, dict) or set(data) - {"step_loss"} != set(names):
            raise ValueError(f"a history must have exactly the lists {', '.join(names)}")
        lists = {name: _numbers(name, data[name]) for name in names}
        epochs = {len(numbers) for numbers in lists.values()}
        if len(epochs) != 1:
            raise ValueError("the lists of a history must all have one entry per epoch")
        lists["step_loss"] = _numbers("step_loss", data.get("step_loss", []))
        if lists["step_loss"] and len(lists["step_loss"]) % max(1, *epochs):
            raise ValueError("step_loss must have as many entries for every epoch")
        for name in ("train_accuracy", "test_accuracy"):
            if not all(0 <= number <= 1 for number in lists[name]):
                raise ValueError(f"{name} must lie between 0 and 1")
        return cls(**lists)


def _numbers(name: str, values: object) -> list[float]:
    if not isinstance(values, list):
        raise ValueError(f"{name} must be a list")
    for value in values:
        # bool is an int in Python, and an int may be too large for a float.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} must hold numbers only")
        if abs(value) > 1e300 or not math.isfinite(value):
            raise ValueError(f"{name} must hold finite numbers only")
    return [float(value) for value in values]
