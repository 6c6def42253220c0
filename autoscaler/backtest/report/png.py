"""One picture for a README or a chat: load against capacity, shortages, and the cost/overload front.

Of several traces the first is drawn. Long traces are thinned by minimum and maximum; shortages are
drawn from every step.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autoscaler.backtest import yardstick
from autoscaler.backtest.report.front import point_of, rival_front
from autoscaler.backtest.report.table import printable
from autoscaler.backtest.report.verdict import base_name, representative
from autoscaler.backtest.report.writing import Opening, atomic, write_bytes
from autoscaler.backtest.result import Comparison, Kind, Run, TraceResult
from autoscaler.backtest.scores import shortfall
from autoscaler.series import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _OURS, _RIVAL, _SHORT, _QUIET, _GRID = "#46525f", "#1f6feb", "#d9730d", "#d1242f", "#8a97a6", "#e4e8ed"
_MOST_POINTS = 4_000
_LEAST_SHOWN = 0.001
"""Per cent; a log axis cannot show 0."""


def write_png(comparison: Comparison, path: Path, opening: Opening = atomic) -> None:
    """Write the picture to `path`, whole or not at all; raises InputError."""
    write_bytes(path, png_bytes(comparison), opening)


def png_bytes(comparison: Comparison) -> bytes:
    """The picture, 1600 x 1000 pixels."""
    # Not at the top: matplotlib is slow to import, and most commands draw nothing.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    trace = comparison.traces[0]
    shown = representative(trace.runs) or trace.runs[0]
    figure = Figure(figsize=(12.8, 8), dpi=125, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    title = "\n".join(literal(line) for line in textwrap.wrap(trace.verdict, 92))
    figure.suptitle(title, x=0.012, ha="left", fontsize=14, fontweight="bold", color="#1b2430")
    top, bottom = figure.subplots(2, 1, height_ratios=[3, 2])
    _draw_timeline(top, trace, shown)
    _draw_front(bottom, trace)
    for axes in (top, bottom):
        axes.grid(color=_GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=_INK)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def thinned(values: Floats, most: int) -> tuple[Floats, Floats]:
    """Positions and values of the lowest and highest of each piece, at most about `most` of them.

    Order within a piece is kept. A piece without any known value is NaN, a gap.
    """
    if len(values) <= most:
        return np.arange(len(values), dtype=np.float64), values
    size = math.ceil(2 * len(values) / most)
    padded = np.concatenate([values, np.full(-len(values) % size, np.nan)]).reshape(-1, size)
    unknown = np.isnan(padded)
    low = np.where(unknown, np.inf, padded).argmin(axis=1)
    high = np.where(unknown, -np.inf, padded).argmax(axis=1)
    inside = np.sort(np.stack([low, high], axis=1), axis=1) + size * np.arange(len(padded))[:, np.newaxis]
    at = np.minimum(inside.ravel(), len(values) - 1)
    return at.astype(np.float64), values[at]


def literal(text: str) -> str:
    """Text that matplotlib shows as it is: a dollar sign would begin a formula."""
    return printable(text).replace("$", r"\$")


def _draw_timeline(axes: Axes, trace: TraceResult, shown: Run) -> None:
    begin, load = trace.scored_from, trace.series.values[trace.scored_from :]
    times = trace.series.times_s[begin:].astype("datetime64[s]")
    capacity = shown.ready[begin:] * trace.per_replica

    def line(values: Floats, **style: Any) -> None:
        at, thin = thinned(values, _MOST_POINTS)
        axes.plot(times[at.astype(np.int64)], thin, drawstyle="steps-post", **style)

    line(load, color=_INK, linewidth=0.7, label="load")
    line(
        capacity.astype(np.float64), color=_OURS, linewidth=1.2, label=f"capacity of {literal(shown.policy)}"
    )
    short = np.flatnonzero(np.nan_to_num(shortfall(load, shown.ready[begin:], trace.per_replica)) > 0.0)
    bars = (times[short], capacity[short], load[short])
    axes.vlines(*bars, color=_SHORT, linewidth=1.1, label="load above capacity")
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    axes.set_ylabel("load", color=_INK)
    axes.set_title(literal(trace.series.name), loc="left", fontsize=11, color=_INK)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, fontsize=9, frameon=False)


def _draw_front(axes: Axes, trace: TraceResult) -> None:
    rival = rival_front(trace)
    placed = [(run, point_of(trace, run)) for run in trace.runs]
    placed = [(run, point) for run, point in placed if math.isfinite(point.cost + point.overload)]
    points = [point for _, point in placed]
    most = 1.05 * max([1.6, *(point.cost for point in points)])
    within = rival.costs <= most
    lost = _shown(rival.overloads[within])
    axes.plot(rival.costs[within], lost, color=_RIVAL, linewidth=2, label="tuned HPA, every headroom")
    ours = [(base_name(run.policy), point) for run, point in placed if run.kind is Kind.POLICY]
    for base in dict.fromkeys(name for name, _ in ours):
        front = yardstick.Front.of([point for name, point in ours if name == base])
        axes.plot(front.costs, _shown(front.overloads), "o-", color=_OURS, linewidth=2, label=literal(base))
    for run, point in placed:
        _draw_point(axes, run, point)
    _scale_front(axes, points, most)


def _draw_point(axes: Axes, run: Run, point: yardstick.Point) -> None:
    place = (point.cost, max(point.overload, _LEAST_SHOWN))
    ours, oracle = run.kind is Kind.POLICY, run.kind is Kind.ORACLE
    if not ours:
        axes.plot(*place, "D" if oracle else "o", color=_QUIET if oracle else _INK, fillstyle="none")
    axes.annotate(
        literal(run.policy),
        place,
        xytext=(-7, -7) if ours else (7, 5),
        ha="right" if ours else "left",
        va="top" if ours else "bottom",
        textcoords="offset points",
        fontsize=8.5,
        color=_OURS if ours else _INK,
    )


def _scale_front(axes: Axes, points: Sequence[yardstick.Point], most: float) -> None:
    axes.set_yscale("log")
    axes.set_xscale("log")
    ticks = [tick for tick in (0.5, 0.7, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 2, 3, 5, 10, 20) if tick <= most]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    levels = (0.001, 0.01, 0.1, 1.0, 10.0)
    axes.set_yticks(levels, ["≤ 0.001", *(f"{level:g}" for level in levels[1:])])
    # After the ticks, which would widen them.
    axes.set_ylim(_LEAST_SHOWN * 0.6, max([2.0, *(1.5 * point.overload for point in points)]))
    axes.set_xlim(min([0.95, *(point.cost * 0.97 for point in points)]), most * 1.08)
    axes.set_xlabel("cost (1 = exactly what was needed)", color=_INK)
    axes.set_ylabel("load left unserved, %", color=_INK)
    axes.legend(loc="upper right", fontsize=9, framealpha=0.9, edgecolor=_GRID)


def _shown(per_cent: Floats) -> Floats:
    return np.maximum(per_cent, _LEAST_SHOWN)
