"""The one exception for input that cannot be used."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave us cannot be used.

    The message is one line that says what was wrong, where, and what to do; the command line
    prints it as it is, without a traceback.
    """
