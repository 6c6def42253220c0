"""What `autoscaler train` learns from: recorded files, or queries to a Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoscaler.cli.history import read_histories
from autoscaler.forecasting.history import described
from autoscaler.series import Series
from autoscaler.signals.errors import InputError

_LEAST_KNOWN_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class Load:
    """series: named as it is told. quantile: of its peak that decisions take."""

    series: Series
    quantile: float = 0.95


@dataclass(frozen=True, slots=True)
class Question:
    """Which part of which loads is asked for, as on the command line."""

    history: str = ""
    step: str = ""
    time_zone: str = ""
    since: str = ""
    until: str = ""


Say = Callable[[str], None]


def recorded_loads(files: Sequence[Path], question: Question) -> list[Load]:
    """The loads in these files. Raises InputError: whoever names a file means it."""
    names = [path.name for path in files]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name}: given twice, and would count twice; leave one out")
    return [Load(series) for series in _read(question, files=files)]


def queried_loads(url: str, queries: Sequence[str], question: Question, say: Say) -> list[Load]:
    """The loads that these queries give. One that cannot be used is left out, and `say` is told why.

    Raises InputError for a query that is given twice.
    """
    found = []
    for query in queries:
        if queries.count(query) > 1:
            raise InputError(f"--query {query}: given twice, and would count twice; leave one out")
        try:
            found += [Load(series) for series in _read(question, prometheus=url, query=query)]
        except InputError as error:
            say(f"left out: {error}")
    return found


def teaching(loads: Sequence[Load], say: Say) -> list[Load]:
    """Those that something can be learned from; `say` is told of each other one why it is left out."""
    useful = []
    for load in loads:
        why = _useless(load.series)
        if why:
            say(f"left out: {load.series.name}: {why}")
        else:
            useful.append(load)
    return useful


def _read(
    question: Question, files: Sequence[Path] = (), prometheus: str = "", query: str = ""
) -> list[Series]:
    return read_histories(
        files,
        prometheus=prometheus,
        query=query,
        history=question.history,
        step=question.step,
        time_zone=question.time_zone,
        since=question.since,
        until=question.until,
    )


def _useless(series: Series) -> str:
    """Why nothing can be learned from a load; empty where something can."""
    known = series.values[np.isfinite(series.values)]
    if len(known) * series.step_s < _LEAST_KNOWN_S:
        least = described(_LEAST_KNOWN_S // series.step_s, series.step_s)
        return f"{described(len(known), series.step_s)} of load is too short; {least} is the least"
    if known.min() == known.max():
        return "the load never changes"
    return ""
