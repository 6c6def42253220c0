"""`autoscaler backtest`: options to cases, cases to a comparison, the comparison to its outputs."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from autoscaler.backtest.candidate import MOST_REPLICAS, Candidate, candidate_of, default_candidate
from autoscaler.backtest.report.export import write_json, write_timeline
from autoscaler.backtest.report.table import print_comparison
from autoscaler.backtest.report.writing import check_writable
from autoscaler.backtest.result import Comparison
from autoscaler.backtest.rivals import BaselineChoice, parse_baselines
from autoscaler.backtest.runner import Case, compare, count_pieces
from autoscaler.backtest.simulation import World
from autoscaler.backtest.yardstick import warm_up_s
from autoscaler.cli.arguments import duration_s, positive, quantiles, start_up_samples_s
from autoscaler.cli.history import read_histories
from autoscaler.forecasting.registry import NAMES
from autoscaler.series import Series
from autoscaler.signals.errors import InputError
from autoscaler.spec import ManifestError, PredictiveAutoscaler, read_manifests, require

_FLEET = 20.0
"""Replicas that the mean load keeps busy, where nothing is said about capacity."""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line as given; see `autoscaler.cli.app` for what each option means."""

    traces: tuple[Path, ...] = ()
    prometheus: str = ""
    query: str = ""
    history: str = "28d"
    step: str = "1m"
    policies: tuple[Path, ...] = ()
    baselines: str = "hpa,hpa-tuned,keda,oracle"
    model: str = "auto"
    per_replica: float | None = None
    fleet: float | None = None
    start_up: str = "5m"
    start_up_from: Path | None = None
    seed: int = 0
    metric_lag: str = "0s"
    quantiles: str = ""
    warm_up: str = ""
    since: str = ""
    until: str = ""
    price: float = 0.12
    time_zone: str = ""
    jobs: int = 1
    html: Path | None = None
    json: Path | None = None
    png: Path | None = None
    timeline: Path | None = None
    quiet: bool = False


def backtest(options: Options) -> Comparison:
    """Run the command. Outputs appear only when everything has been computed."""
    for path in (options.html, options.json, options.png, options.timeline):
        if path is not None:
            check_writable(path)
    cases = _cases(options)
    with _progress(count_pieces(cases), options.quiet) as advance:
        comparison = compare(cases, options.jobs, advance)
    _write(comparison, options)
    if not options.quiet:
        print_comparison(comparison, Console())
    return comparison


def _cases(options: Options) -> list[Case]:
    """Everything the options ask for, checked before anything is computed."""
    baselines = parse_baselines(options.baselines)
    levels = quantiles("--quantiles", options.quantiles)
    resources = [resource for path in options.policies for resource in _manifest(path)]
    _check(options, resources, baselines)
    series = read_histories(
        options.traces,
        prometheus=options.prometheus,
        query=options.query,
        history=options.history,
        step=options.step,
        time_zone=options.time_zone,
        since=options.since,
        until=options.until,
    )
    _check_names([one.name for one in series])
    return [_case(one, options, resources, levels, baselines) for one in series]


def _case(
    series: Series,
    options: Options,
    resources: list[PredictiveAutoscaler],
    levels: tuple[float, ...],
    baselines: tuple[BaselineChoice, ...],
) -> Case:
    stated = _stated_capacity(series, options)
    capacity = stated
    if capacity is None:
        configured = resources[0].spec.load.per_replica if resources else None
        capacity = _mean(series) / _FLEET if configured is None else configured
    world = World(
        per_replica=capacity,
        start_up_s=duration_s("--start-up", options.start_up, zero=True),
        metric_lag_s=duration_s("--metric-lag", options.metric_lag, zero=True),
        start_up_samples_s=start_up_samples_s(options.start_up_from) if options.start_up_from else (),
        seed=options.seed,
    )
    _check_world(series, world)
    if resources:
        candidates = [candidate_of(resource, series, world, stated) for resource in resources]
    else:
        candidates = [default_candidate(series, world, options.model, options.time_zone or "UTC")]
    return Case(
        series=series,
        world=world,
        price=options.price,
        scored_from=_scored_from(series, options.warm_up),
        candidates=tuple(_with_quantiles(candidates, levels)),
        baselines=baselines,
        time_zone=options.time_zone or "UTC",
    )


def _check(
    options: Options, resources: list[PredictiveAutoscaler], baselines: tuple[BaselineChoice, ...]
) -> None:
    if options.per_replica is not None and options.fleet is not None:
        raise InputError("give --per-replica or --fleet, not both: one follows from the other")
    if options.model not in (*NAMES, "none"):
        raise InputError(f"--model {options.model!r} is unknown; choose one of {', '.join((*NAMES, 'none'))}")
    if not 0.0 <= options.price < math.inf:
        raise InputError(f"--price {options.price:g} must be a number of at least zero")
    names = [resource.metadata.name for resource in resources]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two policies are called {name}; give each manifest its own metadata.name")
    for baseline in baselines:
        if baseline.name in names:
            raise InputError(
                f"policy {baseline.name} is called like a baseline; give the manifest another metadata.name"
            )


def _check_names(traces: list[str]) -> None:
    for name in traces:
        if traces.count(name) > 1:
            raise InputError(
                f"two traces are called {name}, after their files; name each once, or rename one of the files"
            )


def _check_world(series: Series, world: World) -> None:
    """Refuse what would only be simulated for nothing."""
    whole_s = len(series) * series.step_s
    for option, seconds in (("--start-up", world.start_up_s), ("--metric-lag", world.metric_lag_s)):
        if seconds >= whole_s:
            raise InputError(
                f"{option}: {seconds:g} s is as long as {series.name}, {whole_s:g} s; give a shorter one"
            )
    peak = float(np.nanmax(series.values)) / world.per_replica
    if peak > MOST_REPLICAS:
        raise InputError(
            f"{series.name}: the peak needs {peak:.3g} replicas of {world.per_replica:g} each, more than "
            f"{MOST_REPLICAS:,}; give a larger capacity per replica (--per-replica or load.perReplica)"
        )


def _stated_capacity(series: Series, options: Options) -> float | None:
    """Load per replica as stated on the command line, None if nothing is said."""
    if options.per_replica is not None:
        return positive("--per-replica", options.per_replica)
    if options.fleet is not None:
        return _mean(series) / positive("--fleet", options.fleet)
    return None


def _mean(series: Series) -> float:
    mean = float(np.nanmean(series.values))
    if mean <= 0.0:
        raise InputError(
            f"{series.name}: the load is zero throughout; give --per-replica to say what one serves"
        )
    return mean


def _scored_from(series: Series, warm_up: str) -> int:
    whole_s = len(series) * series.step_s
    asked_s = duration_s("--warm-up", warm_up, zero=True) if warm_up else warm_up_s(whole_s)
    if asked_s >= whole_s:
        given = f"--warm-up {warm_up}" if warm_up else "the default warm-up of 2d"
        raise InputError(
            f"{series.name}: {given} leaves nothing to score of {whole_s / 86_400:.3g} days; "
            "give a shorter --warm-up"
        )
    return int(asked_s // series.step_s)


def _with_quantiles(candidates: list[Candidate], levels: tuple[float, ...]) -> Iterator[Candidate]:
    for candidate in candidates:
        yield candidate
        for level in levels:
            yield candidate.at_quantile(level)


def _manifest(path: Path) -> list[PredictiveAutoscaler]:
    try:
        return [located.resource for located in require(read_manifests(path), str(path))]
    except ManifestError as error:
        raise InputError(str(error)) from error


@contextmanager
def _progress(pieces: int, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A progress bar on stderr, so that stdout stays clean; none for scripts and in log files."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(file=sys.stderr)
    hidden = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        bar = progress.add_task("reading", total=pieces)
        yield lambda done: progress.update(bar, advance=1, description=done)


def _write(comparison: Comparison, options: Options) -> None:
    # The drawing libraries are loaded only when something is drawn.
    if options.timeline is not None:
        write_timeline(comparison, options.timeline)
    if options.json is not None:
        write_json(comparison, options.json)
    if options.html is not None:
        from autoscaler.backtest.report.html import write_html

        write_html(comparison, options.html)
    if options.png is not None:
        from autoscaler.backtest.report.png import write_png

        write_png(comparison, options.png)
