"""How the operator's parts are doing, as metrics that are read when they are asked for."""

from __future__ import annotations

import time
from functools import partial

from autoscaler.controller.forecasts.service import Forecasts
from autoscaler.controller.observing.sources import MetricSource, MetricSources
from autoscaler.controller.telling.metrics import Metrics
from autoscaler.store.journal import Journal
from autoscaler.store.reach import KINDS, ages_s


def export_forecasts(metrics: Metrics, forecasts: Forecasts) -> None:
    """Whether forecasts are being made, and how well they keep what they state."""
    metrics.watch(
        "forecast_process_up", "1 while forecasts are being made.", lambda: float(forecasts.healthy)
    )
    metrics.watch(
        "forecast_process_restarts",
        "How often the forecasting process had to be started again.",
        lambda: float(forecasts.restarts),
    )
    metrics.watch(
        "forecast_model_usable",
        "0 while the model that was trained here cannot be used.",
        lambda: float(not forecasts.model_problem),
    )
    metrics.watch_forecasts(forecasts.fan)


def export_journal(metrics: Metrics, journal: Journal) -> None:
    """Whether decisions are kept, and how far back they reach."""
    metrics.watch(
        "journal_up",
        "0 while the store cannot be written, or gives no answer.",
        lambda: float(not journal.condition.is_down),
    )
    metrics.watch(
        "journal_spooled_rows", "Rows waiting for the store.", lambda: float(journal.counts.spooled)
    )
    metrics.watch(
        "journal_dropped_rows", "Rows the spool had no room for.", lambda: float(journal.counts.dropped)
    )
    metrics.watch("journal_failures", "Failed writes to the store.", lambda: float(journal.counts.failures))
    metrics.watch_each(
        "store_history_seconds",
        "Age of the oldest row that the store still has.",
        "kind",
        [(kind, partial(_history_s, journal, kind)) for kind in KINDS],
    )


def export_sources(metrics: Metrics, sources: MetricSources) -> None:
    """Whether each metric source answers, how fast, and by which clock."""
    each = sources.by_name.items()
    metrics.watch_each(
        "source_up",
        "1 while a metric source answers anything at all.",
        "source",
        [(name, partial(_up, source)) for name, source in each],
    )
    metrics.watch_each(
        "source_read_seconds",
        "Time the last read of a metric source took.",
        "source",
        [(name, partial(_read_s, source)) for name, source in each],
    )
    metrics.watch_each(
        "source_clock_ahead_seconds",
        "By how much a source's clock is ahead of ours; differences up to 5 s count as none.",
        "source",
        [(name, partial(_ahead_s, source)) for name, source in each],
    )


def _history_s(journal: Journal, kind: str) -> float:
    return ages_s(journal.reach, time.time())[kind]


def _up(source: MetricSource) -> float:
    return float(not source.last_failure)


def _ahead_s(source: MetricSource) -> float:
    return float(source.clock_ahead_s)


def _read_s(source: MetricSource) -> float:
    return source.last_read_s
