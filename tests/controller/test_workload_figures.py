"""The lines of every workload, held against those that the client library makes of the same figures."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from autoscaler.controller.telling.workload_figures import WorkloadFigures

_ALL = ["load", "forecast_peak", "desired_replicas", "ready_replicas", "spend_today", "faulty"]
_NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?", fullmatch=True)
_FIGURES = st.dictionaries(st.sampled_from(_ALL), st.floats() | st.integers(-(2**40), 2**40))


class _ByTheLibrary(Collector):
    def __init__(self, known: dict[tuple[str, str], dict[str, float]]) -> None:
        self._known = known

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for metric in _ALL:
            family = GaugeMetricFamily(f"x_{metric}", "", labels=("namespace", "name"))
            for who, figures in self._known.items():
                if metric in figures:
                    family.add_metric(who, figures[metric])
            yield family


def _samples(text: bytes) -> dict[tuple[str, str, str], str]:
    return {
        (sample.name, sample.labels["namespace"], sample.labels["name"]): repr(sample.value)
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


@given(st.dictionaries(st.tuples(_NAMES, _NAMES), _FIGURES, max_size=4))
def test_a_reader_sees_what_the_library_would_have_written(
    known: dict[tuple[str, str], dict[str, float]],
) -> None:
    figures, registry = WorkloadFigures("x"), CollectorRegistry()
    registry.register(_ByTheLibrary(known))
    for (namespace, name), one in known.items():
        figures.put(namespace, name, one)
    assert _samples(figures.text()) == _samples(generate_latest(registry))


def test_what_cannot_be_told_is_no_number_and_what_has_no_end_is_infinite() -> None:
    figures = WorkloadFigures("x")
    figures.put("shop", "web", {"load": math.nan, "forecast_age_seconds": math.inf})
    lines = figures.text().decode().splitlines()
    assert 'x_load{name="web",namespace="shop"} NaN' in lines
    assert 'x_forecast_age_seconds{name="web",namespace="shop"} +Inf' in lines


def test_every_gauge_is_named_with_its_type_though_nobody_has_it() -> None:
    lines = WorkloadFigures("x").text().decode().splitlines()
    assert "# HELP x_load Load as last observed, in the unit of its query." in lines
    assert "# TYPE x_load gauge" in lines


def test_five_thousand_workloads_hold_nobody_up() -> None:
    figures, registry = WorkloadFigures("x"), CollectorRegistry()
    known = {("shop", f"web-{number}"): dict.fromkeys(_ALL, number / 7) for number in range(5_000)}
    registry.register(_ByTheLibrary(known))
    for (namespace, name), one in known.items():
        figures.put(namespace, name, one)

    def least_s(write: object) -> float:
        assert callable(write)
        took_s = []
        for _ in range(3):
            began_s = time.thread_time()
            write()
            took_s.append(time.thread_time() - began_s)
        return min(took_s)

    assert least_s(figures.text) < 0.5 * least_s(lambda: generate_latest(registry))
