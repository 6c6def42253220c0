"""Everything that a request passes on its way to a route, in an order that is written down here only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from ipaddress import IPv4Network, IPv6Network

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from autoscaler.api.access.access import Access
from autoscaler.api.access.rules import refuse_unruled
from autoscaler.api.configuration import Limits
from autoscaler.api.protection.access_log import AccessLog
from autoscaler.api.protection.authentication import LOGIN, Authentication, OpenPaths
from autoscaler.api.protection.deadline import Deadline
from autoscaler.api.protection.etag import ETag
from autoscaler.api.protection.idempotency import IdempotencyKeys, Keys
from autoscaler.api.protection.last_resort import LastResort
from autoscaler.api.protection.rate_limit import RateLimit
from autoscaler.api.protection.request_id import RequestId
from autoscaler.api.protection.request_metrics import RequestMetrics
from autoscaler.api.protection.same_origin import SameOrigin
from autoscaler.api.protection.security_headers import SecurityHeaders
from autoscaler.api.protection.shared_answers import SharedAnswers
from autoscaler.api.protection.whole_body import WholeBody

PROBES = frozenset({"/healthz", "/readyz"})
"""Answered whenever asked: who asks is the kubelet, and saying no would cost as much."""

_PACKED_FROM_BYTES = 1024
_PACKING_LEVEL = 3
"""Half the time of the levels above, for answers that are a tenth to a half larger."""


def protect(
    app: FastAPI,
    access: Access,
    limits: Limits,
    metrics: RequestMetrics,
    *,
    login_files: Collection[str] = (),
    trusted_proxies: Iterable[IPv4Network | IPv6Network] = (),
    looks: Callable[[], int] | None = None,
    keys: Keys | None = None,
) -> None:
    """Let nobody past who should not, for as much as they should not. Call it when all routes are in place.

    login_files: paths of what the login page loads. trusted_proxies: who is believed to say for whom they
    ask. looks: how often the store was looked at, after each of which answers are made anew; without it no
    answer is given twice. keys: where idempotency keys are kept; without it nobody takes notice of them.
    Raises ValueError when a route does not say who may call it.
    """
    refuse_unruled(app.routes)
    open_paths = OpenPaths(limited=frozenset({LOGIN, "/logout", *login_files}), always=PROBES)
    order = [
        # First, so that all others see the client and not the proxy.
        Middleware(ProxyHeadersMiddleware, trusted_hosts=[str(network) for network in trusted_proxies]),
        Middleware(RequestId),
        # Outside of everything that may refuse: refusals are logged, counted and guarded too.
        Middleware(AccessLog, metrics=metrics),
        Middleware(SecurityHeaders),
        # Finding out who calls takes time as well.
        Middleware(Deadline, seconds=limits.deadline_s),
        Middleware(
            Authentication,
            access=access,
            strangers_per_minute=limits.anonymous_per_minute,
            open_paths=open_paths,
        ),
        Middleware(RateLimit, per_minute=limits.requests_per_minute),
        Middleware(SameOrigin),
        *([] if looks is None else [Middleware(SharedAnswers, access=access, looks=looks)]),
        # Inside of what is shared, so that it is packed once. Refusals are too short to be.
        Middleware(GZipMiddleware, minimum_size=_PACKED_FROM_BYTES, compresslevel=_PACKING_LEVEL),
        # A body is read only for whom it will be used.
        Middleware(WholeBody, most_bytes=limits.body_bytes),
        *([] if keys is None else [Middleware(IdempotencyKeys, keys=keys, patience_s=limits.deadline_s)]),
        Middleware(ETag),
        Middleware(LastResort),
    ]
    for part in reversed(order):
        app.add_middleware(part.cls, *part.args, **part.kwargs)
