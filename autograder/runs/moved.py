"""What moved where a run replaced a frozen result, in words."""

from __future__ import annotations

from statistics import fmean

from autograder.references import Run

UNCHANGED = "seconds"
"""What differs from run to run although nothing moved."""


def moved(name: str, before: Run, after: Run) -> str:
    """Return what moved between two frozen results of a row; empty if nothing did.

    Parameters
    ----------
    name
        Name of the experiment or of the sweep.
    before, after
        What its manifest said, and what it says now.
    """
    if before | {UNCHANGED: 0} == after | {UNCHANGED: 0}:
        return ""
    circumstances = [f"  before: {_circumstances(before)}", f"  now:    {_circumstances(after)}"]
    if "figures" in after:
        old, new = before["figures"], after["figures"]
        figures = [f"  {label}: {_change(old.get(label), new.get(label))}" for label in old | new]
        return "\n".join([f"{name}:", *figures, *circumstances])
    change = f"{accuracy(before)} → {accuracy(after)} ({after['mean'] - before['mean']:+.4f})"
    if "losses" in before and "losses" in after:
        losses = (f"{fmean(run['losses']):.4g}" for run in (before, after))
        change += f", loss {' → '.join(losses)}"
    return "\n".join([f"{name}: {change}", *circumstances])


def accuracy(run: Run) -> str:
    """Return the mean accuracy of a run, with the spread over its seeds if it has several."""
    return f"{run['mean']:.4f}" + ("" if run["spread"] is None else f" ± {run['spread']:.4f}")


def seeds(run: Run) -> str:
    """Return the number of seeds of a run, in words."""
    return f"{len(run['seeds'])} seed" + ("s" if len(run["seeds"]) > 1 else "")


def _change(old: float | None, new: float | None) -> str:
    if old is None or new is None:
        return (
            f"{'new' if old is None else f'{old:.4f}'} → {'gone' if new is None else f'{new:.4f}'}"
        )
    return f"{old:.4f} → {new:.4f} ({new - old:+.4f})"


def _circumstances(run: Run) -> str:
    parts = [seeds(run)] if "seeds" in run else []
    parts.append(run["recipe"])
    if run.get("share", 1) < 1:
        parts.append(f"{run['share']:g} of the epochs")
    return ", ".join([*parts, f"on {run['run_on']['device']}", run["run_on"]["date"]])
