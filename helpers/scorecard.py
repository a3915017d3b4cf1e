"""How far a student is: question by question, what is answered and what the public checks say."""

import contextlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from helpers.checks.box import AMBER, GREEN, RED, box, line, note, prose
from helpers.checks.result import CheckResult, described
from helpers.checks.undefined import explain_undefined, undefined
from helpers.colab import notebook_file, on_colab
from helpers.files import written_ago
from helpers.kernel import ipython_shell, is_graded
from helpers.kernel_runs import unsaved_code_was_run, watch
from helpers.notebook_file import Notebook, NotebookError, Section, read_notebook

__all__ = ["Scorecard", "check_all", "show_answered"]

explain_undefined()
watch()

_OPEN, _WRONG, _PASSES, _UNCHECKED = "empty", "not right yet", "checks pass", "no public check"
_ANSWERED = "answered"
_SHOWN = {
    _PASSES: ("✓", GREEN),
    _WRONG: ("✗", RED),
    _OPEN: ("○", AMBER),
    _UNCHECKED: ("–", "#55616e"),
    _ANSWERED: ("●", "#55616e"),
}


@dataclass(frozen=True)
class _Row:
    """A question: its section, its state, and what the first check says that does not pass."""

    section: Section
    state: str
    problem: str = ""


@dataclass(frozen=True, repr=False)
class Scorecard:
    """The questions of a notebook and the state of each; notebooks show it as a box.

    Attributes
    ----------
    rows
        The questions, in the order of the notebook.
    warning
        Why the scorecard may be out of date; empty if nothing says so.
    """

    rows: tuple[_Row, ...]
    warning: str = ""

    @property
    def heading(self) -> str:
        """How much is attempted, in a few words."""
        asked = sum(row.section.points for row in self.rows)
        done = asked - sum(row.section.empty_points for row in self.rows)
        text = f"{done:g} of {asked:g} {'point' if asked == 1 else 'points'} attempted"
        left = [row.section.number for row in self.rows if row.state == _OPEN]
        return f"{text}; empty: {', '.join(left)}" if left else text

    def __repr__(self) -> str:
        lines = [self.heading, *([f"  {self.warning}"] if self.warning else [])]
        for row in self.rows:
            mark, _ = _SHOWN[row.state]
            lines.append(f"  {mark} {row.section.title}{_worth(row.section)}: {row.state}")
            lines += [f"      {text}" for text in row.problem.splitlines()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        body = [note(self.warning)] if self.warning else []
        for row in self.rows:
            mark, colour = _SHOWN[row.state]
            title = escape(row.section.title)
            # In Colab, an output is in a frame of its own, which no link leaves.
            if row.section.anchor and not on_colab():
                title = f'<a href="#{escape(row.section.anchor)}">{title}</a>'
            text = f"{title}{_worth(row.section)}"
            if row.state == _UNCHECKED:
                text += f": {_UNCHECKED}"
            if row.problem:
                text += f": {prose(row.problem)}"
            body.append(line(mark, colour, row.state, text))
        finished = not any(row.state in (_OPEN, _WRONG) for row in self.rows)
        return box(self.heading, GREEN if finished else AMBER, body)


def check_all(assignment: str, folder: Path | str = ".") -> Scorecard | None:
    """Run all public checks of the notebook once more, and say which answers are empty.

    A public check that passes is no promise: hidden tests ask more. Answers are looked up in the
    notebook's file, so that it has to be saved before; the scorecard says if it seems not to be.

    Parameters
    ----------
    assignment
        Name of the assignment, such as ``"quantization"``.
    folder
        Folder of the notebook. By default, the current folder.

    Returns
    -------
    Scorecard or None
        None while a submission is graded, or if there is no such notebook; the reason is printed.
    """
    if is_graded():
        return None
    try:
        with notebook_file(Path(folder, f"{assignment}.ipynb")) as file:
            notebook = read_notebook(file)
            warning = _warning(file, notebook)
    except FileNotFoundError:
        print(f"There is no {assignment}.ipynb here: save the notebook under this name.")
        return None
    except NotebookError as error:
        print(error)
        return None
    names = _namespace()
    return Scorecard(tuple(_row(section, names) for section in notebook.sections()), warning)


def _warning(file: Path, notebook: Notebook) -> str:
    """Return a sentence if the file is older than the work; empty if nothing says so."""
    if not unsaved_code_was_run(file, [cell["source"] for cell in notebook.cells]):
        return ""
    return (
        f"This is the notebook as saved {written_ago(file)}, and you have run other code since: "
        "save it, and run this cell again."
    )


def show_answered(notebook: Notebook) -> None:
    """Show of each question whether the saved notebook answers it; run no check.

    A notebook shows it as the box of `check_all`; elsewhere, it is printed.
    """
    card = Scorecard(
        tuple(
            _Row(section, _OPEN if section.empty else _ANSWERED, _part(section))
            for section in notebook.sections()
        )
    )
    shell = ipython_shell()
    if not card.rows:
        return
    if shell is None:
        print(card)
    else:
        shell.display_pub.publish({"text/plain": repr(card), "text/html": card._repr_html_()})


def _part(section: Section) -> str:
    """Return how much of a question is empty, if it is not all of it."""
    if not 0 < section.empty_points < section.points:
        return ""
    return f"{section.empty_points:g} of {section.points:g} points are empty."


def _row(section: Section, names: Mapping[str, Any]) -> _Row:
    if section.empty:
        return _Row(section, _OPEN, _part(section))
    problems = [problem for check in section.checks if (problem := _problem(check, section, names))]
    if problems:
        return _Row(section, _WRONG, problems[0])
    return _Row(section, _PASSES if section.checks else _UNCHECKED)


def _problem(check: str, section: Section, names: Mapping[str, Any]) -> str:
    """Return what a public check says is wrong; empty if it passes."""
    silent = io.StringIO()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(silent),
            contextlib.redirect_stderr(silent),
        ):
            warnings.simplefilter("ignore")  # the cell of the check has shown them
            found = eval(check, dict(names))
    except NameError as error:
        return undefined(error.name)
    except Exception as error:
        return described(error)
    if isinstance(found, CheckResult) and not found:
        # The title stands before this. Only where it leaves open which check is meant is that said.
        known = len(section.checks) == 1 or found.name.lower() in section.title.lower()
        return found.problem if known else f"{found.name}: {found.problem}"
    return ""


def _worth(section: Section) -> str:
    if not section.points and not section.bonus:
        return ""
    points = section.bonus or section.points
    unit = "point" if points == 1 else "points"
    return f" ({points:g} {'bonus ' if section.bonus else ''}{unit})"


def _namespace() -> Mapping[str, Any]:
    """Return the names that the running notebook has defined."""
    shell = ipython_shell()
    return {} if shell is None else shell.user_ns
