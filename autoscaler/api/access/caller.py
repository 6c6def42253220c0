"""Who is calling, as the authority that knows the token tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """One user or program. uid, groups and extra are Kubernetes' and mean something to it alone; extra is
    sorted, so that the same caller is equal and hashes alike whenever it is seen.
    """

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
