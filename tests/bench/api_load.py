"""Measure the service under load: what `make bench-api` runs.

A store with a week of decisions of 1,000 workloads, `autoscaler serve` over it, a control loop that writes to
it and a hundred clients with tokens of their own, each of the three in a process of its own: how long answers
take, and whether the loop is held up. Once with clients who look at each answer for a second, as people and
pages do; once with clients who ask again at once, which shows how much can be answered at all; and once with
all of those asking the same. On SQLite and on PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

_HERE = Path(__file__).resolve().parent
_FOLDERS = [str(_HERE.parent / folder) for folder in ("api", "store")]
sys.path += _FOLDERS

from api_store import fill_with_twins  # noqa: E402 - only now are the folders known of what is imported
from real_postgresql import running_postgresql  # noqa: E402
from running_service import RunningService, running_service  # noqa: E402

from autoscaler.store.store import Store  # noqa: E402

_BAR_MS = 50.0
_ASKED_IN_TURN = 400
_COPYING_S = 600.0
"""How long the database may take to copy rows by the hundred thousand."""

_KINDS = 6
_PHASES = (
    ("no clients", None, False),
    ("a second between requests", 1.0, False),
    ("no pause", 0.0, False),
    ("no pause, all the same", 0.0, True),
)
"""What clients do: the seconds that they pause, None where there are none, and whether all ask the same."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What was measured in one stretch of time. asked: answers of the clients, None where there were none.
    loop: lines of the control loop. service_cores, all_cores: processors that the service kept busy, and that
    the whole machine did."""

    name: str
    asked: Mapping[str, Any] | None
    loop: Sequence[Mapping[str, Any]]
    service_cores: float
    all_cores: float
    service_mib: float


def main() -> None:
    """Measure and print; no exit status, since a busy machine is not a fault."""
    parser = argparse.ArgumentParser(description="measure the service under load")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each stretch")
    parser.add_argument("--workloads", type=int, default=1000)
    parser.add_argument("--days", type=float, default=7.0, help="of decisions")
    parser.add_argument("--seen-days", type=float, default=1.0, help="of observations and forecasts")
    parser.add_argument(
        "--store", action="append", help="sqlite, postgresql, or the URL of a store that is filled"
    )
    options = parser.parse_args()
    console = Console(width=120 if not sys.stdout.isatty() else None)
    for store in options.store or ("sqlite", "postgresql"):
        with (
            tempfile.TemporaryDirectory(prefix="bench-api-") as folder,
            _store(store, folder, options) as url,
        ):
            rows = _rows(url)
            phases = _measured(Path(folder), url, options.clients, options.seconds)
            _print(console, url.partition(":")[0], rows, options.clients, phases)


@contextmanager
def _store(kind: str, folder: str, options: argparse.Namespace) -> Iterator[str]:
    """The URL of a filled store."""
    if ":" in kind:
        yield kind
    elif kind == "sqlite":
        yield _filled(f"sqlite:///{folder}/store.db", options)
    else:
        # With the server's own settings: it answers a commit when it is on disk.
        with running_postgresql(hasty=False) as server:
            yield _filled(server.url(server.new_database()), options)


def _filled(url: str, options: argparse.Namespace) -> str:
    began_s = time.monotonic()
    store = Store.open(url, _COPYING_S)
    fill_with_twins(store, options.workloads, options.days, options.seen_days)
    store.close()
    print(f"{url.partition(':')[0]} filled in {time.monotonic() - began_s:.0f} s", file=sys.stderr)
    return url


def _rows(url: str) -> dict[str, int]:
    from sqlalchemy import text

    store = Store.open(url, _COPYING_S)
    with store.engine.begin() as connection:
        names = ("workloads", "decisions", "observations", "forecasts")
        rows = {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}
    store.close()
    return rows


def _measured(folder: Path, url: str, clients: int, seconds: float) -> list[Phase]:
    asks = _questions(url, clients)
    lines = folder / "loop.jsonl"
    with running_service(folder, url, clients) as service, _loop(url, lines):
        _wait_for_loop(lines)
        phases = []
        for name, pause, same in _PHASES:
            asked = [asks[0][:_KINDS]] * clients if same else asks
            phases.append(_phase(folder, lines, service, asked, name, pause, seconds))
        return phases


def _questions(url: str, clients: int) -> list[list[tuple[str, str]]]:
    """What each client asks for in turn: kind and path. Half of the lists are of everything."""
    store, chance = Store.open(url), random.Random(5)
    workloads = sorted(store.state_keys())
    decisions = [
        one.id
        for workload in chance.sample(workloads, min(len(workloads), 200))
        for one in store.decisions(workload=workload, limit=20).decisions
    ]
    store.close()

    def asked(turn: int) -> tuple[str, str]:
        namespace, _, name = chance.choice(workloads).partition("/")
        match turn % _KINDS:
            case 0:
                return "workloads", "/api/v1/workloads"
            case 1:
                return "workloads", f"/api/v1/workloads?namespace={namespace}&sort=-load&limit=50"
            case 2:
                return "decisions", "/api/v1/decisions"
            case 3:
                return "decisions", f"/api/v1/decisions?namespace={namespace}&workload={name}&limit=50"
            case 4:
                return "one decision", f"/api/v1/decisions/{chance.choice(decisions)}"
            case _:
                return "forecast", f"/api/v1/namespaces/{namespace}/workloads/{name}/forecasts/latest"

    return [[asked(turn) for turn in range(_ASKED_IN_TURN)] for _ in range(clients)]


@contextmanager
def _loop(url: str, lines: Path) -> Iterator[None]:
    """The control loop, which tells of itself in a file."""
    with lines.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, str(_HERE / "api_loop.py"), url],
            stdout=written,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(_FOLDERS)},
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait_for_loop(lines: Path) -> None:
    """Until every workload was decided about once, and caches are warm."""
    deadline_s = time.monotonic() + 120.0
    while len(lines.read_text().splitlines()) < 16:
        assert time.monotonic() < deadline_s, "the control loop did not begin"
        time.sleep(0.5)


def _phase(
    folder: Path,
    lines: Path,
    service: RunningService,
    asks: list[list[tuple[str, str]]],
    name: str,
    pause: float | None,
    seconds: float,
) -> Phase:
    process = psutil.Process(service.pid)
    began_s, used_s, busy_s = time.monotonic(), sum(process.cpu_times()[:2]), _busy_s()
    asked = None
    if pause is None:
        time.sleep(seconds)
    else:
        asked = _driven(folder, service, asks, pause, seconds)
    ended_s = time.monotonic()
    loop = [json.loads(line) for line in lines.read_text().splitlines() if line.endswith("}")]
    return Phase(
        name,
        asked,
        [line for line in loop if began_s <= line["due"] <= ended_s],
        (sum(process.cpu_times()[:2]) - used_s) / (ended_s - began_s),
        (_busy_s() - busy_s) / (ended_s - began_s),
        process.memory_info().rss / 2**20,
    )


def _busy_s() -> float:
    """Seconds that all processors worked, since the machine was started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait)


def _driven(
    folder: Path, service: RunningService, asks: list[list[tuple[str, str]]], pause: float, seconds: float
) -> dict[str, Any]:
    plan = {
        "host": "127.0.0.1",
        "port": service.port,
        "seconds": seconds,
        "pause": pause,
        "clients": [
            {"token": token, "asks": asked} for token, asked in zip(service.tokens, asks, strict=True)
        ],
    }
    file = folder / "plan.json"
    file.write_text(json.dumps(plan))
    command = [sys.executable, str(_HERE / "api_clients.py"), str(file)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return answer


def _print(
    console: Console, kind: str, rows: Mapping[str, int], clients: int, phases: Sequence[Phase]
) -> None:
    held = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    console.print(f"\n[bold]{kind}[/bold]: {held}; {clients} clients")
    answers = Table("clients", "request", "answers", "p50", "p95", "p99", "most", f"p99 ≤ {_BAR_MS:g} ms")
    for phase in phases:
        for request, took_ms in sorted((phase.asked or {}).get("took_ms", {}).items()):
            p50, p95, p99 = np.quantile(took_ms, (0.5, 0.95, 0.99))
            met = "[green]yes" if p99 <= _BAR_MS else "[red]no"
            shown = [f"{value:,.1f}" for value in (p50, p95, p99, max(took_ms))]
            answers.add_row(phase.name, request, f"{len(took_ms):,}", *shown, met)
    console.print(answers)
    whole = Table(
        *("clients", "requests/s", "wrong", "MB/s", "loop lag p50", "p99", "most", "late writes"),
        *("cores: service", "clients", "all", "MiB"),
    )
    for phase in phases:
        cores = [f"{phase.service_cores:.2f}", _cores(phase), f"{phase.all_cores:.2f}"]
        whole.add_row(phase.name, *_asked(phase), *_lag(phase), *cores, f"{phase.service_mib:.0f}")
    console.print(whole)


def _asked(phase: Phase) -> tuple[str, str, str]:
    if phase.asked is None:
        return "", "", ""
    took_s = phase.asked["until"] - phase.asked["since"]
    answers = sum(map(len, phase.asked["took_ms"].values()))
    return (
        f"{answers / took_s:,.0f}",
        str(phase.asked["wrong"] or 0),
        f"{phase.asked['bytes'] / took_s / 1e6:.1f}",
    )


def _lag(phase: Phase) -> tuple[str, str, str, str]:
    """Milliseconds from when a turn of the loop was due until its decisions were on disk."""
    lags_ms = [1000 * line["lag"] for line in phase.loop]
    p50, p99 = np.quantile(lags_ms, (0.5, 0.99))
    return (
        f"{p50:.0f}",
        f"{p99:.0f}",
        f"{max(lags_ms):.0f}",
        str(sum(not line["durable"] for line in phase.loop)),
    )


def _cores(phase: Phase) -> str:
    return "" if phase.asked is None else f"{phase.asked['processor']:.2f}"


if __name__ == "__main__":
    main()
