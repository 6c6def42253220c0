"""Load histories for the commands: recorded files, or a Prometheus."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

from autoscaler.cli.arguments import duration_s, time_s
from autoscaler.series import Series
from autoscaler.signals.errors import InputError
from autoscaler.signals.recorded import read_recorded

HISTORY, STEP = "28d", "1m"
"""What is read from a Prometheus where nothing else is asked for."""


def read_histories(
    files: Sequence[Path],
    *,
    prometheus: str,
    query: str,
    history: str,
    step: str,
    time_zone: str,
    since: str = "",
    until: str = "",
    wanted: Sequence[str] = (),
) -> list[Series]:
    """The series to work on, cut to [since, until]. query, history and step are for a Prometheus, where the
    last two may be empty. wanted: further columns that are read where a file has
    them, and then must be numbers. Raises InputError."""
    if prometheus and files:
        raise InputError("give either files or --prometheus, not both")
    if not prometheus and not files:
        raise InputError("no load to work on: name a recorded file, or give --prometheus URL --query PROMQL")
    if prometheus:
        found = [_from_prometheus(prometheus, query, history or HISTORY, step or STEP, until)]
    else:
        for option, text in (("--query", query), ("--history", history), ("--step", step)):
            if text:
                raise InputError(f"{option} {text}: is for --prometheus; of a file use --from and --until")
        found = [read_recorded(file, time_zone=time_zone or None, wanted=wanted) for file in files]
    return [_cut(series, since, until) for series in found]


def _from_prometheus(url: str, query: str, history: str, step: str, until: str) -> Series:
    # Loaded only when asked for: most runs read files.
    from autoscaler.signals.prometheus import Prometheus

    if not query:
        raise InputError("--prometheus needs --query PROMQL, whose result is the load")
    end_s = time_s("--until", until) if until else time.time()
    step_s = duration_s("--step", step)
    return Prometheus.from_environment(url).read_load(
        query, end_s - duration_s("--history", history), end_s, step_s
    )


def _cut(series: Series, since: str, until: str) -> Series:
    first, last = 0, len(series)
    if since:
        first = max(0, math.ceil((time_s("--from", since) - series.start_s) / series.step_s))
    if until:
        last = min(last, math.floor((time_s("--until", until) - series.start_s) / series.step_s) + 1)
    if last - first < 2:
        raise InputError(f"{series.name}: nothing is left between --from and --until; widen them")
    return series if (first, last) == (0, len(series)) else series.between(first, last)
