"""In which namespaces a caller may do something."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from fastapi import Request

from autoscaler.api.access.access import ALL_NAMESPACES, Unavailable
from autoscaler.api.access.rules import current_caller, unavailable
from autoscaler.api.access.verbs import Verb
from autoscaler.api.answers import parts_of


async def allowed_namespaces(
    request: Request, verb: Verb, namespaces: Collection[str]
) -> frozenset[str] | None:
    """Those in which the caller may; None for all there are and will be. Problem 503 where nobody tells."""
    access, caller = parts_of(request).access, current_caller(request)
    try:
        if await access.allows(caller, verb, ALL_NAMESPACES):
            return None
        named = sorted(namespaces)
        may = await asyncio.gather(*(access.allows(caller, verb, namespace) for namespace in named))
    except Unavailable as error:
        raise unavailable(error) from error
    return frozenset(namespace for namespace, allowed in zip(named, may, strict=True) if allowed)
