"""Measure every recorded 1-minute trace with every model and write `docs/benchmarks.md`.

    python -m tests.bench.results_page --traces ../shared/traces --out docs/benchmarks.md

The models that share one learned model are measured with one that was trained without the trace
(`left_out`). Progress goes to stderr. With `--measurements FILE` every finished measurement is kept there and
not made again, so that an interrupted run goes on where it stopped; remove the file after the
code has changed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from itertools import repeat
from pathlib import Path

from autoscaler.forecasting.peaks.learned_peaks import LEARNED
from autoscaler.forecasting.registry import AUTO, NAMES, SLOW
from tests.bench.bars import read_alone
from tests.bench.equal_cost import Job, Measured, measured
from tests.bench.left_out import FOLDS, model_without, path_of
from tests.bench.results_text import page

_START_UPS_S = (300.0, 900.0)
_SHARED = {AUTO, LEARNED}
_SLOW_MOST_BYTES = 400_000
"""Larger compressed traces (two to three months of minutes) are not given to the slow models."""

_Key = tuple[str, str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point."""
    options = _options(arguments)
    traces = sorted(options.traces.glob("*_1min.csv.gz"), key=lambda path: path.stat().st_size)
    if not traces:
        sys.exit(f"{options.traces}: no files *_1min.csv.gz; give the folder of recorded traces")
    folders = _models(options) if _SHARED.intersection(options.models) else {}
    jobs = [
        Job(trace, model, start_up_s, folders.get(trace) if model in _SHARED else None)
        for trace in traces
        for model in options.models
        for start_up_s in _START_UPS_S
        if model not in SLOW or trace.stat().st_size <= _SLOW_MOST_BYTES
    ]
    found = _measure(jobs, options.jobs, options.measurements)
    alone = read_alone(options.forecaster) if options.forecaster else ()
    text = page([one for one in found if one is not None], options.models, alone)
    options.out.write_text(text, encoding="utf-8")


def _models(options: argparse.Namespace) -> dict[Path, Path]:
    """For every trace the folder of a model that has not seen it."""
    work = options.work or Path(tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    folders = {}
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        trained = pool.map(model_without, FOLDS, repeat(options.traces), repeat(work))
        for fold, folder in zip(FOLDS, trained, strict=True):
            print(f"trained without {', '.join(fold)}", file=sys.stderr, flush=True)
            folders.update({path_of(options.traces, name): folder for name in fold})
    return folders


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="measure all models on all recorded traces")
    parser.add_argument("--traces", type=Path, required=True, help="folder with *_1min.csv.gz")
    parser.add_argument("--out", type=Path, required=True, help="page to write")
    parser.add_argument("--models", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--work", type=Path, help="keep the models that were trained without a trace here")
    parser.add_argument("--forecaster", type=Path, help="what peak_forecast --out wrote, for the bars")
    parser.add_argument("--measurements", type=Path, help="keep finished measurements here")
    return parser.parse_args(arguments)


def _measure(jobs: Sequence[Job], processes: int, kept: Path | None) -> list[Measured | None]:
    """The answers in the order of `jobs`."""
    known = _read(kept)
    missing = [job for job in jobs if _key(job) not in known]
    began = time.monotonic()
    # BLAS threads wait for each other by spinning, which on a busy machine makes small products a
    # hundred times slower. Read when numpy is loaded, hence processes that begin afresh.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    afresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=afresh) as pool:
        futures = {pool.submit(measured, job): job for job in missing}
        for done, future in enumerate(as_completed(futures), 1):
            job = futures[future]
            known[_key(job)] = future.result()
            _write(known, kept)
            minutes = (time.monotonic() - began) / 60.0
            print(
                f"{done}/{len(missing)} after {minutes:.1f} min: {job.trace.name} {job.model} "
                f"{job.start_up_s / 60:g} min: {_said(known[_key(job)])}",
                file=sys.stderr,
                flush=True,
            )
    return [known[_key(job)] for job in jobs]


def _key(job: Job) -> _Key:
    return (job.trace.name, job.model, job.start_up_s)


def _said(answer: Measured | None) -> str:
    if answer is None:
        return "too short to score"
    return f"{answer.figure:.2f} at equal cost, coverage {answer.coverage:.3f}"


def _read(kept: Path | None) -> dict[_Key, Measured | None]:
    if kept is None or not kept.exists():
        return {}
    return {
        (trace, model, start_up_s): None
        if answer is None
        else Measured(**{**answer, "ratios": tuple(answer["ratios"])})
        for (trace, model, start_up_s), answer in json.loads(kept.read_text(encoding="utf-8"))
    }


def _write(known: dict[_Key, Measured | None], kept: Path | None) -> None:
    if kept is not None:
        rows = [[key, None if answer is None else asdict(answer)] for key, answer in known.items()]
        # Whole or not at all: whoever interrupts it now loses nothing.
        unfinished = kept.with_name(f"{kept.name}.part")
        unfinished.write_text(json.dumps(rows), encoding="utf-8")
        unfinished.replace(kept)


if __name__ == "__main__":
    main()
