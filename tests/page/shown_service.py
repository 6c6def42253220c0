"""The whole service on a port of its own, over a store that ends now, for a real browser to look at.

    .venv/bin/python tests/page/shown_service.py --workloads 1000 --port 8080

Whoever starts it like that is let in without a token.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

sys.path.append(str(Path(__file__).parents[1] / "api"))

from filled_store import fill
from guarded_service import MadeUpAccess
from whole_service import KeptOverrides

from autoscaler.api.access.caller import Caller
from autoscaler.api.access.verbs import Verb
from autoscaler.api.app import make_app
from autoscaler.api.configuration import Limits, WhatIf
from autoscaler.api.fleet import Fleet
from autoscaler.api.parts import Parts
from autoscaler.api.whatif.jobs import Jobs
from autoscaler.store.ids import new_id
from autoscaler.store.rows import DecisionMade, Row, StateKept
from autoscaler.store.store import Store

TOKEN = "root-token"


def _access() -> MadeUpAccess:
    """Root may everything, anna what concerns shop, and the reader may only look."""
    access = MadeUpAccess()
    access.tokens["reader-token"] = Caller("reader")
    access.rights.add(("reader", Verb.READ, ""))
    return access


class LetEverybodyIn(MadeUpAccess):
    """Every caller is root."""

    async def identify(self, token: str) -> Caller | None:
        return self.tokens[TOKEN]


class ShownService:
    """Serves from when it is entered until it is left. url: where."""

    def __init__(
        self, folder: Path, *, workloads: int, days: float, access: MadeUpAccess | None = None, port: int = 0
    ) -> None:
        self.store = Store.open(f"sqlite:///{folder / 'store.db'}")
        self.store.migrate()
        if workloads:
            fill(self.store, workloads=workloads, days=days, end_s=time.time())
        self.access = access or _access()
        self.overrides = KeptOverrides()
        self._fleet = Fleet(self.store)
        self._jobs = Jobs(WhatIf())
        parts = Parts(
            store=self.store,
            fleet=self._fleet,
            access=self.access,
            overrides=self.overrides,
            jobs=self._jobs,
            limits=Limits.model_validate({"requestsPerMinute": 1_000_000, "anonymousPerMinute": 1_000_000}),
        )
        self._listening = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        settings = uvicorn.Config(make_app(parts), log_config=None, access_log=False)
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listening]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._fleet.refresh()
        self._fleet.start()
        self._jobs.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        # Streams stay open for as long as somebody looks.
        self._server.force_exit = True
        self._thread.join(10)
        self._jobs.stop()
        self._fleet.stop()
        self.store.close()

    def keep(self, *rows: Row) -> None:
        """Write as the operator would."""
        self.store.write(rows)

    def look(self) -> None:
        """Look at the store now, not within the next second."""
        self._fleet.refresh()

    def change(self, workload: str, at_s: float | None = None, **parts: Any) -> None:
        """Keep a newer state of a workload, now if not said otherwise, with `parts` of it changed."""
        (known,) = [row for row in self.store.states() if row.workload == workload]
        self.keep(StateKept(workload, at_s or time.time(), {**known.payload, **parts}))

    def decide(
        self, workload: str, sentence: str, counts: tuple[int, int] | None = None, reasons: Sequence[str] = ()
    ) -> str:
        """Keep another decision of a workload, like its newest but for the sentence and, where counts are
        given (before, after), for these and the reasons; gives its identifier."""
        made = self.store.decisions(workload=workload, limit=1).decisions[0]
        whole = self.store.decision(made.id)
        assert whole is not None
        now_s = time.time()
        identifier = new_id(now_s)
        self.keep(
            DecisionMade(
                workload=workload,
                id=identifier,
                at_s=now_s,
                before=made.before if counts is None else counts[0],
                after=made.after if counts is None else counts[1],
                reasons=made.reasons if counts is None else tuple(reasons),
                sentence=sentence,
                payload=whole.payload,
                outcome=made.outcome,
            )
        )
        return identifier


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve the page over a made-up store.")
    parser.add_argument("--workloads", type=int, default=8)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=8080)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        service = ShownService(
            Path(folder),
            workloads=chosen.workloads,
            days=chosen.days,
            access=LetEverybodyIn(),
            port=chosen.port,
        )
        with service:
            print(f"{service.url} (process {os.getpid()})", flush=True)
            threading.Event().wait()


if __name__ == "__main__":
    main()
