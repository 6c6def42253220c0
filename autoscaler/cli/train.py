"""`autoscaler train`: from loads to the files of the shared model of the peak.

    read loads -> what each teaches -> a model without their newest part, judged on that -> the model of all

The same loads, seed and version of LightGBM give the same bytes.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from autoscaler.cli.model_publishing import check_folder, publish
from autoscaler.cli.model_verdict import Verdict
from autoscaler.cli.training_loads import Load, Question, queried_loads, recorded_loads, teaching
from autoscaler.forecasting.learned_peaks import ModelFor
from autoscaler.forecasting.model_comparison import held_out_from, loss_ratios
from autoscaler.forecasting.model_folder import read_trained
from autoscaler.forecasting.peak_model import UnusableModel
from autoscaler.forecasting.peak_training import PARTS, SEED, Lessons, joined, lessons, train
from autoscaler.forecasting.shipped import shipped_model
from autoscaler.forecasting.trained_model import Files, TrainedModel
from autoscaler.signals.errors import InputError


@dataclass(frozen=True, slots=True)
class Options:
    """The command line as given; see `autoscaler.cli.app` for what each option means."""

    traces: Sequence[Path] = ()
    out: Path | None = None
    prometheus: str = ""
    queries: Sequence[str] = ()
    question: Question = field(default_factory=Question)
    if_better: bool = False
    seed: int = SEED
    jobs: int = 2
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class _Taught:
    """lessons: by part of the model. about: what the manifest says of the load. held_from: the first step
    that a model to be judged must not learn from; None where none can be judged on this load."""

    load: Load
    lessons: dict[str, Lessons]
    about: dict[str, Any]
    held_from: int | None

    def part(self, name: str, whole: bool) -> Lessons | None:
        """What is to be learned from it, by a model of everything or by one to be judged."""
        known = self.lessons.get(name)
        if known is None or whole or self.held_from is None:
            return known
        series = self.load.series
        return known.until(series.start_s + (self.held_from - 1) * series.step_s)


def training(options: Options) -> None:
    """Run the command. The folder holds a whole model at every moment, before and after."""
    console = Console(stderr=True, quiet=options.quiet, markup=False, highlight=False, soft_wrap=True)
    out = _folder(options)
    loads = teaching(_loads(options, console), console.print)
    if not loads:
        raise InputError("nothing to learn from: no load is left; give others, or longer ones")
    in_force, called = _in_force(out, console)
    with _processes(options.jobs) as pool:
        taught = _lessons(loads, pool, console)
        verdict = _judged(taught, in_force, options, pool)
        if verdict is None:
            console.print(f"not compared with {called}: no load is long enough to hold a part out")
        else:
            console.print(verdict.table())
        if options.if_better and not (verdict and verdict.better):
            console.print(f"not better: {called} stays in force, and nothing was written")
            return
        console.print("growing the trees of the model …")
        publish(out, _grown(taught, options.seed, pool, whole=True))
    console.print(f"written to {out}")


def described(traces: Sequence[dict[str, Any]], part: str, seed: int) -> dict[str, Any]:
    """What the manifest says of how the model was made."""
    made_with = f"lightgbm {version('lightgbm')}"
    return {"trained_on": list(traces), "leads_s": list(PARTS[part]), "seed": seed, "made_with": made_with}


def _folder(options: Options) -> Path:
    if options.out is None:
        raise InputError("give --out DIR, a folder for the model")
    check_folder(options.out)
    return options.out


def _loads(options: Options, console: Console) -> list[Load]:
    if not options.prometheus:
        if options.queries:
            raise InputError("--query needs --prometheus URL, which is asked")
        return recorded_loads(options.traces, options.question)
    if options.traces:
        raise InputError("give either files or --prometheus, not both")
    if not options.queries:
        raise InputError("--prometheus needs --query PROMQL, whose result is the load")
    return queried_loads(options.prometheus, options.queries, options.question, console.print)


def _in_force(folder: Path, console: Console) -> tuple[ModelFor, str]:
    """The model that a new one has to beat, and what it is called: the folder's, else the shipped one."""
    try:
        found = read_trained(folder)
    except UnusableModel as error:
        console.print(f"the model there is unusable and counts for nothing: {error}")
        found = None
    return (shipped_model, "the shipped model") if found is None else (found, f"the model in {folder}")


@contextmanager
def _processes(jobs: int) -> Iterator[Executor]:
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _lessons(loads: Sequence[Load], pool: Executor, console: Console) -> list[_Taught]:
    taught = []
    for one in pool.map(_taught, loads):
        taught.append(one)
        count = sum(len(part.weight) for part in one.lessons.values())
        console.print(f"{one.about['name']}: {count:,} moments")
    if not all(any(part in one.lessons for one in taught) for part in PARTS):
        raise InputError("nothing to learn from: every load is shorter than the lead times; give longer ones")
    return taught


def _judged(
    taught: Sequence[_Taught], in_force: ModelFor, options: Options, pool: Executor
) -> Verdict | None:
    """A model without the newest part of each load against the one in force; None where that cannot be."""
    judged = [one for one in taught if one.held_from is not None]
    if not judged or not all(len(known.weight) for known in _known(taught, whole=False).values()):
        return None
    new = TrainedModel.of(_grown(taught, options.seed, pool, whole=False))
    asked = [(one.load, one.held_from, new, in_force) for one in judged]
    return Verdict(dict(pool.map(_compared, asked)))


def _grown(taught: Sequence[_Taught], seed: int, pool: Executor, whole: bool) -> Mapping[str, Files]:
    """The files of a model, by part. whole: of all there is, or without what is held out."""
    about = [one.about for one in taught]
    asked = [(known, described(about, part, seed), seed) for part, known in _known(taught, whole).items()]
    return dict(zip(PARTS, pool.map(_trained, asked), strict=True))


def _known(taught: Sequence[_Taught], whole: bool) -> dict[str, Lessons]:
    found = {part: [one.part(part, whole) for one in taught] for part in PARTS}
    return {part: joined([some for some in parts if some is not None]) for part, parts in found.items()}


def _taught(load: Load) -> _Taught:
    series = load.series
    about = {
        "name": series.name,
        "sha256": hashlib.sha256(series.values.tobytes()).hexdigest(),
        "steps": len(series),
        "step_s": series.step_s,
    }
    found = {part: lessons(series, leads_s) for part, leads_s in PARTS.items()}
    known = {part: taught for part, taught in found.items() if len(taught.weight)}
    return _Taught(load, known, about, held_out_from(series))


def _trained(asked: tuple[Lessons, dict[str, Any], int]) -> dict[str, bytes]:
    return train(*asked)


def _compared(asked: tuple[Load, int, ModelFor, ModelFor]) -> tuple[str, dict[str, float]]:
    load, first, new, old = asked
    return load.series.name, loss_ratios(load.series, first, load.quantile, new, old)
