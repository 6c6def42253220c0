"""Train the shared model of the peak without a trace and score it on that trace, for every trace.

    python -m tests.bench.peak_forecast --traces ../shared/traces --out peak-forecast.json

Which model a trace is scored by, `left_out` says. What was known at each moment is computed once per trace
and lead and kept in `--work`, so that another recipe of trees costs no more than its trees; empty that
folder after the clues or the ridge have changed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np

from autoscaler.backtest.yardstick import geometric_mean, warm_up_s
from autoscaler.forecasting.accuracy import peak_ahead
from autoscaler.forecasting.easing import eased
from autoscaler.forecasting.forecaster import DAY_S
from autoscaler.forecasting.origins import spread
from autoscaler.forecasting.peaks.adaptation import ABOUT_MOMENTS, SPAN_S, adapted
from autoscaler.forecasting.peaks.learned_peaks import rises
from autoscaler.forecasting.peaks.model import PeakModel, Table, read_model
from autoscaler.forecasting.peaks.own_trees import LEVELS as OWN_LEVELS
from autoscaler.forecasting.peaks.own_trees import Groves
from autoscaler.forecasting.peaks.training import PARTS, SEED, Walked, walk
from autoscaler.forecasting.promises import recalibrated
from autoscaler.series import Floats, Series
from autoscaler.signals.recorded import read_recorded
from tests.bench.left_out import FOLDS, kept_lessons, part_without, path_of
from tests.bench.peak_forecast_score import Score, scored, worldcup_unserved

SCORED_LEADS_S = (300, 900)
VERY_SMOOTH = ("ms_mongo_app_02_1min", "tencent_crane_09_1min", "tencent_crane_13_1min")
_FEWEST_SCORED_S = DAY_S // 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point."""
    options = _options(arguments)
    # BLAS threads wait for each other by spinning. Read when numpy is loaded, hence fresh processes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    work = options.work or Path(tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    names = [name for fold in FOLDS for name in fold]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        asked = [(path_of(options.traces, name), work) for name in names]
        for name, seconds in zip(names, pool.map(_prepare, asked), strict=True):
            _say(f"{name}: looked at in {seconds:.0f} s")
        jobs = [(fold, lead_s, work, options) for lead_s in SCORED_LEADS_S for fold in FOLDS]
        found = [score for scores in pool.map(_fold, jobs) for score in scores]
    for lead_s in SCORED_LEADS_S:
        scores = [score for score, score_lead_s, _ in found if score_lead_s == lead_s]
        unserved = [share for _, score_lead_s, share in found if score_lead_s == lead_s and share is not None]
        print(_summary(lead_s, scores, unserved))
    if options.out:
        kept = [{**asdict(score), "lead_s": lead_s, "unserved": share} for score, lead_s, share in found]
        options.out.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="score the shared model of the peak, leaving traces out")
    parser.add_argument("--traces", type=Path, required=True, help="folder with *_1min.csv.gz")
    parser.add_argument("--work", type=Path, help="keep what was known at each moment here")
    parser.add_argument("--out", type=Path, help="write the scores here, as JSON")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--no-adapt", dest="adapt", action="store_false", help="the shared model alone")
    parser.add_argument(
        "--as-modelled", dest="recalibrate", action="store_false", help="the model's own quantiles"
    )
    return parser.parse_args(arguments)


def _prepare(job: tuple[Path, Path]) -> float:
    """Keep what one trace teaches, and what was known at all its moments."""
    path, work = job
    began = time.monotonic()
    series = read_recorded(path)
    for lead_s in [lead_s for part in PARTS.values() for lead_s in part]:
        kept_lessons(path, lead_s, work)
    for lead_s in SCORED_LEADS_S:
        kept = work / f"{series.name}.{lead_s}.moments"
        if not kept.exists():
            lead = lead_s // series.step_s
            kept.write_bytes(pickle.dumps((series, list(walk(series, lead, range(len(series)))))))
    return time.monotonic() - began


def _fold(
    job: tuple[tuple[str, ...], int, Path, argparse.Namespace],
) -> list[tuple[Score, int, float | None]]:
    """Train on the other folds, score the traces of this one."""
    fold, lead_s, work, options = job
    part = next(part for part, leads_s in PARTS.items() if lead_s in leads_s)
    model = read_model(part_without(fold, part, options.traces, work, options.seed))
    found = []
    for name in fold:
        course = _Course.read(work / f"{name}.{lead_s}.moments")
        load, step_s = course.series.values, course.series.step_s
        scored_from = int(warm_up_s(len(load) * step_s) // step_s)
        if (len(load) - scored_from) * step_s < _FEWEST_SCORED_S:
            continue
        lead = lead_s // step_s
        peaks = _forecast(model, course, lead, scored_from, options.adapt)
        if options.recalibrate:
            came = peak_ahead(load, lead)
            peaks = eased(peaks, lead, step_s)
            peaks = recalibrated(peaks, model.levels, came, lead, course.series.start_s, step_s)
        score = scored(name, load, peaks, model.levels, step_s, lead, scored_from)
        share = None
        if name.startswith("worldcup"):
            share = worldcup_unserved(load, peaks, step_s, lead, scored_from)
        _say(f"{name} {lead_s} s: {score.figure:.3f}, coverage {score.coverage:.3f}")
        found.append((score, lead_s, share))
    return found


@dataclass(frozen=True, slots=True)
class _Course:
    """All moments of a trace one after the other: what was known at each of them, and what came."""

    series: Series
    table: Table
    expected: Floats
    level: Floats
    raised: Floats
    rise: Floats

    @staticmethod
    def read(kept: Path) -> _Course:
        series, walked = pickle.loads(kept.read_bytes())
        parts: list[Walked] = walked
        return _Course(
            series,
            np.concatenate([part.told.table for part in parts]),
            np.concatenate([part.told.expected for part in parts]),
            np.concatenate([part.told.view.level for part in parts]),
            np.concatenate([part.told.view.raised for part in parts]),
            np.concatenate([part.rise for part in parts]),
        )


def _forecast(model: PeakModel, course: _Course, lead: int, scored_from: int, adapts: bool) -> Floats:
    """Quantiles of the peak at every step; each day with trees grown from the days before."""
    shared = course.expected[:, np.newaxis] + model.surplus(course.table)
    corrections = np.zeros((len(shared), len(OWN_LEVELS)))
    day, span = DAY_S // course.series.step_s, SPAN_S // course.series.step_s
    for begin in range(scored_from, len(shared), day) if adapts else ():
        earlier = spread(max(0, begin - span), begin - lead, ABOUT_MOMENTS)
        at = np.arange(earlier.start, earlier.stop, earlier.step)
        trees = adapted(shared[at], model.levels, course.table[at], course.level[at], course.rise[at])
        rows = slice(begin, begin + day)
        today = course.table[rows]
        corrections[rows] = Groves.of([trees]).surplus(today, np.zeros(len(today), np.int64))
    quantiles = rises(shared, corrections, model.levels)
    peaks = course.level[:, np.newaxis] * np.exp(quantiles)
    return np.maximum(peaks - course.raised[:, np.newaxis], 0.0)


def _summary(lead_s: int, scores: Sequence[Score], unserved: Sequence[float]) -> str:
    figures = {score.trace: score.figure for score in scores if math.isfinite(score.figure)}
    rough = [figure for trace, figure in figures.items() if trace not in VERY_SMOOTH]
    worst = max(figures, key=lambda trace: figures[trace])
    kept = [score.coverage for score in scores]
    within = sum(0.93 <= share <= 0.97 for share in kept)
    lines = [f"{score.trace:32} {score.figure:5.2f}   coverage {score.coverage:.3f}" for score in scores]
    return "\n".join(
        [
            f"Lead {lead_s // 60} min",
            *lines,
            f"geometric mean {geometric_mean(list(figures.values())):.3f}, without the very smooth "
            f"{geometric_mean(rough):.3f}, median {median(figures.values()):.3f}, worst {worst} "
            f"{figures[worst]:.2f}, coverage of p95 {np.mean(kept):.3f}, within 0.93–0.97 on {within} of "
            f"{len(kept)}, WorldCup98 unserved {', '.join(f'{share:.3f} %' for share in unserved)}",
            "",
        ]
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
