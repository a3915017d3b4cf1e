"""The result of a public check, and the decorator that turns a generator of claims into a check.

A check is written as a generator of claims. It announces a claim with ``yield``, then tests it and
raises `Wrong` if the claim does not hold. Reaching the next ``yield``, or the end, means that it
holds. `public_check` stops at the first claim that fails, so that students correct one fault at a
time.
"""

import functools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import shorten
from typing import ParamSpec

from helpers.checks.box import AMBER, GREEN, RED, box, line, note, prose
from helpers.checks.hints import has_hint
from helpers.checks.pictures import Picture
from helpers.kernel import is_graded

Claims = Iterator[str]
Arguments = ParamSpec("Arguments")


class Wrong(Exception):
    """A claim does not hold; the message gives the student's result and the right one.

    Where a picture says more, there is one of both.
    """

    def __init__(self, message: str, picture: Picture | None = None) -> None:
        super().__init__(message)
        self.picture = picture


@dataclass(frozen=True, repr=False)
class CheckResult:
    """The outcome of a public check, which is true if all claims hold; notebooks show it as a box.

    Attributes
    ----------
    name
        What was checked, such as ``"quantize"``.
    fulfilled
        The claims that hold, up to the first that does not.
    failed
        The claim that does not hold; None if all claims hold.
    problem
        Explanation of what is wrong, with code in backticks; empty if all claims hold.
    warned
        The warnings that came up, each as its type and message.
    hint
        The name under which `helpers.checks.hints` has hints; empty if there are none.
    picture
        HTML with a picture of the problem; empty if there is none.
    """

    name: str
    fulfilled: tuple[str, ...]
    failed: str | None = None
    problem: str = ""
    warned: tuple[str, ...] = ()
    hint: str = ""
    picture: str = ""

    def __bool__(self) -> bool:
        return self.failed is None

    @property
    def heading(self) -> str:
        """The outcome in a few words."""
        return f"{self.name}: {'all checks pass' if self else 'not right yet'}"

    @property
    def _warnings(self) -> list[str]:
        return [f"While it ran, there was a warning: {warning}." for warning in self.warned]

    @property
    def _hint(self) -> str:
        return f'`checks.hint("{self.hint}")` gives a hint.' if self.hint else ""

    def __repr__(self) -> str:
        lines = [self.heading, *(f"  ✓ {claim}" for claim in self.fulfilled)]
        if self.failed is not None:
            lines.append(f"  ✗ {self.failed}")
            lines += [f"    {line}" for line in [*self.problem.splitlines(), self._hint] if line]
        lines += [f"  ! {warning}" for warning in self._warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        body = [line("✓", GREEN, "holds", prose(claim)) for claim in self.fulfilled]
        if self.failed is not None:
            body += [
                line("✗", RED, "does not hold", prose(self.failed)),
                note(f"{self.problem}\n{self._hint}"),
                self.picture,
            ]
        body += [line("!", AMBER, "warning", prose(warning)) for warning in self._warnings]
        return box(self.heading, GREEN if self else RED, body)


def public_check(
    name: str,
) -> Callable[[Callable[Arguments, Claims]], Callable[Arguments, CheckResult]]:
    """Turn a generator of claims into a check, which never raises because of a wrong answer.

    Parameters
    ----------
    name
        What is checked, as it is named in the notebook.
    """

    def decorate(claims: Callable[Arguments, Claims]) -> Callable[Arguments, CheckResult]:
        @functools.wraps(claims)
        def check(*args: Arguments.args, **kwargs: Arguments.kwargs) -> CheckResult:
            announced: list[str] = []
            problem, picture = None, ""
            try:
                # A notebook would show warnings in red, above the result.
                with warnings.catch_warnings(record=True) as caught:
                    for claim in claims(*args, **kwargs):
                        announced.append(claim)
            except Wrong as wrong:
                problem = str(wrong)
                if wrong.picture is not None and not is_graded():
                    picture = wrong.picture.html()
            except Exception as error:
                # The check itself failed, not the student's code: the answer has an unusual form.
                problem = f"The answer has a form that cannot be checked ({described(error)})."
            warned = tuple(dict.fromkeys(_warning(each) for each in caught))
            if problem is None:
                return CheckResult(name, tuple(announced), warned=warned)
            hint = claims.__name__ if has_hint(claims.__name__, claims.__module__) else ""
            held, failed = tuple(announced[:-1]), announced[-1]
            return CheckResult(name, held, failed, problem, warned, hint, picture)

        return check

    return decorate


def described(error: Exception) -> str:
    """Return the type and message of an error on one line."""
    return shorten(f"{type(error).__name__}: {error}", width=300).rstrip(": ")


def _warning(caught: warnings.WarningMessage) -> str:
    text = str(caught.message).rstrip(".")
    return shorten(f"{caught.category.__name__}: {text}", width=300)
