"""A changed policy beside the present one and beside what happened, over the same past of one workload."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autoscaler.api.whatif.history import DAY_S, History, Unanswerable
from autoscaler.api.whatif.terms import Terms
from autoscaler.api.whatif.trial import Advance, Foresights, Tried, candidate, happened, tried
from autoscaler.backtest.scores import longest_run
from autoscaler.series import Floats, Ints
from autoscaler.spec.units import format_money, format_time
from autoscaler.spec.variation import WrittenPolicy

_MOST_POINTS = 2000
_LONG_GAP_STEPS = 60


def compared(
    present: WrittenPolicy,
    changed: WrittenPolicy,
    history: History,
    terms: Terms,
    foresights: Foresights,
    advance: Advance,
) -> dict[str, Any]:
    """The answer to a what-if, in plain JSON types; NaN where a figure cannot be known.

    Raises Unanswerable.
    """
    chosen_at = present.resource.spec.forecast.risk
    candidates = [candidate(policy, history, terms, chosen_at) for policy in (present, changed)]
    for one in candidates:
        check_reach(one.settings.horizon, history)
    advance(0.05, "forecasting and running the present policy")
    as_is = tried(candidates[0], history, terms, foresights)
    advance(0.5, "forecasting and running the changed policy")
    as_changed = as_is if candidates[0] == candidates[1] else tried(candidates[1], history, terms, foresights)
    runs = {"happened": happened(history, terms), "present": as_is, "changed": as_changed}
    return {
        **conditions(history, terms),
        "runs": {name: figures(run) for name, run in runs.items()},
        "series": _series(history, runs),
        "manifest": changed.as_yaml,
        "notes": notes(present, history, terms),
    }


def check_reach(lead_steps: int, history: History) -> None:
    """Refuse a lead time that could not be tried. Raises Unanswerable."""
    if lead_steps >= len(history.series):
        minutes = history.series.step_s // 60
        raise Unanswerable(
            f"the lead time of {lead_steps * minutes} minutes is as long as what has been recorded, "
            f"{len(history.series) * minutes} minutes"
        )


def conditions(history: History, terms: Terms) -> dict[str, Any]:
    """What every policy was tried under."""
    series, first = history.series, history.scored_from
    judged = history.judged_load[first:]
    return {
        "start": format_time(float(series.start_s + first * series.step_s)),
        "end": format_time(float(series.end_s + series.step_s)),
        "days": round(len(judged) * series.step_s / DAY_S, 3),
        "learningDays": round(first * series.step_s / DAY_S, 3),
        "unknownMinutes": int(np.isnan(judged).sum()) * series.step_s // 60,
        "perReplica": terms.per_replica,
        "startUpSeconds": terms.start_up_s,
        "replicaHourPrice": None if terms.price is None else format_money(terms.price),
    }


def figures(run: Tried) -> dict[str, Any]:
    """What one policy cost and what it missed."""
    scores, forecast = run.scores, run.forecast
    return {
        "replicaHours": round(scores.replica_hours, 3),
        "money": f"{scores.money:.2f}" if math.isfinite(scores.money) else None,
        "unservedShare": scores.unserved_share,
        "minutesShort": scores.minutes_short,
        "longestShortageSeconds": scores.longest_shortage_s,
        "changesPerDay": scores.changes_per_day,
        "forecast": None
        if forecast is None
        else {"model": forecast.model, "quantile": forecast.quantile, "coverage": forecast.coverage},
    }


def notes(present: WrittenPolicy, history: History, terms: Terms) -> list[str]:
    """What a reader has to know to trust the figures as far as they go, a sentence each."""
    spec = present.resource.spec
    told = []
    if spec.signals:
        names = ", ".join(signal.name for signal in spec.signals)
        told.append(
            f"Signals are not recorded: {names} in the runs are what the simulated pods would have shown."
        )
    if spec.mode == "Recommend":
        told.append("In mode Recommend somebody else scales: what happened is theirs, not the policy's.")
    if terms.start_up_measured:
        told.append(
            f"The lead time is {terms.start_up_s:g} s as measured of the pods; forecast.leadTime is not used."
        )
    if history.scored_from * history.series.step_s < DAY_S:
        told.append("There was less than a day to learn from; with more, forecasts will be better.")
    gap = longest_run(np.isnan(history.judged_load[history.scored_from :]))
    if gap >= _LONG_GAP_STEPS:
        told.append(
            f"The longest gap in what was recorded is {gap * history.series.step_s // 60} minutes; nothing "
            "is judged in gaps, and the counts there are paid for."
        )
    return told


def _series(history: History, runs: dict[str, Tried]) -> dict[str, Any]:
    """Of each of at most 2,000 stretches the step with the highest load: real moments, no peak lost."""
    first = history.scored_from
    load = history.series.values[first:]
    stretch = math.ceil(len(load) / _MOST_POINTS)
    at = first + _peaks(load, stretch)
    columns: dict[str, Any] = {
        "timestamp": history.series.times_s[at].tolist(),
        "load": _short(history.series.values[at]),
    }
    for name, run in runs.items():
        columns[f"{name}Asked"] = run.asked[at].tolist()
        columns[f"{name}Ready"] = [None if math.isnan(count) else int(count) for count in run.ready[at]]
    return {"columns": columns, "metadata": {"stepSeconds": stretch * history.series.step_s}}


def _peaks(load: Floats, stretch: int) -> Ints:
    """Index of the highest value in each stretch; its first where nothing is known."""
    filled = np.full(math.ceil(len(load) / stretch) * stretch, -np.inf)
    filled[: len(load)] = np.where(np.isnan(load), -np.inf, load)
    rows = filled.reshape(-1, stretch)
    highest: Ints = np.arange(len(rows)) * stretch + rows.argmax(axis=1)
    return highest


def _short(values: Floats) -> list[float | None]:
    """To five significant digits."""
    return [None if math.isnan(value) else float(f"{value:.5g}") for value in values.tolist()]
