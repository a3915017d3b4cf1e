"""What a public check says, and how it comes to say it.

A check is a generator of claims. It announces a claim with ``yield``, then puts it to the test and
raises `Wrong` if it does not hold; reaching the next ``yield``, or the end, means that it does.
`public_check` stops at the first claim that fails: one thing to mend at a time.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import shorten
from typing import ParamSpec

from helpers.checks.box import GREEN, RED, box, line, note, prose

Claims = Iterator[str]
Arguments = ParamSpec("Arguments")


class Wrong(Exception):
    """A claim does not hold; the message tells the student what came out and what should have."""


@dataclass(frozen=True, repr=False)
class CheckResult:
    """The outcome of a public check; true if all claims hold. A notebook shows it as a box.

    Attributes
    ----------
    name : str
        What was checked, like ``"quantize"``.
    fulfilled : tuple of str
        The claims that hold, up to the first that does not.
    failed : str or None
        The claim that does not hold.
    problem : str
        What is wrong with it; code stands in backticks.
    """

    name: str
    fulfilled: tuple[str, ...]
    failed: str | None = None
    problem: str = ""

    def __bool__(self) -> bool:
        return self.failed is None

    @property
    def heading(self) -> str:
        """The outcome in a few words."""
        return f"{self.name}: {'all checks pass' if self else 'not right yet'}"

    def __repr__(self) -> str:
        lines = [self.heading, *(f"  ✓ {claim}" for claim in self.fulfilled)]
        if self.failed is not None:
            lines.append(f"  ✗ {self.failed}")
            lines += [f"    {line}" for line in self.problem.splitlines()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        body = [line("✓", GREEN, "holds", prose(claim)) for claim in self.fulfilled]
        if self.failed is not None:
            body += [line("✗", RED, "does not hold", prose(self.failed)), note(self.problem)]
        return box(self.heading, GREEN if self else RED, body)


def public_check(
    name: str,
) -> Callable[[Callable[Arguments, Claims]], Callable[Arguments, CheckResult]]:
    """Turn a generator of claims into a check, which never raises for what a student wrote.

    Parameters
    ----------
    name : str
        What is checked, by its name in the notebook.
    """

    def decorate(claims: Callable[Arguments, Claims]) -> Callable[Arguments, CheckResult]:
        @functools.wraps(claims)
        def check(*args: Arguments.args, **kwargs: Arguments.kwargs) -> CheckResult:
            announced: list[str] = []
            problem = None
            try:
                for claim in claims(*args, **kwargs):
                    announced.append(claim)
            except Wrong as wrong:
                problem = str(wrong)
            except Exception as error:
                # Not the student's code but our look at its answer failed: a strange answer then.
                problem = f"The answer has a form that cannot be checked ({described(error)})."
            if problem is None:
                return CheckResult(name, tuple(announced))
            return CheckResult(name, tuple(announced[:-1]), announced[-1], problem)

        return check

    return decorate


def described(error: Exception) -> str:
    """Name an error in one line."""
    return shorten(f"{type(error).__name__}: {error}", width=300).rstrip(": ")
