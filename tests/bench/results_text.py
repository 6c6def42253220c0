"""The results page as Markdown: measurements in, text out. Every sentence with a number is computed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from string import Template

from autoscaler.backtest.yardstick import COSTS, geometric_mean
from autoscaler.forecasting.registry import NAMES, SLOW
from tests.bench.bars import KEPT, Alone, bars
from tests.bench.equal_cost import STATED, Measured

SMOOTH = ("ms_mongo_app_02_1min", "tencent_crane_09_1min", "tencent_crane_13_1min")
"""Traces so smooth that every forecast is nearly perfect; they weigh heavily in a geometric mean."""

COMMAND = "make bench-forecast"
_LEVEL_SHARE = 0.02

_INTRODUCTION = """# Forecasting models on recorded traffic

How much load each model leaves unserved, against a reactive autoscaler tuned to cost exactly as much.
Made by `$COMMAND` from recorded 1-minute traces; nothing on this page is written by hand.

## How it was measured

- The policy is the default one, as of `autoscaler backtest FILE --fleet 20 --start-up 5m --model MODEL`:
  every decision passes through the whole decision core, with HPA's default `behavior`, and is made
  having seen only what had been recorded by then. Models are fitted again every 6 hours.
- The learned model that `auto` uses was trained without the trace it is measured on, and without near twins
  of it: five models, each without a fifth of the traces.
- One policy for each forecast quantile from 0.05 to 0.995 gives a front of cost against overload.
  Levels beyond the costs that are read are not run.
- The rival takes the mean of the last 3 minutes times a headroom, rounds up, and holds the maximum of
  the last 6 minutes. Its headroom is swept from 0.7 to 3, which gives its front.
- Both fronts are read at costs $COSTS; 1.00 pays for exactly what
  was needed. The figure of a trace is the median over these costs of (our overload + 0.002) / (the
  rival's + 0.002), overload in per cent of the load. **Below 1 is better than the tuned rival.** `(3/5)`
  says that only three of the five costs lie on both fronts, `n/a` that none does. Nothing is
  extrapolated.
- Capacity per replica is the mean load / 20. The first 7 days are not scored (2 days of traces
  shorter than 12). All details: [scores](scores.md).
"""

_CAVEATS = """## What to keep in mind

- Figures depend on the code and the traces only: no clock and no random choice enters them.
- Our policy never asks for less than the newest sample of load needs and holds that for five minutes
  (HPA's default stabilization). On loads that jump from minute to minute this alone costs more than the
  costs compared here, however low the quantile. Those are most of the `n/a`, and they are no win: on the
  least regular of them the rival does not reach these costs either, but on others (nasa_http_1995_1min)
  its mean of three minutes does.
- A trace's figure says nothing about how large the overload is. On smooth traces both sides leave next
  to nothing.
- The rival's headroom is chosen in hindsight for each cost, the policy states its risk beforehand. That
  makes the comparison harder for the policy, on purpose. The quantile that meets a cost is also found in
  hindsight.
"""


_BARS = """
## Against the bars

The forecaster by itself is what `python -m tests.bench.peak_forecast` measures, without a policy: quantiles
of the peak turned into replicas, each trace by trees trained without it ([card](../models/peaks.md)).
"""


def page(found: Sequence[Measured], models: Sequence[str], alone: Sequence[Alone] = ()) -> str:
    """The whole page. alone: what was found of the forecaster by itself."""
    start_ups = sorted({one.start_up_s for one in found})
    every = tuple(models) == NAMES
    command = COMMAND if every else f'{COMMAND} ARGS="--models {" ".join(models)}"'
    costs = ", ".join(f"{cost:.2f}" for cost in COSTS)
    parts = [
        Template(_INTRODUCTION).substitute(COMMAND=command, COSTS=costs),
        "## In words\n",
        *(_reading(found, models, start_up_s) for start_up_s in start_ups),
    ]
    against = bars(found, alone)
    if against:
        parts.append(f"{_BARS}\n{against}")
    for start_up_s in start_ups:
        title = f"Start-up {start_up_s / 60:g} minutes"
        mine = [one for one in found if one.start_up_s == start_up_s]
        parts.append(
            f"\n## {title}: overload at equal cost\n\n{_summary(mine, models)}\n{_by_trace(mine, models)}"
        )
        parts.append(
            f"\n## {title}: coverage of the stated p{100 * STATED:g}\n\n"
            "Share of minutes whose following peak stayed within the forecast quantile; 0.95 is exact.\n\n"
            + _table(mine, models, lambda one: f"{one.coverage:.3f}")
        )
    parts.append(f"\n{_left_out(models)}\n{_CAVEATS}")
    return "\n".join(parts)


def _reading(found: Sequence[Measured], models: Sequence[str], start_up_s: float) -> str:
    """A paragraph about one start-up time."""
    means = {model: geometric_mean([one.figure for one in _of(found, model, start_up_s)]) for model in models}
    known = {model: mean for model, mean in means.items() if math.isfinite(mean)}
    if not known:
        return f"- **{start_up_s / 60:g} minutes:** no trace could be compared at equal cost."
    best = min(known, key=lambda model: known[model])
    own = _of(found, best, start_up_s)
    figures = {one.trace: one.figure for one in own if math.isfinite(one.figure)}
    better = [trace for trace, figure in figures.items() if figure < 1 - _LEVEL_SHARE]
    worse = [trace for trace, figure in figures.items() if figure > 1 + _LEVEL_SHARE]
    lowest, highest = min(figures, key=lambda t: figures[t]), max(figures, key=lambda t: figures[t])
    kept = sum(KEPT[0] <= one.coverage <= KEPT[1] for one in own)
    level = len(figures) - len(better) - len(worse)
    return (
        f"- **{start_up_s / 60:g} minutes:** the best model over all traces is `{best}`, which leaves "
        f"{known[best]:.2f} of the tuned rival's overload in the geometric mean. It is better on "
        f"{len(better)} of {len(figures)} comparable traces, level on {level} and worse on {len(worse)}: "
        f"best on {lowest} ({figures[lowest]:.2f}), worst on {highest} ({figures[highest]:.2f}). "
        f"{len(own) - len(figures)} of {len(own)} traces cannot be compared at these costs. "
        f"Its p{100 * STATED:g} was kept (coverage {KEPT[0]:.2f} to {KEPT[1]:.2f}) on {kept} of {len(own)}."
    )


def _summary(found: Sequence[Measured], models: Sequence[str]) -> str:
    lines = [
        "| model | geometric mean | … without the very smooth | median | worst "
        "| better / level / worse | n/a |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for model in models:
        own = [one for one in found if one.model == model]
        figures = [one.figure for one in own if math.isfinite(one.figure)]
        rough = [one.figure for one in own if one.trace not in SMOOTH]
        better = sum(figure < 1 - _LEVEL_SHARE for figure in figures)
        worse = sum(figure > 1 + _LEVEL_SHARE for figure in figures)
        middle = statistics.median(figures) if figures else math.nan
        means = f"{_number(geometric_mean(figures))} | {_number(geometric_mean(rough))} | {_number(middle)}"
        worst = _number(max(figures, default=math.nan))
        tally = f"{better} / {len(figures) - better - worse} / {worse}"
        lines.append(f"| {model} | {means} | {worst} | {tally} | {len(own) - len(figures)} |")
    smooth = ", ".join(SMOOTH)
    return "\n".join(lines) + f"\n\nVery smooth: {smooth}. Level: within {100 * _LEVEL_SHARE:g} per cent.\n"


def _by_trace(found: Sequence[Measured], models: Sequence[str]) -> str:
    return _table(found, models, _cell)


def _cell(one: Measured) -> str:
    if not math.isfinite(one.figure):
        return f"n/a (cost from {one.cheapest:.2f})"
    reached = sum(math.isfinite(ratio) for ratio in one.ratios)
    return f"{one.figure:.2f}" if reached == len(COSTS) else f"{one.figure:.2f} ({reached}/{len(COSTS)})"


def _table(found: Sequence[Measured], models: Sequence[str], cell: Callable[[Measured], str]) -> str:
    by_place = {(one.trace, one.model): one for one in found}
    days = {one.trace: one.days for one in found}
    lines = [f"| trace | days scored | {' | '.join(models)} |", f"|---|---:|{'---:|' * len(models)}"]
    for trace in sorted(days):
        cells = (by_place.get((trace, model)) for model in models)
        shown = " | ".join("not run" if one is None else cell(one) for one in cells)
        lines.append(f"| {trace} | {days[trace]:.0f} | {shown} |")
    return "\n".join(lines) + "\n"


def _left_out(models: Iterable[str]) -> str:
    """What was not measured, and why."""
    lines = [
        "## What was left out\n",
        "- Traces shorter than their warm-up and half a day have nothing to score.",
    ]
    slow = [name for name in SLOW if name in models]
    missing = [name for name in SLOW if name not in models]
    if slow:
        lines.append(f"- Slow models ({', '.join(slow)}) are fitted once a day, and not on traces of months.")
    others = [name for name in NAMES if name not in (*models, *SLOW)]
    if others:
        lines.append(f"- {', '.join(others)}: not asked for with `--models`.")
    if missing:
        lines.append(
            f"- {', '.join(missing)}: fitted trace by trace in seconds instead of milliseconds, which makes "
            "hours for all traces. `--models` includes them, fitted once a day."
        )
    return "\n".join(lines) + "\n"


def _of(found: Sequence[Measured], model: str, start_up_s: float) -> list[Measured]:
    return [one for one in found if one.model == model and one.start_up_s == start_up_s]


def _number(figure: float) -> str:
    return f"{figure:.2f}" if math.isfinite(figure) else "n/a"
