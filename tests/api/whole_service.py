"""The whole service over a filled store, for callers who are made up for the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filled_store import END_S, fill
from guarded_service import HOST, MadeUpAccess
from pydantic.alias_generators import to_camel
from starlette.testclient import TestClient

from autoscaler.api.app import API, make_app
from autoscaler.api.configuration import Limits, WhatIf
from autoscaler.api.fleet import Fleet
from autoscaler.api.parts import OverrideRefused, Parts
from autoscaler.api.whatif.jobs import Jobs
from autoscaler.store.store import Store

NOW_S = END_S - 20.0
"""Some seconds after the newest evaluation of all workloads."""

_MANY_JOBS = WhatIf(queued=1_000_000, per_caller=1_000_000)
_UNLIMITED: dict[str, Any] = {"requestsPerMinute": 1_000_000, "anonymousPerMinute": 1_000_000}

CHECKOUT = f"{API}/namespaces/shop/workloads/checkout"


class KeptOverrides:
    """`Overrides` that remember what was put where. refusal: raised instead, where there is one."""

    def __init__(self) -> None:
        self.texts: dict[str, str | None] = {}
        self.refusal = ""

    async def put(self, workload: str, text: str) -> None:
        if self.refusal:
            raise OverrideRefused(self.refusal)
        self.texts[workload] = text

    async def remove(self, workload: str, text: str) -> bool:
        if self.refusal:
            raise OverrideRefused(self.refusal)
        was_there = self.texts.get(workload) == text
        if was_there:
            self.texts[workload] = None
        return was_there


class WholeService:
    """The application. Its clocks stand still until they are moved; the fleet looks when it is told to; jobs
    are taken and wait, since nothing works them off.

    limits: of the configuration, by their names in Python.
    """

    def __init__(self, store: Store, access: MadeUpAccess | None = None, **limits: Any) -> None:
        self.now_s = NOW_S
        self.steady_s = 0.0
        self.store = store
        self.fleet = Fleet(store, lambda: self.now_s, lambda: self.steady_s)
        self.overrides = KeptOverrides()
        self.access = access or MadeUpAccess()
        self.parts = Parts(
            store=store,
            fleet=self.fleet,
            access=self.access,
            overrides=self.overrides,
            jobs=Jobs(_MANY_JOBS, lambda: self.now_s),
            limits=Limits(**_UNLIMITED | _keys(limits)),
            now_s=lambda: self.now_s,
        )
        self.app = make_app(self.parts)
        self.fleet.look()

    def client(self, token: str = "root-token") -> TestClient:
        """Of a caller who may everything, if not said otherwise; use it as a context manager."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        base = f"http://{HOST}"
        return TestClient(self.app, base_url=base, headers=headers, raise_server_exceptions=False)


def _keys(settings: dict[str, Any]) -> dict[str, Any]:
    return {to_camel(name.removesuffix("_s")): value for name, value in settings.items()}


@contextmanager
def service_over(file: Path, **options: Any) -> Iterator[WholeService]:
    """A service over the store in a file."""
    store = Store.open(f"sqlite:///{file}")
    yield WholeService(store, **options)
    store.close()


@contextmanager
def filled_service(folder: Path, days: float = 0.25, **options: Any) -> Iterator[WholeService]:
    """A service over a store of its own in `folder`, with so many days of all scenes."""
    file = folder / "store.db"
    store = Store.open(f"sqlite:///{file}")
    store.migrate()
    fill(store, days=days)
    store.close()
    with service_over(file, **options) as made:
        yield made
