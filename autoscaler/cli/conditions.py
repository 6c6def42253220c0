"""What recorded load is worked on and under which conditions: options that `backtest` and `tune` share."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from autoscaler.backtest.candidate import MOST_REPLICAS, columns_read
from autoscaler.backtest.simulation import World
from autoscaler.backtest.start_ups import within_s
from autoscaler.backtest.yardstick import warm_up_s
from autoscaler.cli.arguments import duration_s, positive, start_up_samples_s
from autoscaler.cli.history import read_histories
from autoscaler.cli.shared_model import shared_model
from autoscaler.forecasting.peaks.learned_peaks import ModelFor
from autoscaler.forecasting.registry import NAMES
from autoscaler.series import Series
from autoscaler.signals.errors import InputError
from autoscaler.spec import Located, ManifestError, PredictiveAutoscaler, read_manifests, require

_FLEET = 20.0
"""Replicas that the mean load keeps busy, where nothing is said about capacity."""

_START_UP = "5m"
"""From asking to ready, where neither a time nor samples are given."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The command line as given; see `autoscaler.cli.commands` for what each option means."""

    traces: tuple[Path, ...] = ()
    prometheus: str = ""
    query: str = ""
    history: str = ""
    step: str = ""
    model: str = "auto"
    model_folder: Path | None = None
    per_replica: float | None = None
    fleet: float | None = None
    start_up: str = ""
    start_up_from: Path | None = None
    seed: int = 0
    metric_lag: str = "0s"
    warm_up: str = ""
    since: str = ""
    until: str = ""
    price: float = 0.12
    time_zone: str = ""
    jobs: int = 1
    dask: str = ""
    quiet: bool = False

    def check(self) -> None:
        """Refuse what does not fit together, before anything is read."""
        if self.per_replica is not None and self.fleet is not None:
            raise InputError("give --per-replica or --fleet, not both: one follows from the other")
        if self.model not in (*NAMES, "none"):
            names = ", ".join((*NAMES, "none"))
            raise InputError(f"--model {self.model!r} is unknown; choose one of {names}")
        if not 0.0 <= self.price < math.inf:
            raise InputError(f"--price {self.price:g} must be a number of at least zero")

    def inputs(self) -> list[Path]:
        """The files that are read."""
        return [*self.traces, *([self.start_up_from] if self.start_up_from else ())]

    def read(self, policies: Iterable[PredictiveAutoscaler] = (), query: str | None = None) -> list[Series]:
        """The recorded loads, each with a name of its own, and the columns that policies read.

        query: in place of the stated one, where that is not for reading.
        """
        found = read_histories(
            self.traces,
            prometheus=self.prometheus,
            query=self.query if query is None else query,
            history=self.history,
            step=self.step,
            time_zone=self.time_zone,
            since=self.since,
            until=self.until,
            wanted=sorted({name for policy in policies for name in columns_read(policy)}),
        )
        names = [series.name for series in found]
        for name in names:
            if names.count(name) > 1:
                raise InputError(
                    f"two traces are called {name}, after their files; name each once, or rename one of them"
                )
        return found

    def model_for(self) -> ModelFor:
        """The shared model that learned forecasts use."""
        return shared_model(self.model_folder)

    def stated_capacity(self, series: Series) -> float | None:
        """Load per replica as stated on the command line, None if nothing is said."""
        if self.per_replica is not None:
            return positive("--per-replica", self.per_replica)
        if self.fleet is not None:
            return _mean(series) / positive("--fleet", self.fleet)
        return None

    def capacity(self, series: Series, configured: float | None) -> float:
        """Load that one replica serves. configured: what a manifest says of it, if anything."""
        stated = self.stated_capacity(series)
        if stated is not None:
            return stated
        return _mean(series) / _FLEET if configured is None else configured

    def world(self, series: Series, configured: float | None) -> World:
        """The simulated cluster for `series`. configured: the load per replica of a manifest, if any."""
        samples_s = start_up_samples_s(self.start_up_from) if self.start_up_from else ()
        if samples_s and not self.start_up:
            start_up_s = within_s(samples_s)
        else:
            start_up_s = duration_s("--start-up", self.start_up or _START_UP, zero=True)
        world = World(
            per_replica=self.capacity(series, configured),
            start_up_s=start_up_s,
            metric_lag_s=duration_s("--metric-lag", self.metric_lag, zero=True),
            start_up_samples_s=samples_s,
            seed=self.seed,
        )
        _check_world(series, world)
        return world

    def scored_from(self, series: Series) -> int:
        """The first step after the warm-up."""
        whole_s = len(series) * series.step_s
        given = self.warm_up
        asked_s = duration_s("--warm-up", given, zero=True) if given else warm_up_s(whole_s)
        if asked_s >= whole_s:
            what = f"--warm-up {given}" if given else "the default warm-up of 2d"
            raise InputError(
                f"{series.name}: {what} leaves nothing to score of {whole_s / 86_400:.3g} days; "
                "give a shorter --warm-up"
            )
        return int(asked_s // series.step_s)


def read_policies(path: Path) -> list[Located]:
    """The policies in a file of manifests, of which there is at least one. Raises InputError."""
    try:
        return require(read_manifests(path), str(path))
    except ManifestError as error:
        raise InputError(str(error)) from error


@contextmanager
def progress(pieces: int, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A progress bar on stderr, so that stdout stays clean; none for scripts and in log files."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(file=sys.stderr)
    hidden = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bars:
        bar = bars.add_task("reading", total=pieces)
        yield lambda done: bars.update(bar, advance=1, description=done)


def _check_world(series: Series, world: World) -> None:
    """Refuse what would only be simulated for nothing."""
    whole_s = len(series) * series.step_s
    for option, seconds in (
        ("--start-up-from", max(world.start_up_samples_s, default=0.0)),
        ("--start-up", world.start_up_s),
        ("--metric-lag", world.metric_lag_s),
    ):
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


def _mean(series: Series) -> float:
    mean = float(np.nanmean(series.values))
    if mean <= 0.0:
        raise InputError(
            f"{series.name}: the load is zero throughout; give --per-replica to say what one serves"
        )
    return mean
