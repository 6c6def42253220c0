"""All resources as the cluster holds them now, and when each is due for its next evaluation."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from typing import Any

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.acting.rivals import Rivals
from autoscaler.controller.observing.workload import Workload, parse_workload, superseding, with_news

_SOON_AT_ONCE = 10


class Catalog:
    """Filled by the watching thread, asked by the loop.

    slots: the parts a period is divided into; every resource has one of them for good, so that a
    thousand resources do not all ask at the same instant, not even after a restart.
    """

    def __init__(self, slots: int, rivals: Rivals) -> None:
        self.slots = slots
        self._rivals = rivals
        self._lock = threading.Lock()
        self._workloads: dict[str, Workload] = {}
        self._soon: dict[str, None] = {}
        self.on_gone: Callable[[str], None] = lambda key: None

    def __len__(self) -> int:
        return len(self._workloads)

    def parse(self, item: dict[str, Any]) -> Workload:
        """A resource as sent; the spec is looked at again only where it has changed."""
        metadata = item["metadata"]
        with self._lock:
            known = self._workloads.get(f"{metadata['namespace']}/{metadata['name']}")
        same = (
            known is not None
            and known.uid == metadata["uid"]
            and known.generation == metadata.get("generation")
            and known.resource is not None
            and not known.problem
        )
        if not same or known is None:
            return parse_workload(item)
        return with_news(known, item)

    def change(self, key: str, before: Workload | None, after: Workload | None) -> None:
        """Take note of a resource that came, changed or went."""
        with self._lock:
            known = self._workloads.get(key)
            if after is None:
                self._workloads.pop(key, None)
                self._soon.pop(key, None)
            else:
                after = superseding(known, after)
                self._workloads[key] = after
                news = known is None or known.uid != after.uid or known.generation != after.generation
                if news or known is None or known.annotations != after.annotations:
                    self._soon[key] = None
        self._rivals.change_workload(known, after)
        if after is None:
            self.on_gone(key)

    def due(self, slot: int) -> list[Workload]:
        """Resources whose slot it is, and a few of those that changed since they were last due.

        To who changes a handful it is at once. After a restart all of them are new, and most wait for
        their own slot, which comes within a period.
        """
        with self._lock:
            due = {key for key, w in self._workloads.items() if slot_of(w.uid, self.slots) == slot}
            changed = [key for key in self._soon if key not in due]
            due.update(changed[:_SOON_AT_ONCE])
            self._soon = dict.fromkeys(changed[_SOON_AT_ONCE:])
            return [w for key, w in self._workloads.items() if key in due]

    def all(self) -> list[Workload]:
        """Every resource."""
        with self._lock:
            return list(self._workloads.values())

    def stands(self, then: Workload) -> bool:
        """Whether a resource asks for what it asked for then. What has changed is due again by itself."""
        now = self.get(then.key)
        if now is None or now.deleting or (now.uid, now.generation) != (then.uid, then.generation):
            return False
        return now.annotations.get(ANNOTATION) == then.annotations.get(ANNOTATION)

    def get(self, key: str) -> Workload | None:
        """One resource, if it is there."""
        with self._lock:
            return self._workloads.get(key)


def slot_of(uid: str, slots: int) -> int:
    """The part of each period in which an object is evaluated; the same in every process."""
    return zlib.crc32(uid.encode()) % slots
