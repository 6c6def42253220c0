"""Callers and rights as Kubernetes knows them: whoever may see a resource with kubectl may see it here.

Answers are remembered briefly. A right that is taken away is gone after ten seconds, a token that is taken
back after a minute. A right that is given is there after half a minute, for as long as Kubernetes itself
remembers refusals: a list asks for every namespace, on behalf of whoever may read only some of them.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Sequence
from functools import partial

import anyio
import anyio.to_thread
import structlog

from autoscaler.api.access.access import ALL_NAMESPACES, Unavailable
from autoscaler.api.access.caller import Caller
from autoscaler.api.access.remembered import Remembered
from autoscaler.api.access.reviews import (
    ACCESS_REVIEWS,
    TOKEN_REVIEWS,
    Review,
    access_review,
    is_allowed,
    reviewed_caller,
    token_review,
)
from autoscaler.api.access.verbs import Verb
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterError

_ANSWER_S = 4.0
"""For one answer of the API server."""
_TOKEN_S, _RIGHT_S = 5.0, 9.0
"""For an answer and the turn to ask for it; one list may ask for hundreds of rights."""
_TOKENS_AT_ONCE = 8
_RIGHTS_AT_ONCE = 16
_LONGEST_NAMESPACE = 63
"""Of Kubernetes; what is longer is not worth remembering."""
_TOKENS_KEPT = 10_000
_RIGHTS_KEPT = 100_000

_log = structlog.get_logger(__name__)

_Asked = tuple[Caller, Verb, str]


class ClusterAccess:
    """`Access` by asking the API server.

    cluster: with the right to create TokenReviews and SubjectAccessReviews. audiences: one of which a token
    has to be made for; empty: the API server's own, which `kubectl create token` takes.
    """

    def __init__(self, cluster: Cluster, audiences: Sequence[str] = ()) -> None:
        self._cluster = cluster
        self._audiences = tuple(audiences)
        self._callers = Remembered[str, Caller | None](
            most=_TOKENS_KEPT, is_good=lambda told: told is not None, good_for_s=60.0, bad_for_s=5.0
        )
        self._rights = Remembered[_Asked, bool](
            most=_RIGHTS_KEPT, is_good=bool, good_for_s=10.0, bad_for_s=30.0
        )
        # Apart, so that strangers who try tokens keep nobody's rights waiting.
        self._token_turns = anyio.CapacityLimiter(_TOKENS_AT_ONCE)
        self._rights_turns = anyio.CapacityLimiter(_RIGHTS_AT_ONCE)

    async def identify(self, token: str) -> Caller | None:
        """As in `Access`."""
        if not token:
            return None
        # The token itself is kept nowhere.
        fingerprint = hashlib.sha256(token.encode()).hexdigest()
        return await self._callers.get(fingerprint, partial(self._reviewed, token))

    async def allows(self, caller: Caller, verb: Verb, namespace: str) -> bool:
        """As in `Access`."""
        if len(namespace) > _LONGEST_NAMESPACE:
            return False
        return await self._rights.get(
            (caller, verb, namespace), partial(self._permitted, caller, verb, namespace)
        )

    async def visible(self, caller: Caller, namespaces: Collection[str]) -> frozenset[str] | None:
        """As in `Access`. One question for each namespace, unless the caller may read all."""
        if await self.allows(caller, Verb.READ, ALL_NAMESPACES):
            return None
        named = sorted(set(namespaces))
        may = await asyncio.gather(*(self.allows(caller, Verb.READ, namespace) for namespace in named))
        return frozenset(namespace for namespace, allowed in zip(named, may, strict=True) if allowed)

    async def _reviewed(self, token: str) -> Caller | None:
        review = token_review(token, self._audiences)
        answer = await self._ask(TOKEN_REVIEWS, review, self._token_turns, _TOKEN_S)
        return reviewed_caller(answer, self._audiences)

    async def _permitted(self, caller: Caller, verb: Verb, namespace: str) -> bool:
        review = access_review(caller, verb, namespace)
        answer = await self._ask(ACCESS_REVIEWS, review, self._rights_turns, _RIGHT_S)
        return is_allowed(answer)

    async def _ask(self, path: str, review: Review, turns: anyio.CapacityLimiter, within_s: float) -> Review:
        create: Callable[[], Review] = partial(self._cluster.create, path, review, timeout_s=_ANSWER_S)
        try:
            with anyio.fail_after(within_s):
                return await anyio.to_thread.run_sync(create, limiter=turns, abandon_on_cancel=True)
        except TimeoutError:
            _log.warning("the API server does not review in time", path=path)
            raise Unavailable("the Kubernetes API server does not answer") from None
        except ClusterError as error:
            # Without its message: the server may repeat there what it was sent, which is a token.
            fault = type(error).__name__
            _log.warning("the API server does not review", path=path, status=error.status, fault=fault)
            raise Unavailable("the Kubernetes API server does not say who may do what") from None
