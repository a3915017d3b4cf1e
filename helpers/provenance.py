"""What a training was made from: its code, its settings, and the network that it started from.

An artifact keeps this with its weights. When it is loaded later, a comparison shows what has been
changed in the notebook since it was trained.
"""

import ast
import difflib
import dis
import inspect
import json
import math
import textwrap
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn

from helpers.dataset import Dataset

__all__ = ["Provenance", "alike", "functions_in", "sizes"]

Plain = bool | int | float | str | None
SAME_SIZE = 1e-3
"""How much the mean size of a tensor may differ, relative to itself. The arithmetic of another
device changes it by less; another seed changes that of a layer with 432 weights by 3 %."""
MOST_PARTS = 50
"""How much of a list or dict is looked at: settings are short, and data are not settings."""
MOST_SETTINGS = 300
MOST_SHOWN = 5
WIDTH = 100


@dataclass
class Provenance:
    """What a training was made from.

    Attributes
    ----------
    code
        The code of the training function, and of every function and class of the same notebook
        that it uses, or of which the network consists: by name, without comments and docstrings.
    settings
        The numbers and texts that this code takes from outside, such as the number of epochs; and
        the name and size of a data set.
    start
        The mean size of the numbers in each tensor of the network before the training.
    """

    code: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Plain] = field(default_factory=dict)
    start: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, train: Callable[..., Any], model: nn.Module) -> "Provenance":
        """Describe the training of `model` by `train`, which has not begun yet."""
        found = cls(start=sizes(model.state_dict()))
        _Search(found, train).see("train", train)
        _Search(found, train).see("model", model)
        return found

    def to_json(self) -> str:
        """Return the whole as a text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Provenance | None":
        """Return what `to_json` has written; None if the text is anything else."""
        try:
            found = json.loads(text)
            return cls(dict(found["code"]), dict(found["settings"]), list(found["start"]))
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    def other_functions(self, known: Collection[str]) -> list[str]:
        """Return the names of the functions whose code is not among `known`.

        Parameters
        ----------
        known
            The code of functions, from `functions_in`.
        """
        return [
            name
            for name, code in self.code.items()
            if code.startswith(("def ", "@")) and code not in known
        ]

    def changes(self, now: "Provenance") -> list[str]:
        """Return what is different in `now`, in words: settings and code, but not the start."""
        found = list(_changed_settings(self.settings, now.settings))
        found += _changed_code(self.code, now.code)
        more = len(found) - MOST_SHOWN
        return found if more <= 0 else [*found[:MOST_SHOWN], f"and {more} more"]


def sizes(weights: dict[str, Tensor]) -> list[float]:
    """Return the mean absolute value of each tensor, in the order of their names."""
    means = [weights[name].detach().float().abs().mean().cpu() for name in sorted(weights)]
    return torch.stack(means).nan_to_num().tolist() if means else []


def alike(one: list[float], other: list[float]) -> bool:
    """Return whether two networks with these sizes have the same weights, as far as those tell."""
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=SAME_SIZE, abs_tol=1e-9) for a, b in zip(one, other, strict=True)
    )


class _Search:
    """Collects the code and the settings that a training uses."""

    def __init__(self, found: Provenance, train: Callable[..., Any]) -> None:
        while isinstance(train, partial):
            train = train.func
        self._found = found
        # What is defined in the same notebook is the student's; packages are no part of this.
        self._notebook = getattr(train, "__module__", None)
        self._seen: set[int] = set()

    def see(self, name: str, value: object) -> None:
        """Collect what `value` stands for, which the code calls `name`."""
        if isinstance(value, Plain):
            self._set(name, value)
            return
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, Dataset):
            self._set(name, f"{value.name}, {len(value.train):,} training examples")
        elif isinstance(value, partial):
            self.see(name, value.func)
            for key, part in [*enumerate(value.args), *value.keywords.items()]:
                self.see(f"{name}({key})", part)
        elif isinstance(value, dict | list | tuple):
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            for key, part in list(parts)[:MOST_PARTS]:
                self.see(f"{name}[{key!r}]", part)
        elif isinstance(value, MethodType):
            self.see(name, value.__self__)
            self.see(name, value.__func__)
        elif isinstance(value, FunctionType):
            self._function(value)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, nn.Module):
            for module in value.modules():
                self._class(type(module))
        elif type(value).__module__ == self._notebook:
            self._class(type(value))
            self._members(name, vars(value) if hasattr(value, "__dict__") else {})

    def _set(self, name: str, value: Plain) -> None:
        if len(self._found.settings) >= MOST_SETTINGS:
            return
        known = self._found.settings.setdefault(name, value)
        if known != value:  # two functions call different things by the same name
            self._found.settings.setdefault(f"another {name}", value)

    def _function(self, function: FunctionType) -> None:
        if function.__module__ != self._notebook:
            return
        name = function.__qualname__.replace("<locals>.", "")
        self._found.code[name] = _text(function)
        for used, value in _used(function):
            self.see(used, value)

    def _class(self, kind: type) -> None:
        if kind.__module__ == self._notebook:
            self._members(kind.__name__, vars(kind))
            for base in kind.__bases__:
                self.see(base.__name__, base)

    def _members(self, name: str, members: Any) -> None:
        for key, value in list(members.items()):
            if isinstance(value, staticmethod | classmethod):
                value = value.__func__
            elif isinstance(value, property):
                value = value.fget
            if isinstance(value, FunctionType) or not key.startswith("__"):
                self.see(f"{name}.{key}", value)


def _used(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Yield the names that a function takes from outside, and what they stand for."""
    parameters = inspect.signature(function).parameters.values()
    yield from ((p.name, p.default) for p in parameters if p.default is not p.empty)
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        try:
            yield name, cell.cell_contents
        except ValueError:  # it has no value yet
            continue
    for name in sorted(_global_names(function.__code__)):
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _global_names(code: CodeType) -> set[str]:
    """Return the global names that some code reads, also in the functions within it."""
    read = dis.get_instructions(code)
    names = {step.argval for step in read if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            names |= _global_names(inner)
    return names


def _text(function: FunctionType) -> str:
    """Return the code of a function without comments, docstrings and layout."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # it was not typed into a cell or a file
        return ""
    try:
        return _normal(ast.parse(source))
    except SyntaxError:  # the lines around a lambda need not be a statement
        return source.strip()


def functions_in(source: str) -> Iterator[str]:
    """Yield the code of each function in a cell of a notebook, in the form of `Provenance.code`."""
    lines = source.splitlines()
    python = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
    try:
        tree = ast.parse(python)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield _normal(node)


def _normal(tree: ast.AST) -> str:
    """Return code without comments, docstrings and layout."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _changed_settings(then: dict[str, Plain], now: dict[str, Plain]) -> Iterator[str]:
    for name in [*then, *(name for name in now if name not in then)]:
        if name not in now:
            yield f"{name} was {then[name]!r}, and is not used any more"
        elif name not in then:
            yield f"{name} is {now[name]!r}, and was not used before"
        elif then[name] != now[name]:
            yield f"{name} was {then[name]!r}, and is {now[name]!r}"


def _changed_code(then: dict[str, str], now: dict[str, str]) -> Iterator[str]:
    for name in [*then, *(name for name in now if name not in then)]:
        if name not in now:
            yield f"{name} is not used any more"
        elif name not in then:
            yield f"{name} was not used before"
        elif then[name] != now[name]:
            old, new = _first_difference(then[name].splitlines(), now[name].splitlines())
            yield f"the code of {name}: {old} became {new}"


def _first_difference(then: list[str], now: list[str]) -> tuple[str, str]:
    """Return the first lines that differ, in quotes."""
    changes = difflib.SequenceMatcher(None, then, now, autojunk=False).get_opcodes()
    _, begin, end, new_begin, new_end = next(c for c in changes if c[0] != "equal")
    parts = then[begin:end], now[new_begin:new_end]
    old, new = (f"`{textwrap.shorten(part[0], WIDTH)}`" if part else "nothing" for part in parts)
    return old, new
