"""The bars of the course: what a network must reach that is handed in.

The figures are in ``bars.json``. `autograder reference run` and `autograder reference page` write
it from the reference runs; nobody edits it by hand.
"""

import json
from dataclasses import dataclass
from pathlib import Path

BARS = Path(__file__).with_name("bars.json")


@dataclass(frozen=True)
class Bar:
    """What an artifact must reach in a profile.

    Attributes
    ----------
    accuracy
        The least test accuracy, from 0 to 1.
    loss
        The loss on the first training images, as `helpers.training_loss.training_loss` measures
        it, that the network must stay below; None if the accuracy alone decides.
    """

    accuracy: float
    loss: float | None


def bar(profile: str, name: str) -> Bar | None:
    """Return the bar of the artifact `name` in a profile; None if there is none yet."""
    found = json.loads(BARS.read_text(encoding="utf-8")).get(profile, {}).get(name)
    return None if found is None else Bar(found["accuracy"], found["loss"])
