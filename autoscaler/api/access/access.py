"""The question that every way of authentication answers: who is this, and what may they?

ClusterAccess   Kubernetes knows the token and the rights
TokenFile       a file of hashed tokens says both
OpenAccess      everybody may everything, for a demonstration on loopback
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from autoscaler.api.access.caller import Caller
from autoscaler.api.access.verbs import Verb

ALL_NAMESPACES = ""
"""As a namespace: every one of them, those that do not exist yet included."""


class Unavailable(Exception):
    """Whoever has to be asked does not answer, so nothing is allowed. The message holds no secret."""


class Access(Protocol):
    """For the event loop's thread. Each method raises Unavailable when it cannot be told."""

    async def identify(self, token: str) -> Caller | None:
        """Whose token this is; None where it is nobody's. token: empty where none was shown."""
        ...

    async def allows(self, caller: Caller, verb: Verb, namespace: str) -> bool:
        """Whether `caller` may, in `namespace` or in ALL_NAMESPACES."""
        ...

    async def visible(self, caller: Caller, namespaces: Collection[str]) -> frozenset[str] | None:
        """Those of `namespaces` that `caller` may read; None where it is all there are and will be."""
        ...
