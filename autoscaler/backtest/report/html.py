"""The report for looking: one offline HTML file with charts, decisions, scores and the verdict.

This module prepares the data and the static markup, which already holds the verdict and every
score; `report.js` draws the charts. The full resolution travels with the page: what is drawn is
thinned to the view by minimum and maximum, and a shortage is never thinned away.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from autoscaler.backtest.report.front import point_of, rival_front
from autoscaler.backtest.report.page import escape, packed, page
from autoscaler.backtest.report.sections import (
    closing,
    guard_section,
    header,
    score_table,
    settings,
    summary,
    tiles,
)
from autoscaler.backtest.report.table import ranking
from autoscaler.backtest.report.verdict import base_name, representative
from autoscaler.backtest.report.writing import Opening, atomic, write_bytes
from autoscaler.backtest.result import Comparison, Explained, ForecastTrack, Kind, Run, TraceResult
from autoscaler.backtest.scores import need, runs_of, shortfall
from autoscaler.forecasting.accuracy import peak_ahead
from autoscaler.series import Floats, Ints

_MOST_DECISIONS = 5_000


def write_html(comparison: Comparison, path: Path, opening: Opening = atomic) -> None:
    """Write the report to `path`, whole or not at all; raises InputError."""
    write_bytes(path, html_page(comparison).encode("utf-8"), opening)


def html_page(comparison: Comparison) -> str:
    """The whole report as one document."""
    several = len(comparison.traces) > 1
    sections = [_section(i, trace, not several) for i, trace in enumerate(comparison.traces)]
    body = (
        header(comparison)
        + (summary(comparison) + _tabs(comparison) if several else "")
        + "<main>"
        + "".join(sections)
        + "</main>"
        + closing()
    )
    data = {"traces": [_trace_data(trace) for trace in comparison.traces]}
    return page("Backtest of scaling policies", body, data, ("chart.js", "report.js"))


def shortages(trace: TraceResult, run: Run) -> list[list[float]]:
    """Every unbroken shortage of a run, warm-up included, in the order of time.

    Each is [first step, steps, load left unserved, most replicas missing at once].
    """
    load = trace.series.values
    lost = np.nan_to_num(shortfall(load, run.ready, trace.per_replica))
    lacking = np.nan_to_num(need(load, trace.per_replica) - run.ready)
    first, last = runs_of(lost > 0.0)
    if not len(first):
        return []
    totals = np.add.reduceat(lost, np.stack([first, last], axis=1).ravel().clip(max=len(lost) - 1))[::2]
    # reduceat cannot name the end of the array, so a run that reaches it is summed on its own.
    totals[-1] = lost[first[-1] : last[-1]].sum()
    most = [int(lacking[a:b].max()) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    return [
        [a, b - a, _short(total), missing]
        for a, b, total, missing in zip(first.tolist(), last.tolist(), totals.tolist(), most, strict=True)
    ]


def _section(index: int, trace: TraceResult, alone: bool) -> str:
    shown = representative(trace.runs)
    several = len([run for run in trace.runs if run.kind is Kind.POLICY]) > 1
    hidden = " hidden" if index else ""
    return (
        f'<section class="trace" id="trace-{index}" data-trace="{index}"{hidden}>'
        f"<h2>{escape(trace.series.name)}</h2>"
        + (f'<p class="verdict-small">{escape(trace.verdict)}</p>' if not alone else "")
        + (tiles(shown) if shown is not None else "")
        + (_chooser(index, trace, shown) if several and shown is not None else "")
        + _chart("timeline", "Load and capacity", _TIMELINE_HELP)
        + _chart("lanes", "When each policy was short", _LANES_HELP)
        + f'<div class="card"><h3>Scores</h3>{score_table(trace)}</div>'
        + _chart("front", "Cost against overload", _FRONT_HELP)
        + (_chart("fan", "The forecast, and what came", _FAN_HELP) if _forecast_runs(trace) else "")
        + (_decision_card() if any(run.decisions for run in trace.runs) else "")
        + guard_section(trace)
        + settings(trace)
        + "</section>"
    )


_TIMELINE_HELP = (
    "Capacity is ready replicas times the load one serves. Red is load above capacity. Drag to zoom, "
    "double-click to see everything, pull the ends of the strip below; click a name to show or hide it."
)
_LANES_HELP = (
    "One row a policy; red where load was above its capacity. It follows the view of the chart above."
)
_FRONT_HELP = (
    "Left is cheaper, down is better served; cost 1 pays for exactly what was needed. The orange line is "
    "what a tuned reactive HPA reaches with every headroom: below that line a policy beats it. All points "
    "follow the simpler rules of that comparison, so they may lie a little off the scores."
)
_FAN_HELP = (
    "At each moment: the largest load expected within the lead time, and the largest that then came. "
    "A mark shows where more came than the upper line allowed for."
)


def _chart(kind: str, title: str, help_text: str) -> str:
    return (
        f'<div class="card"><h3>{title}</h3><p class="help">{help_text}</p>'
        f'<p class="note" data-note="{kind}"></p><div class="chart {kind}" data-chart="{kind}"></div></div>'
    )


def _decision_card() -> str:
    return (
        '<div class="card"><h3>Decisions</h3><p class="help">Every change in the count asked for and why. '
        "Choose a row to see it in the chart.</p>"
        '<div class="filters"><input type="search" data-filter="text" placeholder="Find in sentences" '
        'aria-label="Find in sentences"><select data-filter="reason" aria-label="Reason">'
        '<option value="">every reason</option></select>'
        '<label><input type="checkbox" data-filter="view"> only those in view</label></div>'
        '<p class="note" data-note="decisions"></p>'
        '<div class="scroll decisions"><table><thead><tr><th>time (UTC)</th><th class="n">from</th>'
        '<th class="n">to</th><th>why</th></tr></thead><tbody data-rows="decisions"></tbody></table>'
        "</div></div>"
    )


def _chooser(index: int, trace: TraceResult, shown: Run) -> str:
    options = "".join(
        f'<option value="{i}"{" selected" if run is shown else ""}>{escape(run.policy)}</option>'
        for i, run in enumerate(trace.runs)
        if run.kind is Kind.POLICY
    )
    return (
        f'<p class="chooser"><label for="policy-{index}">Policy shown below</label> '
        f'<select id="policy-{index}" data-policy>{options}</select></p>'
    )


def _tabs(comparison: Comparison) -> str:
    options = "".join(
        f'<option value="{i}">{escape(trace.series.name)}</option>'
        for i, trace in enumerate(comparison.traces)
    )
    return (
        '<p class="chooser"><label for="trace">Trace shown below</label> '
        f'<select id="trace">{options}</select></p>'
    )


def _forecast_runs(trace: TraceResult) -> bool:
    return any(run.forecast is not None for run in trace.runs)


def _trace_data(trace: TraceResult) -> dict[str, Any]:
    series = trace.series
    shown = representative(trace.runs)
    rival = rival_front(trace)
    return {
        "name": series.name,
        "startMs": series.start_s * 1000,
        "stepMs": series.step_s * 1000,
        "length": len(series),
        "perReplica": trace.per_replica,
        "scoredFrom": trace.scored_from,
        "load": packed(series.values, "f4"),
        "shown": next((i for i, run in enumerate(trace.runs) if run is shown), -1),
        "order": _order(trace.runs),
        "rival": {"costs": rival.costs.tolist(), "overloads": rival.overloads.tolist()},
        "runs": [_run_data(trace, run) for run in trace.runs],
    }


def _run_data(trace: TraceResult, run: Run) -> dict[str, Any]:
    at, to = _changes(run.ready)
    kept = _largest(run.decisions)
    point = point_of(trace, run)
    return {
        "name": run.policy,
        "base": base_name(run.policy),
        "kind": run.kind.value,
        "cost": _number(point.cost),
        "unserved": _number(point.overload),
        "readyAt": packed(at, "i4"),
        "readyTo": packed(to, "i4"),
        "shortages": shortages(trace, run),
        "decisions": [[d.index, d.before, d.after, d.sentence, list(d.reasons)] for d in kept],
        "decisionsMade": len(run.decisions),
        "guards": [
            [guard.reason, guard.times, guard.replica_hours_added, guard.replica_hours_removed]
            for guard in run.guards
        ],
        "forecast": None if run.forecast is None else _forecast_data(trace.series.values, run.forecast),
    }


def _forecast_data(load: Floats, track: ForecastTrack) -> dict[str, Any]:
    return {
        "model": track.model,
        "note": track.note,
        "quantile": track.quantile,
        "leadSteps": track.lead_steps,
        "coverage": _number(track.coverage),
        "median": packed(track.median, "f4"),
        "upper": packed(track.upper, "f4"),
        "came": packed(peak_ahead(load, track.lead_steps), "f4"),
    }


def _order(runs: tuple[Run, ...]) -> list[int]:
    """Positions of the runs, best first, the oracle last."""
    places = {id(run): i for i, run in enumerate(runs)}
    best_first = sorted(ranking(runs), key=lambda run: run.kind is Kind.ORACLE)
    return [places[id(run)] for run in best_first]


def _changes(counts: Ints) -> tuple[Ints, Ints]:
    """A step function as where it changes and what it changes to, beginning with step 0."""
    at = np.concatenate([[0], np.flatnonzero(np.diff(counts)) + 1])
    return at, counts[at]


def _largest(decisions: tuple[Explained, ...]) -> list[Explained]:
    """All decisions, or where there are too many to show the largest changes, in order of time."""
    if len(decisions) <= _MOST_DECISIONS:
        return list(decisions)
    largest = sorted(decisions, key=lambda d: -abs(d.after - d.before))[:_MOST_DECISIONS]
    return sorted(largest, key=lambda d: d.index)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _short(value: float) -> float:
    return float(f"{value:.5g}")
