"""A what-if shows what the backtest of the same load shows, and beside it what happened."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import yaml
from recorded_past import PER_REPLICA, WORKLOAD, manifest, observed, state

from autoscaler.api.whatif import trial
from autoscaler.api.whatif.comparison import compared
from autoscaler.api.whatif.history import History, Unanswerable, history_of
from autoscaler.api.whatif.manifest import changed, present
from autoscaler.api.whatif.terms import Terms, terms_of
from autoscaler.api.whatif.trial import Foresights, Tried, candidate, tried
from autoscaler.backtest.candidate import candidate_of
from autoscaler.backtest.case import Case
from autoscaler.backtest.result import Run
from autoscaler.backtest.runner import compare
from autoscaler.backtest.scores import score
from autoscaler.backtest.simulation import World

FORESIGHTS = Foresights()


def _what_if(
    patch: dict[str, Any],
    spec: dict[str, Any] | None = None,
    history: History | None = None,
    live: Any = None,
) -> dict[str, Any]:
    as_is = present(manifest(**(spec or {})))
    after = changed(as_is, patch)
    past = history or history_of(WORKLOAD, observed(1.5), 1)
    terms = terms_of(as_is, after, live or state())
    return compared(as_is, after, past, terms, FORESIGHTS, lambda share, message: None)


def _backtest(spec: dict[str, Any], history: History, quantile: float | None = None) -> Run:
    resource = present(manifest(**spec)).resource
    world = World(per_replica=PER_REPLICA, start_up_s=180.0)
    policy = candidate_of(resource, history.series, world, None)
    if quantile is not None:
        policy = policy.at_quantile(quantile)
    case = Case(history.series, world, 0.12, history.scored_from, (policy,), ())
    return compare([case]).traces[0].runs[0]


@pytest.mark.parametrize("model", ["trend", "auto", "none"])
def test_an_empty_patch_gives_what_the_backtest_of_the_same_load_gives(model: str) -> None:
    spec: dict[str, Any] = {
        "forecast": {"model": model, "leadTime": "180s"},
        "spend": {"replicaHourPrice": "0.12"},
    }
    history = history_of(WORKLOAD, observed(3), 2)
    answer = _what_if({}, spec, history)
    run = _backtest(spec, history)
    shown = answer["runs"]["changed"]
    assert shown == answer["runs"]["present"]
    assert shown["replicaHours"] == round(run.scores.replica_hours, 3)
    assert shown["money"] == f"{run.scores.money:.2f}"
    assert shown["unservedShare"] == run.scores.unserved_share
    assert shown["minutesShort"] == run.scores.minutes_short
    assert shown["longestShortageSeconds"] == run.scores.longest_shortage_s
    assert shown["changesPerDay"] == run.scores.changes_per_day
    assert run.forecast is not None
    np.testing.assert_equal(shown["forecast"]["coverage"], run.forecast.coverage)


def test_a_changed_quantile_gives_what_the_backtest_at_that_quantile_gives() -> None:
    history = history_of(WORKLOAD, observed(1.5), 1)
    answer = _what_if({"forecast": {"quantile": "0.5"}}, history=history)
    run = _backtest({}, history, quantile=0.5)
    assert answer["runs"]["changed"]["unservedShare"] == run.scores.unserved_share
    assert answer["runs"]["changed"]["replicaHours"] == round(run.scores.replica_hours, 3)


def test_a_lower_quantile_costs_less_and_misses_more() -> None:
    runs = _what_if({"forecast": {"quantile": "0.5"}})["runs"]
    assert runs["changed"]["replicaHours"] < runs["present"]["replicaHours"]
    assert runs["changed"]["unservedShare"] > runs["present"]["unservedShare"]


def test_what_happened_is_the_recorded_counts_scored_as_they_were() -> None:
    rows = observed(1.5)
    history = history_of(WORKLOAD, rows, 1)
    happened = _what_if({}, history=history)["runs"]["happened"]
    scored = rows[history.scored_from :]
    asked = np.array([row.asked for row in scored])
    ready = np.array([row.ready for row in scored])
    load = np.array([row.load for row in scored])
    assert happened["replicaHours"] == round(float(asked.sum()) / 60, 3)
    lacking = np.maximum(0.0, load - ready * PER_REPLICA)
    assert happened["unservedShare"] == pytest.approx(lacking.sum() / load.sum())
    assert happened["minutesShort"] == np.count_nonzero(lacking > 1e-9 * load)
    assert happened["forecast"] is None


def test_pods_that_are_given_less_each_are_headroom_and_not_weaker_pods() -> None:
    runs = _what_if({"load": {"perReplica": 8}})["runs"]
    assert runs["changed"]["replicaHours"] > runs["present"]["replicaHours"]
    assert runs["changed"]["unservedShare"] < runs["present"]["unservedShare"]


def test_the_series_keeps_every_peak_in_at_most_two_thousand_points() -> None:
    history = history_of(WORKLOAD, observed(3), 2)
    series = _what_if({}, history=history)["series"]
    columns = series["columns"]
    assert list(columns) == [
        "timestamp", "load",
        "happenedAsked", "happenedReady", "presentAsked", "presentReady", "changedAsked", "changedReady",
    ]  # fmt: skip
    assert {len(column) for column in columns.values()} == {1440}
    assert series["metadata"] == {"stepSeconds": 120}
    load = history.series.values[history.scored_from :]
    assert max(columns["load"]) == pytest.approx(load.max(), rel=1e-4)
    at = (np.array(columns["timestamp"]) - history.series.start_s) // 60
    np.testing.assert_allclose(columns["load"], history.series.values[at], rtol=1e-4)
    assert columns["happenedAsked"] == history.asked[at].tolist()


def test_minutes_without_load_are_told_and_judged_for_nobody() -> None:
    rows = observed(1.5)
    del rows[1000:1200]
    history = history_of(WORKLOAD, rows, 1)
    answer = _what_if({}, history=history)
    assert answer["unknownMinutes"] == 198  # two steps are still within reach of the last observation
    assert None in answer["series"]["columns"]["load"]
    assert None in answer["series"]["columns"]["happenedReady"]
    assert any("longest gap in what was recorded is 198 minutes" in note for note in answer["notes"])
    assert answer["runs"]["changed"]["unservedShare"] < 0.1


def test_minutes_without_a_known_count_of_ready_pods_are_judged_for_nobody() -> None:
    history = history_of(WORKLOAD, observed(1.5), 1)
    ready = history.ready.copy()
    ready[1000:1600] = math.nan
    without = History(history.series, history.asked, ready, history.scored_from)
    answer = _what_if({}, history=without)
    assert answer["unknownMinutes"] == 600
    as_is = present(manifest())
    terms = terms_of(as_is, as_is, state())
    run = _run(as_is, history, terms)
    load = history.series.values.copy()
    load[1000:1600] = math.nan
    scores = score(load, run.asked, run.ready.astype(int), 10.0, 60, 0.0, history.scored_from, None)
    assert answer["runs"]["present"]["unservedShare"] == scores.unserved_share


def _run(policy: Any, history: History, terms: Terms) -> Tried:
    return tried(candidate(policy, history, terms, 0.95), history, terms, FORESIGHTS)


@pytest.mark.parametrize(
    ("spend", "patch", "price"),
    [
        pytest.param(None, {}, None, id="unknown without a price"),
        pytest.param("0.12", {}, "0.12", id="the spec's"),
        pytest.param("0.12", {"spend": {"replicaHourPrice": "0.2"}}, "0.2", id="the patch's for all"),
        pytest.param(None, {"spend": {"replicaHourPrice": "0.2"}}, "0.2", id="a first one"),
        pytest.param("0.12", {"spend": None}, "0.12", id="limits dropped"),
    ],
)
def test_money_is_reckoned_at_one_price_for_all(spend: str | None, patch: Any, price: str | None) -> None:
    answer = _what_if(patch, {"spend": {"replicaHourPrice": spend}} if spend else {})
    assert answer["replicaHourPrice"] == price
    for run in answer["runs"].values():
        expected = None if price is None else f"{run['replicaHours'] * float(price):.2f}"
        assert run["money"] == expected


def test_a_tight_budget_saves_money_and_serves_less() -> None:
    price: dict[str, Any] = {"replicaHourPrice": "1"}
    free = _what_if({"spend": price})
    # The budget is of a UTC day; what is scored is about one.
    half = float(free["runs"]["present"]["money"]) / free["days"] / 2
    tight = _what_if({"spend": price | {"dailyBudget": f"{half:.2f}"}})
    assert tight["runs"]["present"] == free["runs"]["present"]
    spent, without = tight["runs"]["changed"], free["runs"]["changed"]
    assert float(spent["money"]) < float(without["money"])
    assert spent["unservedShare"] > without["unservedShare"]
    assert spent["minutesShort"] > without["minutesShort"]


def test_a_measured_lead_time_counts_whatever_is_configured() -> None:
    live = state(leadTime={"seconds": 420.0, "source": "Measured"})
    answer = _what_if({"forecast": {"leadTime": "30s"}}, live=live)
    assert answer["startUpSeconds"] == 420.0
    assert answer["runs"]["changed"] == answer["runs"]["present"]
    assert any("420 s as measured" in note for note in answer["notes"])


def test_a_configured_lead_time_can_be_tried_while_pods_stay_as_slow_as_they_are() -> None:
    runs = _what_if({"forecast": {"leadTime": "30s"}})["runs"]
    assert runs["changed"]["unservedShare"] > runs["present"]["unservedShare"]


def test_a_capacity_that_is_found_out_is_taken_from_the_state() -> None:
    spec = {
        "load": {"query": "q", "perReplica": "auto"},
        "signals": [{"type": "Errors", "query": "e", "threshold": "5%"}],
    }
    assert _what_if({}, spec, live=state(perReplica=10.0))["perReplica"] == 10.0
    with pytest.raises(Unanswerable, match="not known yet"):
        _what_if({}, spec, live=state(perReplica=None))


def test_what_signals_and_modes_mean_for_the_figures_is_said() -> None:
    spec = {"mode": "Recommend", "signals": [{"type": "CPU", "query": "c", "targetUtilization": 70}]}
    notes = _what_if({}, spec)["notes"]
    assert any("cpu" in note and "simulated pods" in note for note in notes)
    assert any("Recommend" in note for note in notes)


def test_a_lead_time_as_long_as_the_history_is_refused() -> None:
    with pytest.raises(Unanswerable, match="lead time of 1440 minutes"):
        _what_if({"forecast": {"leadTime": "24h"}}, history=history_of(WORKLOAD, observed(0.2), 2))


def test_the_manifest_is_whole_and_ready_to_be_applied() -> None:
    patch = {"forecast": {"quantile": "0.99"}, "maxReplicas": 80, "cooldown": {"scaleDown": "10m"}}
    answer = _what_if(patch)
    read = yaml.safe_load(answer["manifest"])
    assert read["apiVersion"] == "predictive-autoscaler.dev/v1alpha1"
    assert read["metadata"] == {"name": "checkout", "namespace": "shop", "labels": {"team": "shop"}}
    assert read["spec"]["forecast"] == {"model": "trend", "leadTime": "180s", "quantile": "0.99"}
    assert read["spec"]["maxReplicas"] == 80
    assert read["spec"]["cooldown"] == {"scaleDown": "10m"}
    assert read["spec"]["scaleTargetRef"] == {"kind": "Deployment", "name": "checkout"}


def test_policies_that_differ_in_their_quantile_or_guards_share_one_forecast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    monkeypatch.setattr(trial, "foreseen", lambda *given, real=trial.foreseen: made.append(1) or real(*given))
    as_is, foresights = present(manifest()), Foresights()
    history = history_of(WORKLOAD, observed(0.5), 0.3)

    def forecasts_for(patch: dict[str, Any], past: History) -> int:
        before, after = len(made), changed(as_is, patch)
        terms = terms_of(as_is, after, state())
        compared(as_is, after, past, terms, foresights, lambda share, message: None)
        return len(made) - before

    assert forecasts_for({"forecast": {"quantile": "0.5"}}, history) == 1
    assert forecasts_for({"forecast": {"quantile": "0.7"}, "cooldown": {"scaleDown": "1h"}}, history) == 0
    assert forecasts_for({"forecast": {"leadTime": "10m"}}, history) == 1
    assert forecasts_for({}, history_of(WORKLOAD, observed(0.5, seed=2), 0.3)) == 1


def test_progress_only_grows() -> None:
    told: list[float] = []
    as_is = present(manifest())
    after = changed(as_is, {"minReplicas": 5})
    terms = terms_of(as_is, after, state())
    history = history_of(WORKLOAD, observed(1), 0.5)
    compared(as_is, after, history, terms, FORESIGHTS, lambda share, message: told.append(share))
    assert told == sorted(told)
    assert 0.0 <= told[0] <= told[-1] < 1.0
