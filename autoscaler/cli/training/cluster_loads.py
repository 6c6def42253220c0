"""The loads of all resources of a cluster, read as the operator reads them, for `autoscaler train`."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoscaler.cli.training.loads import Load, Say
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterError
from autoscaler.controller.configuration import Configuration
from autoscaler.controller.forecasts.reader import Unreadable, read_load
from autoscaler.controller.forecasts.request import ForecastRequest, forecast_request
from autoscaler.controller.forecasts.schedule import Pace
from autoscaler.controller.observing.workload import parse_workload
from autoscaler.series import Series
from autoscaler.signals.errors import InputError
from autoscaler.signals.prometheus import Prometheus
from autoscaler.signals.settings import ConnectionSettings
from autoscaler.spec.resource import GROUP, VERSION

_MOST_LOADS = 100
"""More teach little that is new, and would take gigabytes and hours."""
_ANY_LEAD_S = 60.0
"""A history does not depend on the lead time."""


def cluster_loads(configuration: Configuration, cluster: Cluster, now_s: float, say: Say) -> list[Load]:
    """The history of each distinct load, up to `now_s`; `say` is told what is left out, and why.

    Where there are many, the same ones are taken every time. Raises InputError where the resources cannot
    be listed.
    """
    wanted = _distinct(_wanted(configuration, cluster, say))
    wanted.sort(key=lambda one: zlib.crc32(one.request.key.encode()))
    if len(wanted) > _MOST_LOADS:
        say(f"left out: {len(wanted) - _MOST_LOADS} loads beyond the first {_MOST_LOADS}")
    loads = []
    with ExitStack() as stack:
        sources: dict[str, _Source] = {}
        for one in sorted(wanted[:_MOST_LOADS], key=lambda one: one.request.key):
            try:
                if one.source not in sources:
                    sources[one.source] = _Source.open(one.request.source, stack)
                loads.append(sources[one.source].read(one.request, now_s))
            except (Unreadable, InputError) as error:
                say(f"left out: {one.request.key}: {error}")
    return loads


@dataclass(frozen=True, slots=True)
class _Wanted:
    """source: name of the one that is asked."""

    source: str
    request: ForecastRequest


@dataclass(slots=True)
class _Source:
    """One server, asked no faster than the operator asks it for histories."""

    reader: Prometheus
    pace: Pace
    most_points: int

    @staticmethod
    def open(settings: ConnectionSettings, stack: ExitStack) -> _Source:
        reader = stack.enter_context(Prometheus(settings))
        return _Source(reader, Pace.of_histories(), settings.max_points)

    def read(self, request: ForecastRequest, now_s: float) -> Load:
        time.sleep(self.pace.wait_s(time.monotonic()))
        self.pace.spend(-(-request.width // self.most_points))
        end_s = int(now_s // request.step_s) * request.step_s
        start_s = end_s - (request.width - 1) * request.step_s
        values, _ = read_load(self.reader, None, request.query, start_s, end_s, request.step_s)
        known = np.flatnonzero(np.isfinite(values))
        series = Series(request.key, start_s, request.step_s, values)
        begins = int(known[0]) if len(known) else len(values) - 1
        return Load(series.between(begins, len(values)), request.settings.quantile)


def _wanted(configuration: Configuration, cluster: Cluster, say: Say) -> Iterator[_Wanted]:
    connections = {source.name: source.connection() for source in configuration.sources}
    for item in _resources(configuration, cluster):
        workload = parse_workload(item)
        if workload.resource is None:
            say(f"left out: {workload.key}: its spec is invalid: {workload.problem}")
            continue
        named = workload.resource.spec.load.source or configuration.sources[0].name
        if named not in connections:
            say(f"left out: {workload.key}: no source is called {named}")
            continue
        request = forecast_request(workload.key, workload.resource, connections[named], _ANY_LEAD_S)
        if request is None:
            say(f"left out: {workload.key}: it is not forecast")
        else:
            yield _Wanted(named, request)


def _resources(configuration: Configuration, cluster: Cluster) -> Iterator[dict[str, Any]]:
    inside = [f"/namespaces/{namespace}" for namespace in configuration.watch_namespaces] or [""]
    try:
        for namespace in inside:
            for page in cluster.pages(f"/apis/{GROUP}/{VERSION}{namespace}/predictiveautoscalers"):
                yield from page.get("items") or ()
    except ClusterError as error:
        raise InputError(f"the resources of the cluster cannot be listed: {error}") from error


def _distinct(wanted: Iterator[_Wanted]) -> list[_Wanted]:
    """One of those that read the same: it would count several times."""
    found: dict[tuple[str, str, int], _Wanted] = {}
    for one in wanted:
        found.setdefault((one.source, one.request.query, one.request.step_s), one)
    return list(found.values())
