"""The audit: who changed what, or tried to."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request

from autoscaler.api.access.rules import current_caller, demand
from autoscaler.api.access.verbs import Verb
from autoscaler.api.answers import parts_of, write_rows
from autoscaler.api.problems import Problem
from autoscaler.store.ids import new_id
from autoscaler.store.rows import Audited


async def demand_write(request: Request, action: str, workload: str) -> None:
    """Problem 403 unless the caller may change the workload; that somebody tried is kept."""
    namespace = workload.partition("/")[0]
    try:
        await demand(request, Verb.WRITE, namespace)
    except Problem as problem:
        if problem.status is HTTPStatus.FORBIDDEN:
            await write_rows(request, audited(request, action, workload, {}, allowed=False))
        raise


def audited(
    request: Request, action: str, workload: str, details: Mapping[str, Any], *, allowed: bool = True
) -> Audited:
    """The row of one action by the caller, such as `overrides.create`. details: plain JSON types."""
    now_s = parts_of(request).now_s()
    return Audited(
        id=new_id(now_s),
        at_s=now_s,
        actor=current_caller(request).name,
        action=action,
        target=workload,
        allowed=allowed,
        payload=details,
    )
