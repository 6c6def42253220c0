"""Ten thousand slow and silent clients at once, against the service as it is run."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx2
import numpy as np
import psutil
import pytest
from filled_store import fill
from running_service import RunningService, running_service

from autoscaler.api.app import API
from autoscaler.store.journal import Journal
from autoscaler.store.rows import Observed
from autoscaler.store.store import Store

CLIENTS = 10_000
SECONDS = 25
PATIENCE_S = 5.0
MOST_FILES = 2_100
"""Connections that there is room for, and whatever else is open."""


@dataclass
class Found:
    """What was found by one who asked all the time, and by a control loop that kept records. statuses: 0 for
    no answer within `PATIENCE_S`."""

    statuses: Counter[int] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)
    keeping_s: list[float] = field(default_factory=list)


@contextmanager
def found_meanwhile(service: RunningService, store_url: str) -> Iterator[Found]:
    """Ask on a connection that is kept and on new ones in turn, and keep a record now and then."""
    found, over = Found(), threading.Event()
    process = psutil.Process(service.pid)
    url, headers = f"{service.url}{API}/workloads", {"Authorization": f"Bearer {service.tokens[0]}"}

    def ask() -> None:
        with httpx2.Client(timeout=PATIENCE_S) as client:
            while not over.wait(0.2):
                for get in (client.get, partial(httpx2.get, timeout=PATIENCE_S)):
                    began_s = time.monotonic()
                    try:
                        found.statuses[get(url, headers=headers).status_code] += 1
                    except httpx2.TransportError:
                        found.statuses[0] += 1
                    found.took_s.append(time.monotonic() - began_s)
                found.files.append(process.num_fds())
                found.mib.append(process.memory_info().rss / 2**20)

    def keep() -> None:
        journal = Journal(lambda: Store.open(store_url))
        journal.start()
        journal.reload(10.0)
        while not over.wait(0.2):
            began_s = time.monotonic()
            assert journal.commit([Observed("shop/checkout", time.time(), 1.0, 1, 1)], 10.0)
            found.keeping_s.append(time.monotonic() - began_s)
        journal.close()

    threads = [threading.Thread(target=ask), threading.Thread(target=keep)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


@pytest.mark.slow
@pytest.mark.quiet
def test_ten_thousand_slow_clients_take_neither_the_service_nor_its_memory_nor_the_control_loops_time(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = Store.open(url)
    store.migrate()
    fill(store, workloads=500, days=0.003, end_s=time.time())
    store.close()
    crowd = [sys.executable, str(Path(__file__).with_name("slow_crowd.py"))]
    with running_service(tmp_path, url, tokens=2) as service:
        with found_meanwhile(service, url) as before:
            time.sleep(5)
        with found_meanwhile(service, url) as found:
            arguments = [str(part) for part in (service.port, CLIENTS, SECONDS, service.tokens[1])]
            done = subprocess.run([*crowd, *arguments], check=True, stdout=subprocess.PIPE)
            seen = json.loads(done.stdout)
        with found_meanwhile(service, url) as after:
            time.sleep(3)
    print(f"\n{seen}; {dict(found.statuses)} in {_shown(found.took_s)} (before {_shown(before.took_s)})")
    print(f"kept in {_shown(found.keeping_s)} (before {_shown(before.keeping_s)})")
    print(f"{max(found.files)} files, {max(before.mib):.0f} MiB before, {max(found.mib):.0f} meanwhile")
    assert seen["opened"] >= CLIENTS
    assert found.statuses[200] >= 0.9 * found.statuses.total()
    assert np.quantile(found.took_s, 0.9) < 2.0
    assert max(found.files) <= MOST_FILES
    assert max(found.mib) < max(before.mib) + 300
    assert np.quantile(found.keeping_s, 0.9) < 0.5
    assert after.files[-1] < 100, "connections of clients that are gone are closed"


def _shown(seconds: list[float]) -> str:
    p50, p99 = np.quantile(seconds, (0.5, 0.99))
    return f"{1000 * p50:.0f} ms, 99 % {1000 * p99:.0f} ms"
