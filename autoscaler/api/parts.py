"""Everything the routes need, made once by whoever starts the service and handed to `make_app`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from autoscaler.api.configuration import Limits

if TYPE_CHECKING:
    from autoscaler.api.access.access import Access
    from autoscaler.api.fleet import Fleet
    from autoscaler.api.whatif.jobs import Jobs
    from autoscaler.store.store import Store


class OverrideRefused(Exception):
    """An override could not be put in force or taken back; the message is for the caller."""


class Overrides(Protocol):
    """Puts overrides in force: in a cluster by an annotation of the resource."""

    async def put(self, workload: str, text: str) -> None:
        """Set the annotation of `namespace/name` to `text`, whatever it is.

        Raises OverrideRefused when there is no such resource or the API server refuses.
        """
        ...

    async def remove(self, workload: str, text: str) -> bool:
        """Remove the annotation if it is `text`; whether it was. Raises OverrideRefused as `put` does."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """store: the operator's, which routes read and, for overrides and the audit, write. fleet: the newest
    state of every workload, in memory. jobs: None where what-if is switched off. now_s: epoch seconds by
    the clock that the decisions were made by.
    """

    store: Store
    fleet: Fleet
    access: Access
    overrides: Overrides
    jobs: Jobs | None
    limits: Limits = field(default_factory=Limits)
    now_s: Callable[[], float] = time.time
