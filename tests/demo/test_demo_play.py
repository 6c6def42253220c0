"""The play: what the operator would do, kept as it would keep it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autoscaler.demo.clock import STEP_S
from autoscaler.demo.fleet import read_fleet
from autoscaler.demo.play import Play
from autoscaler.demo.records import Records
from autoscaler.planning.record import replayed
from autoscaler.spec.units import format_time
from autoscaler.store.rows import FoundDecision, Observed
from autoscaler.store.store import Store

OPENS_S = 1_795_000_020
BEGINS_S = OPENS_S - 4 * 3600
KEYS = ("shop/checkout", "payments/ledger", "media/thumbnails", "data/ingest", "payments/fraud-check")


@dataclass(frozen=True)
class _Played:
    """A part of the fleet after four hours, and all that was kept of them."""

    play: Play
    records: Records
    store: Store

    def decisions(self, key: str) -> tuple[FoundDecision, ...]:
        return self.store.decisions(workload=key, limit=1000).decisions

    def observations(self, key: str, since_s: float = BEGINS_S) -> list[Observed]:
        return self.store.observations(key, since_s, OPENS_S + 86_400)


def _opened(folder: Path) -> Store:
    store = Store.open(f"sqlite:///{folder / 'store.db'}")
    store.migrate()
    return store


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Played]:
    store = _opened(tmp_path_factory.mktemp("played"))
    members = [member for member in read_fleet(OPENS_S) if member.key in KEYS]
    play = Play(members, BEGINS_S)
    records = Records(store, play.fan)
    play.until(OPENS_S, records)
    yield _Played(play, records, store)
    store.close()


def test_every_minute_of_every_workload_is_kept(played: _Played) -> None:
    for key in KEYS:
        seen = [one.at_s for one in played.observations(key)]
        assert seen == list(range(BEGINS_S, OPENS_S, STEP_S))


def test_every_decision_on_record_can_be_replayed_to_the_same(played: _Played) -> None:
    replays = 0
    for key in KEYS:
        for found in played.decisions(key):
            whole = played.store.decision(found.id)
            assert whole is not None
            assert replayed(whole.payload).same
            replays += 1
    assert replays > 100


def test_counts_change_only_where_the_operator_may_write(played: _Played) -> None:
    asked = {key: {one.asked for one in played.observations(key)} for key in KEYS}
    assert len(asked["shop/checkout"]) > 3
    assert len(asked["payments/ledger"]) == 1  # mode Recommend
    recommended = {decision.after for decision in played.decisions("payments/ledger")}
    assert len(recommended) > 3


def test_a_maximum_that_is_too_small_is_reached_and_never_passed(played: _Played) -> None:
    counts = [one.asked for one in played.observations("media/thumbnails")]
    assert max(counts) == 26
    reasons = {reason for decision in played.decisions("media/thumbnails") for reason in decision.reasons}
    assert "TooManyReplicas" in reasons


def test_a_signal_that_fails_vetoes_removing(played: _Played) -> None:
    reasons = {reason for decision in played.decisions("data/ingest") for reason in decision.reasons}
    assert "UnknownSignal" in reasons


def test_money_is_summed_up_day_by_day(played: _Played) -> None:
    days = played.store.spend(workload="shop/checkout")
    hours = sum(one.asked for one in played.observations("shop/checkout")) * STEP_S / 3600
    assert sum(day.amount for day in days) == pytest.approx(0.12 * hours, rel=0.02)


def test_the_newest_state_is_that_of_the_last_minute(played: _Played) -> None:
    states = {state.workload: state.payload for state in played.store.states()}
    assert states.keys() == set(KEYS)
    for key, state in states.items():
        newest = played.observations(key)[-1]
        assert state["at"] == format_time(OPENS_S - STEP_S)
        assert state["load"]["value"] == pytest.approx(newest.load, rel=1e-5)
        assert state["replicas"]["ready"] == newest.ready
        assert state["forecast"]["judged"] > 200


def test_the_manifest_is_kept_as_it_is_written(played: _Played) -> None:
    kept = played.store.manifest("shop/checkout")
    assert kept is not None
    assert kept.payload["spec"]["load"]["perReplica"] == 50
    assert kept.payload["metadata"]["labels"]["team"] == "storefront"


def test_forecasts_are_kept_as_they_were_made(played: _Played) -> None:
    made = played.store.forecasts("shop/checkout", BEGINS_S, OPENS_S, limit=1000)
    times = [one.made_at_s for one in made]
    assert times == list(range(OPENS_S - 5 * STEP_S, BEGINS_S - 1, -5 * STEP_S))


def test_an_override_is_obeyed_at_the_next_step_and_no_longer_when_it_is_taken_back(tmp_path: Path) -> None:
    store = _opened(tmp_path)
    (member,) = [member for member in read_fleet(OPENS_S) if member.key == "shop/checkout"]
    play = Play([member], OPENS_S)
    records = Records(store, play.fan)

    def asked_after_a_step() -> int:
        play.until(play.next_s + STEP_S, records)
        newest = store.latest_observation("shop/checkout")
        assert newest is not None
        return newest.asked

    before = asked_after_a_step()
    play.annotate("shop/checkout", f"33 until {format_time(OPENS_S + 86_400)} because it is a demonstration")
    assert asked_after_a_step() == 33 != before
    states = {state.workload: state.payload for state in store.states()}
    assert states["shop/checkout"]["override"]["replicas"] == 33
    play.annotate("shop/checkout", None)
    asked_after_a_step()
    (state,) = store.states()
    assert state.payload["override"] is None
    store.close()
