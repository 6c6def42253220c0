"""Figures of a workload that alerts are made from: forecasts and how they are kept, wishes, modes, rivals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import structlog
from evaluation_in_hand import InHand
from prometheus_client.parser import text_string_to_metric_families
from workload_making import NOW_S, running

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.outcome import Fault, Outcome
from autoscaler.controller.telling.metrics import Metrics, figures
from autoscaler.planning.observation import Outlook
from autoscaler.series import Grade

_ONE_STEP = np.zeros((1, 1))


@pytest.fixture
def hand() -> Iterator[InHand]:
    made = InHand()
    with structlog.testing.capture_logs():
        yield made
    made.close()


def _fan(coverage: float, judged: int) -> Fan:
    return Fan(
        made_at_s=NOW_S,
        step_s=60,
        lead=3,
        levels=np.array([0.95]),
        values=_ONE_STEP,
        peaks=_ONE_STEP,
        expected=np.zeros(2),
        model="ridge",
        grade=Grade.DAILY,
        note="",
        coverage=coverage,
        judged=judged,
    )


def _figures(hand: InHand, metrics: Metrics | None = None, **spec: Any) -> dict[str, float]:
    """What is exported of a workload with 3 replicas, a load of 55 and this spec, after one evaluation."""
    metrics = metrics or Metrics(15.0)
    one = hand.add("web", 3, 55.0, **spec)
    outcomes = hand.evaluate(one)
    metrics.evaluated("default", list(outcomes.values()), [one], 0.2)
    return _exported(metrics)


def _exported(metrics: Metrics) -> dict[str, float]:
    families = text_string_to_metric_families(metrics.text().decode())
    samples = [sample for family in families for sample in family.samples]
    return {
        sample.name.removeprefix("predictive_autoscaler_"): sample.value
        for sample in samples
        if sample.labels == {"namespace": "shop", "name": "web"}
    }


def test_a_forecast_is_usable_or_missing_or_not_wanted(hand: InHand) -> None:
    assert _figures(hand)["forecast_usable"] == 0.0
    hand.foresight.outlooks["shop/web"] = Outlook(75.0, 60.0, 12.0, "ridge")
    assert _figures(hand)["forecast_usable"] == 1.0
    assert "forecast_usable" not in _figures(hand, forecast={"model": "none"})


def test_how_well_forecasts_were_kept_is_told_once_one_was_judged(hand: InHand) -> None:
    metrics = Metrics(15.0)
    fans: dict[str, Fan] = {}
    metrics.watch_forecasts(fans.get)
    assert "forecast_coverage" not in _figures(hand, metrics)
    fans["shop/web"] = _fan(math.nan, judged=0)
    assert "forecast_coverage" not in _figures(hand, metrics)
    fans["shop/web"] = _fan(0.9, judged=40)
    told = _figures(hand, metrics)
    assert (told["forecast_coverage"], told["forecast_judged"]) == (0.9, 40.0)
    assert "forecast_coverage" not in _figures(hand, metrics, forecast={"model": "none"})


def test_a_wish_above_the_maximum_shows_beside_it(hand: InHand) -> None:
    told = _figures(hand, maxReplicas=4)
    assert (told["wished_replicas"], told["desired_replicas"], told["max_replicas"]) == (6.0, 4.0, 4.0)


@pytest.mark.parametrize(
    ("mode", "active"), [("Active", 1.0), ("ScaleOutOnly", 1.0), ("Recommend", 0.0), ("Paused", 0.0)]
)
def test_a_mode_that_writes_is_told_from_one_that_does_not(hand: InHand, mode: str, active: float) -> None:
    assert _figures(hand, mode=mode)["active"] == active


def test_what_undoes_our_writes_is_a_conflict_like_any_rival(
    hand: InHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _figures(hand)["conflict"] == 0.0
    monkeypatch.setattr(
        "autoscaler.controller.acting.foreign.ForeignWrites.fighting", lambda self, now_s: True
    )
    assert _figures(hand)["conflict"] == 1.0


def test_the_load_of_a_replica_is_no_number_until_it_is_configured_or_found_out(hand: InHand) -> None:
    assert _figures(hand)["load_per_replica"] == 10.0
    signals = [{"type": "Latency", "query": "latency", "threshold": "250ms"}]
    one = running(load={"query": "web", "perReplica": "auto"}, signals=signals)
    waiting = Outcome(one.workload, NOW_S, fault=Fault("CapacityUnknown", "not yet"))
    assert math.isnan(figures(waiting, one)["load_per_replica"])
    one.served.recall(80.0, NOW_S - 3600.0)
    one.served.recall(70.0, NOW_S)
    assert figures(waiting, one)["load_per_replica"] == 80.0
