"""Score `auto` against every classic model on recorded loads whose steps are no minute.

    python -m tests.bench.other_steps --traces ../shared/traces --out other-steps.json

Forecasts by themselves, no policy: pinball loss of the p95 of the peak over the lead time, and overload at
equal cost as `peak_forecast_score` has it. Leads of 5 and 15 minutes, or one step where that is longer. The
warm-up is the yardstick's, or half of a load that is shorter than four days.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from autoscaler.backtest.foresight import foresee
from autoscaler.backtest.yardstick import warm_up_s
from autoscaler.forecasting.accuracy import peak_ahead, pinball_each
from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings
from autoscaler.forecasting.registry import AUTO, FAST, forecaster
from autoscaler.signals.recorded import read_recorded
from tests.bench.peak_forecast_score import scored

_LEADS_S = (300, 900)
_HISTORY_S, _REFIT_S = 28 * DAY_S, DAY_S / 4
_QUANTILE = 0.95
_LEVEL = 1.001
"""Losses closer than this are the same."""


@dataclass(frozen=True, slots=True)
class Measured:
    """loss: pinball, over the mean load. figure: overload over the tuned rival's; NaN where costs cannot be
    compared."""

    trace: str
    step_s: int
    lead_s: int
    model: str
    loss: float
    figure: float
    coverage: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description="measure auto on loads with other steps than a minute")
    parser.add_argument("--traces", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="JSON with every figure")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    traces = [path for path in sorted(options.traces.glob("*.csv.gz")) if "_1min" not in path.name]
    # BLAS threads wait for each other by spinning. Read when numpy is loaded, hence fresh processes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    found: list[Measured] = []
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(_measured, trace) for trace in traces]
        for done in as_completed(asked):
            found += done.result()
            found.sort(key=lambda one: (one.step_s, one.trace, one.lead_s))
            options.out.write_text(json.dumps([asdict(one) for one in found], indent=1))
            print(f"{len({one.trace for one in found})} of {len(traces)} loads", file=sys.stderr, flush=True)
    print(_table(found))


def _measured(path: Path) -> list[Measured]:
    series = read_recorded(path, columns=())
    step_s = series.step_s
    if step_s >= DAY_S:
        return []
    duration_s = len(series) * step_s
    warm_up = warm_up_s(duration_s) if duration_s >= 4 * DAY_S else duration_s / 2
    first, mean = int(warm_up // step_s), float(np.nanmean(series.values))
    found = []
    for lead in sorted({max(1, math.ceil(lead_s / step_s)) for lead_s in _LEADS_S}):
        came = peak_ahead(series.values, lead)[first:]
        for model in (*FAST, AUTO):
            settings = ForecastSettings(horizon=lead)
            made = foresee(series, forecaster(model), settings, _HISTORY_S, _REFIT_S)
            loss = pinball_each(came, made.at_quantile(_QUANTILE)[first:], _QUANTILE)
            score = scored(path.name, series.values, made.peaks, made.levels, step_s, lead, first)
            name = path.name.removesuffix(".csv.gz")
            found.append(
                Measured(
                    name,
                    step_s,
                    lead * step_s,
                    model,
                    float(np.nanmean(loss)) / mean,
                    score.figure,
                    score.coverage,
                )
            )
    return found


def _table(found: Sequence[Measured]) -> str:
    lines = [
        "| load | lead | best classic | its loss | auto's | auto over it | overload: classic | auto | kept |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    better = {"all": [0, 0], "sub-minute": [0, 0], "5 minutes and more": [0, 0]}
    for trace, lead_s in dict.fromkeys((one.trace, one.lead_s) for one in found):
        rows = [one for one in found if (one.trace, one.lead_s) == (trace, lead_s)]
        (auto,) = (one for one in rows if one.model == AUTO)
        best = min((one for one in rows if one.model != AUTO), key=lambda one: one.loss)
        classic = [one.figure for one in rows if one.model != AUTO and math.isfinite(one.figure)]
        ratio = auto.loss / best.loss if best.loss > 0 else 1.0
        for kind in ("all", "sub-minute" if auto.step_s < 60 else "5 minutes and more"):
            better[kind][0] += ratio <= _LEVEL
            better[kind][1] += 1
        lines.append(
            f"| {trace} | {lead_s / 60:g} min | {best.model} | {best.loss:.4f} | {auto.loss:.4f} "
            f"| {ratio:.2f} "
            f"| {min(classic, default=math.nan):.2f} | {auto.figure:.2f} | {auto.coverage:.3f} |"
        )
    for kind, (count, of) in better.items():
        lines.append(f"\n{kind}: at least as good as the best classic model on {count} of {of}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
