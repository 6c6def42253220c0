"""What an HTTP answer amounts to: a success of the Prometheus API, or a failure and whether it may pass."""

from __future__ import annotations

import requests

from autoscaler.signals.answer import Body, MalformedAnswer, parse_body
from autoscaler.signals.failures import Cause, QueryFailed

_PERHAPS_PASSING = frozenset({429, 502, 503, 504})

_STATUS_CAUSES = {
    400: (Cause.BAD_QUERY, "the server rejects the query as malformed; try it in the Prometheus web page"),
    401: (Cause.UNAUTHORIZED, "the server refuses our credentials (HTTP 401)"),
    403: (Cause.UNAUTHORIZED, "the server forbids this to our credentials (HTTP 403)"),
    404: (Cause.BROKEN, "there is no Prometheus API at this URL (HTTP 404); check its path"),
    405: (Cause.BROKEN, "the server does not allow this method (HTTP 405); set method GET"),
    413: (Cause.LIMIT, "the query is too long for the server (HTTP 413)"),
    414: (Cause.LIMIT, "the query is too long for the server (HTTP 414); set method POST"),
    422: (Cause.LIMIT, "the server cannot execute the query (HTTP 422): it is too large or inconsistent"),
    429: (Cause.BUSY, "the server is busy (HTTP 429)"),
    431: (Cause.LIMIT, "the query is too long for the server (HTTP 431); set method POST"),
    502: (Cause.BUSY, "the server is not available (HTTP 502)"),
    503: (Cause.BUSY, "the server is not available (HTTP 503)"),
    504: (Cause.BUSY, "the server is not available (HTTP 504)"),
}


class MayPass(Exception):
    """A failure that a later attempt may not meet."""

    def __init__(self, failure: QueryFailed, pause_s: float = 0.0) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.pause_s = pause_s


def judged(response: requests.Response, raw: bytes) -> Body:
    """The parsed body of a success; raises QueryFailed or MayPass for anything else."""
    status = response.status_code
    if 300 <= status < 400:
        raise QueryFailed(
            Cause.REDIRECTED,
            f"the server redirects (HTTP {status}), which is not followed; give the final URL",
        )
    try:
        body = parse_body(raw)
    except MalformedAnswer as error:
        if status == 200:
            raise QueryFailed(
                Cause.BROKEN, f"the answer {error}; check that the URL is a Prometheus"
            ) from error
        body = None
    if status == 200 and body is not None and not body.error_type:
        return body
    raise _refusal(response, body)


def _refusal(response: requests.Response, body: Body | None) -> Exception:
    status = response.status_code
    if body is not None and body.error_type == "timeout":
        return QueryFailed(Cause.TIMED_OUT, "the server gave up on the query (timeout); make it cheaper")
    if status == 200 and body is not None:
        cause = Cause.BAD_QUERY if body.error_type == "bad_data" else Cause.LIMIT
        return QueryFailed(cause, f"the server answers with an error ({body.error_type})")
    known = _STATUS_CAUSES.get(status)
    if known is None:
        return QueryFailed(Cause.BROKEN, f"the server fails (HTTP {status})")
    failure = QueryFailed(*known)
    if status not in _PERHAPS_PASSING:
        return failure
    return MayPass(failure, _retry_after_s(response))


def _retry_after_s(response: requests.Response) -> float:
    stated = response.headers.get("Retry-After", "")
    return float(stated) if stated.isdecimal() and len(stated) < 6 else 0.0
