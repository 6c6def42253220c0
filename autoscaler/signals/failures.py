"""Why a question to Prometheus went unanswered, in words that are safe to show.

Messages name our own settings and numbers only: never a header, a token, or text the server sent.
"""

from __future__ import annotations

import enum


class Cause(enum.StrEnum):
    """What went wrong, as far as it decides what to do next."""

    UNREACHABLE = "Unreachable"
    DEADLINE = "Deadline"
    TOO_LARGE = "TooLarge"
    REDIRECTED = "Redirected"
    UNAUTHORIZED = "Unauthorized"
    BUSY = "Busy"
    BROKEN = "Broken"  # neither a success nor an error of the Prometheus API
    BAD_QUERY = "BadQuery"
    LIMIT = "Limit"  # the query cannot be executed, or touches too much
    TIMED_OUT = "TimedOut"  # the server gave up evaluating


class QueryFailed(Exception):
    """A question that got no usable answer. `str()` is one line for people."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause

    @property
    def may_be_the_query(self) -> bool:
        """Whether another query might still be answered, since this one itself may be at fault."""
        return self.is_the_query or self.cause in (Cause.TIMED_OUT, Cause.TOO_LARGE, Cause.DEADLINE)

    @property
    def is_the_query(self) -> bool:
        """Whether the server objects to the query itself."""
        return self.cause in (Cause.BAD_QUERY, Cause.LIMIT)
