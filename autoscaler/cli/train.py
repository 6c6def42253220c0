"""`autoscaler train`: from loads to the shared model of the peak, in a folder.

    read loads -> what each teaches -> a model without their newest part, judged on that -> the model of all

The same loads, seed and version of LightGBM give the same bytes.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from autoscaler.backtest.worker_processes import worker_processes
from autoscaler.cli.training.cluster_loads import cluster_loads
from autoscaler.cli.training.loads import Load, Question, queried_loads, recorded_loads, teaching
from autoscaler.cli.training.making import Taught, grow, judge, teach
from autoscaler.cli.training.publishing import check_folder, publish
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterConfigError
from autoscaler.controller.configuration import Configuration, read_configuration
from autoscaler.forecasting.peaks.learned_peaks import ModelFor
from autoscaler.forecasting.peaks.model import UnusableModel
from autoscaler.forecasting.peaks.model_folder import read_trained
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.forecasting.peaks.training import PARTS, SEED
from autoscaler.settings_file import ConfigurationError
from autoscaler.signals.errors import InputError


@dataclass(frozen=True, slots=True)
class Options:
    """The command line as given; see `autoscaler.cli.commands` for what each option means."""

    traces: Sequence[Path] = ()
    out: Path | None = None
    prometheus: str = ""
    queries: Sequence[str] = ()
    config: Path | None = None
    kubeconfig: Path | None = None
    context: str = ""
    question: Question = field(default_factory=Question)
    if_better: bool = False
    seed: int = SEED
    jobs: int = 2
    quiet: bool = False


def training(options: Options) -> None:
    """Run the command. The folder holds a whole model at every moment, before and after."""
    console = Console(stderr=True, quiet=options.quiet, markup=False, highlight=False, soft_wrap=True)
    configuration = None if options.config is None else _configuration(options.config)
    out = _folder(options, configuration)
    loads = teaching(_loads(options, configuration, console), console.print)
    if not loads:
        raise InputError("nothing to learn from: no load is left; give others, or longer ones")
    in_force, called = _in_force(out, console)
    with worker_processes(options.jobs, multiprocessing.get_context("spawn")) as pool:
        taught = _taught(loads, pool, console)
        verdict = judge(taught, in_force, options.seed, pool)
        if verdict is None:
            console.print(f"not compared with {called}: no load is long enough to hold a part out")
        else:
            console.print(verdict.table())
        if options.if_better and not (verdict and verdict.better):
            console.print(f"not better: {called} stays in force, and nothing was written")
            return
        console.print("growing the trees of the model …")
        publish(out, grow(taught, options.seed, pool))
    console.print(f"written to {out}")


def _configuration(path: Path) -> Configuration:
    try:
        return read_configuration(path)
    except ConfigurationError as error:
        raise InputError(str(error)) from error


def _folder(options: Options, configuration: Configuration | None) -> Path:
    configured = configuration.forecasts.model_folder if configuration else None
    folder = options.out or configured
    if folder is None:
        raise InputError("give --out DIR, a folder for the model")
    check_folder(folder)
    return folder


def _loads(options: Options, configuration: Configuration | None, console: Console) -> list[Load]:
    if configuration is not None:
        if options.traces or options.prometheus or options.queries:
            raise InputError("--config takes the loads from the cluster: give no files and no queries")
        return _of_cluster(configuration, options, console)
    if not options.prometheus:
        if options.queries:
            raise InputError("--query needs --prometheus URL, which is asked")
        return recorded_loads(options.traces, options.question)
    if options.traces:
        raise InputError("give either files or --prometheus, not both")
    if not options.queries:
        raise InputError("--prometheus needs --query PROMQL, whose result is the load")
    return queried_loads(options.prometheus, options.queries, options.question, console.print)


def _of_cluster(configuration: Configuration, options: Options, console: Console) -> list[Load]:
    try:
        cluster = Cluster.connect(options.kubeconfig, options.context)
    except ClusterConfigError as error:
        raise InputError(str(error)) from error
    with closing(cluster):
        return cluster_loads(configuration, cluster, time.time(), console.print)


def _in_force(folder: Path, console: Console) -> tuple[ModelFor, str]:
    """The model that a new one has to beat, and what it is called: the folder's, else the shipped one."""
    try:
        found = read_trained(folder)
    except UnusableModel as error:
        console.print(f"the model there is unusable and counts for nothing: {error}")
        found = None
    return (shipped_model, "the shipped model") if found is None else (found, f"the model in {folder}")


def _taught(loads: Sequence[Load], pool: Executor, console: Console) -> list[Taught]:
    taught = []
    for one in teach(loads, pool):
        taught.append(one)
        console.print(f"{one.about['name']}: {one.moments:,} moments")
    if not all(any(part in one.lessons for one in taught) for part in PARTS):
        raise InputError("nothing to learn from: every load is shorter than the lead times; give longer ones")
    return taught
