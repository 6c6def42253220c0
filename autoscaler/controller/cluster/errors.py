"""What can go wrong between us and the API server, one class for each reaction a caller may have."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
"""One parsed JSON object, as the API server sent it."""

_MOST_CHARACTERS = 300


class ClusterConfigError(ValueError):
    """There is no usable description of the cluster or of who we are. The message is one line."""


class ClusterError(Exception):
    """The API server did not do what it was asked. The text is one line of at most 300 characters.

    status: of HTTP; 0 where there was no answer. reason: the server's word for the case, such as
    `AlreadyExists`. message: in words. path: of the request, without host and query.
    """

    def __init__(self, status: int, reason: str, message: str, path: str) -> None:
        self.status = status
        self.reason = reason
        self.message = _one_line(message)
        self.path = path
        super().__init__(self.message)


class NotFound(ClusterError):
    """404: no such object, or no such kind."""


class Conflict(ClusterError):
    """409: the object changed since it was read, or exists already."""


class Forbidden(ClusterError):
    """403: our role lacks a right, or an admission rule refused."""


class Unauthorized(ClusterError):
    """401: the server does not know who we are, even after the credentials were read again."""


class Gone(ClusterError):
    """410: the version or page asked for is too old; list anew."""


class Invalid(ClusterError):
    """400 or 422: what was sent can never be accepted."""


class TooManyRequests(ClusterError):
    """429: nothing was done; ask again after `retry_after_s` seconds."""

    retry_after_s = 1.0


class Unavailable(ClusterError):
    """No usable answer: 5xx, redirected, refused, timed out, no trusted TLS, too large, or no JSON.

    outcome_unknown: a write may have happened all the same. Never true for a read.
    """

    outcome_unknown = False


_CLASSES: dict[int, type[ClusterError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: TooManyRequests,
}


def refusal(
    status: int, document: object, path: str, retry_after: str = "", *, writing: bool = False
) -> ClusterError:
    """The error for an answer with an error `status`.

    document: the parsed body if there is one, of any type; a Status object lends its words.
    retry_after: the header of that name. writing: whether the request was to change something.
    """
    told = document if isinstance(document, dict) else {}
    reason = str(told.get("reason") or "")
    message = str(told.get("message") or reason or f"HTTP {status} without an explanation")
    kind = _CLASSES.get(status, Unavailable if status >= 500 else ClusterError)
    error = kind(status, reason, message, path)
    if isinstance(error, TooManyRequests):
        error.retry_after_s = _pause_s(told, retry_after)
    if isinstance(error, Unavailable):
        error.outcome_unknown = writing
    return error


def unavailable(message: str, path: str, *, status: int = 0, outcome_unknown: bool = False) -> Unavailable:
    """The error where there is no usable answer, told in our own words."""
    error = Unavailable(status, "", message, path)
    error.outcome_unknown = outcome_unknown
    return error


def _pause_s(told: Json, retry_after: str) -> float:
    details = told.get("details")
    stated = details.get("retryAfterSeconds") if isinstance(details, dict) else None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    return float(stated) if isinstance(stated, int) and stated > 0 else TooManyRequests.retry_after_s


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_CHARACTERS else line[: _MOST_CHARACTERS - 1] + "…"
