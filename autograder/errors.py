"""The error for problems that the user can solve."""

from __future__ import annotations


class UserError(Exception):
    """A problem that the user can solve, not a bug.

    The message says in the user's terms what is wrong and what to do. The command prints only this
    message; any other exception is a bug, and is shown with its traceback.
    """
