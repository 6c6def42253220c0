"""The service with a recorded past in its store, and a real worker."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from guarded_service import ANNA, HOST, MadeUpAccess
from recorded_past import DAY_S, MONDAY_S, WORKLOAD, manifest, observed, state
from starlette.testclient import TestClient
from whole_service import KeptOverrides

from autoscaler.api.access.caller import Caller
from autoscaler.api.access.verbs import Verb
from autoscaler.api.app import make_app
from autoscaler.api.configuration import Limits, WhatIf
from autoscaler.api.fleet import Fleet
from autoscaler.api.parts import Parts
from autoscaler.api.whatif.jobs import Jobs
from autoscaler.store.rows import ManifestKept, Observed, StateKept
from autoscaler.store.store import Store

PATH = "/api/v1/namespaces/shop/workloads/checkout"
BEN = Caller("ben")
READER = Caller("reader")


class WhatIfService:
    """The application over a store of its own, and a clock at the end of what was recorded."""

    def __init__(self, folder: Path, days: float, settings: WhatIf | None) -> None:
        self.now_s = MONDAY_S + days * DAY_S
        self.store = Store.open(f"sqlite:///{folder}/store.db")
        self.store.migrate()
        self.fleet = Fleet(self.store, lambda: self.now_s)
        self.jobs = None if settings is None else Jobs(settings)
        self.access = MadeUpAccess()
        self.access.tokens |= {"ben-token": BEN, "reader-token": READER}
        self.access.rights |= {
            ("ben", Verb.READ, "shop"),
            ("ben", Verb.WRITE, "shop"),
            ("reader", Verb.READ, "shop"),
        }
        self.app = make_app(
            Parts(
                self.store,
                self.fleet,
                self.access,
                KeptOverrides(),
                self.jobs,
                Limits(requests_per_minute=100_000, anonymous_per_minute=100_000),
                lambda: self.now_s,
            )
        )

    def record(self, rows: Sequence[Observed], **spec: Any) -> None:
        """Keep what was seen of a workload, its manifest with these parts of its spec, and its state."""
        self.store.write(
            [
                *rows,
                ManifestKept(WORKLOAD, self.now_s, manifest(**spec)),
                StateKept(WORKLOAD, self.now_s, state()),
            ]
        )
        self.fleet.look()

    def client(self, caller: Caller = ANNA) -> TestClient:
        """A client that shows the caller's token."""
        return TestClient(
            self.app,
            base_url=f"http://{HOST}",
            headers={"Authorization": f"Bearer {caller.name}-token"},
            raise_server_exceptions=False,
        )


@contextmanager
def what_if_service(
    folder: Path, days: float = 1.5, settings: WhatIf | None = None, **spec: Any
) -> Iterator[WhatIfService]:
    """A service with `days` recorded of one workload. settings: as configured."""
    service = WhatIfService(folder, days, settings or WhatIf())
    service.record(observed(days), **spec)
    assert service.jobs is not None
    service.jobs.start()
    try:
        yield service
    finally:
        service.jobs.stop()
        service.store.close()


def over(client: TestClient, location: str, within_s: float = 90.0) -> dict[str, Any]:
    """The job at `location` when it is over."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        response = client.get(location)
        assert response.status_code == 200, response.text
        job: dict[str, Any] = response.json()
        if job["state"] not in ("Queued", "Running"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"{job} is not over after {within_s} s")
