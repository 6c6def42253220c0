"""A policy search finds the front of cost against shortage, each point of which a what-if confirms."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import strategies as st
from recorded_past import WORKLOAD, manifest, observed, state

from autoscaler.api.whatif.comparison import compared
from autoscaler.api.whatif.history import Unanswerable, history_of
from autoscaler.api.whatif.manifest import changed, present
from autoscaler.api.whatif.search import searched
from autoscaler.api.whatif.terms import terms_of
from autoscaler.api.whatif.trial import Foresights
from autoscaler.spec import read_text

FORESIGHTS = Foresights()
HISTORY = history_of(WORKLOAD, observed(1), 0.5)


def _search(quantiles: int, **spec: Any) -> dict[str, Any]:
    as_is = present(manifest(**spec))
    terms = terms_of(as_is, as_is, state())
    return searched(as_is, HISTORY, terms, FORESIGHTS, lambda share, message: None, quantiles)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return _search(3)


def test_every_quantile_is_tried_with_every_window(found: dict[str, Any]) -> None:
    tried = {(point["quantile"], point["scaleDownWindowSeconds"]) for point in found["points"]}
    assert tried == {(quantile, window) for quantile in (0.5, 0.934, 0.995) for window in (60, 300, 900)}


def test_no_point_on_the_front_is_beaten_in_both_and_every_other_one_is(found: dict[str, Any]) -> None:
    points = [(p["replicaHours"], p["unservedShare"], p["onFront"]) for p in found["points"]]
    for cost, shortage, on_front in points:
        as_good = [p for p in points if p[0] <= cost and p[1] <= shortage and p[:2] != (cost, shortage)]
        assert not (on_front and as_good)
        if not on_front:
            assert as_good or points.count((cost, shortage, True)) == 1
    assert points == sorted(points, key=lambda point: point[:2])
    assert 2 <= sum(on_front for *_, on_front in points) < len(points)


def test_points_on_the_front_carry_a_manifest_that_gives_what_they_promise(found: dict[str, Any]) -> None:
    as_is = present(manifest())
    for point in found["points"]:
        if not point["onFront"]:
            assert point["manifest"] is None
            continue
        read = read_text(point["manifest"], "manifest")
        assert not read.problems
        assert yaml.safe_load(point["manifest"])["spec"]["forecast"]["quantile"] == str(point["quantile"])
        after = changed(as_is, point["patch"])
        assert read.resources[0].resource.spec == after.resource.spec
        terms = terms_of(as_is, after, state())
        answer = compared(as_is, after, HISTORY, terms, FORESIGHTS, lambda share, message: None)
        for figure in ("replicaHours", "unservedShare", "minutesShort", "changesPerDay"):
            assert answer["runs"]["changed"][figure] == point[figure]
        assert answer["runs"]["present"] == found["present"]
        assert answer["runs"]["happened"] == found["happened"]


def test_of_a_policy_with_an_objective_quantiles_are_tried_in_its_place() -> None:
    found = _search(2, objective={"unserved": "1%"})
    assert {point["patch"]["objective"] for point in found["points"]} == {None}
    assert all("objective" not in point["manifest"] for point in found["points"] if point["onFront"])


def test_the_present_window_is_among_those_tried() -> None:
    answer = _search(2, behavior={"scaleDown": {"stabilizationWindowSeconds": 120}})
    assert {point["scaleDownWindowSeconds"] for point in answer["points"]} == {60, 120, 300, 900}


def test_without_a_forecast_there_is_no_quantile_to_search_over() -> None:
    answer = _search(5, forecast={"model": "none"})
    assert [point["quantile"] for point in answer["points"]] == [None, None, None]


def test_forecasts_are_made_once_for_all_points(monkeypatch: pytest.MonkeyPatch) -> None:
    from autoscaler.api.whatif import trial

    made = []
    monkeypatch.setattr(trial, "foreseen", lambda *given, real=trial.foreseen: made.append(1) or real(*given))
    as_is = present(manifest())
    terms = terms_of(as_is, as_is, state())
    searched(as_is, HISTORY, terms, Foresights(), lambda share, message: None, 2)
    assert made == [1]


def test_progress_tells_each_run() -> None:
    told: list[tuple[float, str]] = []
    as_is = present(manifest())
    terms = terms_of(as_is, as_is, state())
    searched(as_is, HISTORY, terms, FORESIGHTS, lambda *news: told.append(news), 2)
    assert [share for share, _ in told] == pytest.approx([run / 7 for run in range(7)])
    assert told[-1][1] == "running quantile 0.995, window 900 s"


def test_a_lead_time_as_long_as_the_history_is_refused() -> None:
    with pytest.raises(Unanswerable, match="lead time of 1440 minutes"):
        _search(2, forecast={"model": "trend", "leadTime": "24h"})


_POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30).map(sorted)
