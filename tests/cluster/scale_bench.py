"""A thousand resources and more on a real API server and a real Prometheus: `make bench-cluster`.

Prints lag, memory, requests, writes and processor time of the whole operator, against its bars. The
Deployments have all their pods before it starts, and its metrics are read as often as a Prometheus would.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import psutil
import requests
from control_plane import ControlPlane, wait_until
from live_prometheus import LivePrometheus, Past, Sample
from operator_process import OperatorProcess, resource
from rich.console import Console
from rich.table import Table

_CRD = Path(__file__).resolve().parents[2] / "operator" / "crd"
_NAMESPACES = 10
_STEP_S = 60
_PERIOD_S = 15.0
_PER_REPLICA = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """What the operator exported at one moment, and what the machine said of the processes.

    cpu_s: processor seconds so far, by who spent them. queries: requests that Prometheus has answered.
    """

    at_s: float
    metrics: dict[str, float]
    rss_mib: float
    cpu_s: dict[str, float]
    queries: float


class Watcher:
    """Reads everything of the operator and of what it works with."""

    def __init__(self, operator: OperatorProcess, plane: ControlPlane, prometheus: LivePrometheus) -> None:
        self._operator, self._plane, self._prometheus = operator, plane, prometheus

    def rss_mib(self) -> float:
        """Resident memory of the operator's processes."""
        root = psutil.Process(self._operator.process.pid)
        return sum(one.memory_info().rss for one in (root, *root.children(recursive=True))) / 2**20

    def read(self) -> Reading:
        """Everything, now."""
        return Reading(
            time.monotonic(),
            self._operator.metrics(),
            self.rss_mib(),
            self._cpu_s(),
            _prometheus_requests(self._prometheus),
        )

    def _cpu_s(self) -> dict[str, float]:
        root, plane = psutil.Process(self._operator.process.pid), self._plane
        others = (plane.etcd, plane.controller_manager, plane.scheduler, plane.kubelet)
        return {
            "operator, decisions": _spent_s(root),
            "operator, forecasts": sum(_spent_s(child) for child in root.children(recursive=True)),
            "API server": _spent_s(psutil.Process(plane.api_server.pid)),
            "etcd, controllers, scheduler, KWOK": sum(_spent_s(psutil.Process(one.pid)) for one in others),
            "Prometheus": _spent_s(psutil.Process(self._prometheus.process.pid)),
            "this measurement": _spent_s(psutil.Process()),
        }


def main() -> None:
    """Build the world, run the operator in it, print what was measured."""
    parser = argparse.ArgumentParser(description="measure the operator with many resources")
    parser.add_argument("--resources", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=4.0, help="measured, after warming up")
    parser.add_argument("--windows", type=int, default=1, help="such measurements, one after the other")
    parser.add_argument("--history", type=int, default=2, help="days of history behind every load")
    parser.add_argument("--warm-up", type=float, default=3.0, help="minutes before anything is measured")
    parser.add_argument("--scrape", type=float, default=30.0, help="seconds between two readings of /metrics")
    options = parser.parse_args()
    os.environ["MALLOC_ARENA_MAX"] = "2"  # as in the image
    with tempfile.TemporaryDirectory() as folder:
        _run(Path(folder), options)


def _run(folder: Path, options: argparse.Namespace) -> None:
    count = options.resources
    (folder / "plane").mkdir()
    out = Console(width=110)
    past = [_history(number, options.history) for number in range(count)]
    with (
        LivePrometheus(folder / "prometheus", past) as prometheus,
        ControlPlane(folder / "plane") as plane,
        _Live(prometheus, count),
    ):
        out.print(
            f"{count} Deployments and resources in {_NAMESPACES} namespaces, {options.history} d of history"
        )
        plane.kubectl("apply", "--server-side", "-f", str(_CRD))
        plane.kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", str(_CRD))
        _populate(plane, count)
        settings = {"period": f"{_PERIOD_S:g}s", "sources": [{"name": "default", "url": prometheus.url}]}
        with OperatorProcess(folder / "operator", plane.kubeconfig(), prometheus.url, **settings) as operator:
            began_s = time.monotonic()
            watcher = Watcher(operator, plane, prometheus)
            with _Scraping(operator, options.scrape):
                time.sleep(60 * options.warm_up)
                before = watcher.read()
                for _ in range(options.windows):
                    highest = before.rss_mib
                    while time.monotonic() - before.at_s < 60 * options.minutes:
                        time.sleep(1)
                        highest = max(highest, watcher.rss_mib())
                    after = watcher.read()
                    from_s, until_s = before.at_s - began_s, after.at_s - began_s
                    out.print(f"from {from_s / 60:.1f} to {until_s / 60:.1f} min after the start")
                    out.print(_table(before, after, highest, count))
                    before = after


def _populate(plane: ControlPlane, count: int) -> None:
    namespaces = [plane.namespace(f"bench-{number}") for number in range(_NAMESPACES)]
    # What each load needs now, so that not everything has to be scaled before all else.
    pods = [math.ceil(_load(number, time.time()) / _PER_REPLICA) for number in range(count)]

    def make(number: int) -> None:
        namespace, name = namespaces[number % _NAMESPACES], f"app-{number}"
        plane.deployment(name, namespace, pods[number], start_up="5s")
        body = resource(
            name,
            namespace,
            load={"query": f'load{{app="{number}"}}', "perReplica": _PER_REPLICA},
            forecast={"model": "auto", "history": "28d", "leadTime": "3m"},
            behavior={},
        )
        plane.request(
            "POST",
            f"/apis/predictive-autoscaler.dev/v1alpha1/namespaces/{namespace}/predictiveautoscalers",
            body,
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(count)))
    wait_until(lambda: _ready_pods(plane, namespaces) == sum(pods), 1800, "every pod to be ready")


def _ready_pods(plane: ControlPlane, namespaces: list[str]) -> int:
    """By the Deployments' statuses, asked for seldom: the list is long."""
    time.sleep(5)
    lists = (plane.request("GET", f"/apis/apps/v1/namespaces/{one}/deployments") for one in namespaces)
    return sum(item["status"].get("readyReplicas", 0) for found in lists for item in found["items"])


def _load(number: int, at_s: float) -> float:
    """A daily rhythm of the workload's own, between 10 and 60."""
    phase = 2 * math.pi * (at_s / 86_400 + number / 97)
    return 35 + 20 * math.sin(phase) + 5 * math.sin(13 * phase + number)


def _history(number: int, days: int) -> Past:
    steps = days * 86_400 // _STEP_S
    start_s = (time.time() // _STEP_S - steps) * _STEP_S
    values = [_load(number, start_s + step * _STEP_S) for step in range(steps)]
    return Past("load", start_s, _STEP_S, values, {"app": str(number)})


class _Live:
    """Pushes the present load of every workload every ten seconds."""

    def __init__(self, prometheus: LivePrometheus, count: int) -> None:
        self._prometheus, self._count = prometheus, count
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            now_s = time.time()
            self._prometheus.push(
                *(
                    Sample(name="load", labels={"app": str(number)}, value=_load(number, now_s), time_s=now_s)
                    for number in range(self._count)
                )
            )
            self._stop.wait(10)


class _Scraping:
    """Reads the operator's metrics every so often, as a Prometheus does, and throws them away."""

    def __init__(self, operator: OperatorProcess, every_s: float) -> None:
        self._operator, self._every_s = operator, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            # A session of its own: those of requests are for one thread.
            url = f"http://127.0.0.1:{self._operator.port}/metrics"
            requests.get(url, timeout=30).raise_for_status()


def _spent_s(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def _prometheus_requests(prometheus: LivePrometheus) -> float:
    text = requests.get(f"{prometheus.url}/metrics", timeout=10).text
    wanted = ('handler="/api/v1/query"', 'handler="/api/v1/query_range"')
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith("prometheus_http_requests_total") and any(handler in line for handler in wanted)
    )


def _quantile(before: Reading, after: Reading, metric: str, share: float) -> float:
    """Upper bound of the histogram bucket in which the share of new observations lies."""
    total = _grown(before, after, lambda name: name.startswith(f"{metric}_count"))
    buckets: dict[float, float] = {}
    for name, value in after.metrics.items():
        if name.startswith(f"{metric}_bucket"):
            bound = float(name.split('le="')[1].split('"')[0])
            buckets[bound] = buckets.get(bound, 0.0) + value - before.metrics.get(name, 0.0)
    return next((bound for bound, seen in sorted(buckets.items()) if seen >= share * total), math.inf)


def _grown(before: Reading, after: Reading, wanted: Callable[[str], bool]) -> float:
    return sum(value - before.metrics.get(name, 0.0) for name, value in after.metrics.items() if wanted(name))


def _table(before: Reading, after: Reading, rss_mib: float, count: int) -> Table:
    periods = (after.at_s - before.at_s) / _PERIOD_S

    def grown(start: str) -> float:
        return _grown(before, after, lambda name: name.startswith(start))

    lag = "predictive_autoscaler_evaluation_lag_seconds"
    patches = _grown(
        before,
        after,
        lambda name: name.startswith("predictive_autoscaler_api_request_seconds_count") and "PATCH" in name,
    )
    table = Table("what", "measured", "bar")
    table.add_row(
        "evaluations a period",
        f"{grown('predictive_autoscaler_evaluations_total') / periods:.0f}",
        f"{count}",
    )
    table.add_row(
        "evaluations left out a period",
        f"{grown('predictive_autoscaler_evaluations_skipped_total') / periods:.1f}",
        "",
    )
    table.add_row(
        "lag, p99 (upper bound of its bucket)", f"{_quantile(before, after, lag, 0.99):g} s", "< 15 s"
    )
    table.add_row(
        "one group, p99",
        f"{_quantile(before, after, 'predictive_autoscaler_evaluation_seconds', 0.99):g} s",
        "",
    )
    table.add_row("resident memory, all processes", f"{rss_mib:.0f} MiB", "<= 500 MB")
    for who, spent_s in after.cpu_s.items():
        table.add_row(
            f"processor time a period: {who}", f"{(spent_s - before.cpu_s[who]) / periods:.1f} s", ""
        )
    table.add_row(
        "Prometheus requests a period", f"{(after.queries - before.queries) / periods:.0f}", "<= 100"
    )
    table.add_row(
        "API requests a period",
        f"{grown('predictive_autoscaler_api_request_seconds_count') / periods:.0f}",
        "",
    )
    table.add_row("API writes a period", f"{patches / periods:.0f}", "")
    table.add_row(
        "accepted scale writes a period",
        f"{grown('predictive_autoscaler_scale_writes_total') / periods:.1f}",
        "",
    )
    forecast = sum("forecast_peak" in name and value == value for name, value in after.metrics.items())
    table.add_row("resources with a forecast", f"{forecast}", f"{count}")
    return table


if __name__ == "__main__":
    main()
