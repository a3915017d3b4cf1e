"""The error that a user can mend."""

from __future__ import annotations


class UserError(Exception):
    """Its message is one sentence in the user's words and says what to do.

    The command shows the message alone; any other error is a bug and shows where.
    """
