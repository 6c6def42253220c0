"""What is written to the store is found again, in either database."""

from __future__ import annotations

import datetime
import math
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from databases import Database, PostgresqlDatabase, SqliteDatabase
from psycopg.pq import TransactionStatus
from real_postgresql import RealPostgresql
from rowmaking import START_S, WORKLOAD, decision, memory, observed, state
from sqlalchemy import event

from autoscaler.store.errors import RowError, StoreError
from autoscaler.store.ids import new_id
from autoscaler.store.rows import (
    Audited,
    DaySpend,
    DecisionMade,
    ForecastMade,
    ManifestKept,
    Observed,
    Outcome,
    OverrideEnded,
    OverrideMade,
    Row,
    StateGone,
    WorkloadSeen,
)
from autoscaler.store.store import Store

_DAY = datetime.date(2026, 3, 29)


def test_a_decision_is_found_again_with_all_that_belongs_to_it(store: Store) -> None:
    payload = {"v": 1, "policy": {"name": "any", "max": 9}, "decision": {"wishes": [1, 2.5, None, "ü"]}}
    made = decision(reasons=("PodsNotReady", "ScaleUpLimit"), payload=payload, shared=("policy",))
    store.write([made])
    found = store.decision(made.id)
    assert found is not None
    assert found.payload == payload
    assert (found.summary.workload, found.summary.id, found.summary.at_s) == (WORKLOAD, made.id, START_S)
    assert (found.summary.before, found.summary.after) == (3, 5)
    assert found.summary.reasons == ("PodsNotReady", "ScaleUpLimit")
    assert (found.summary.outcome, found.summary.sentence) == ("decided", made.sentence)


def test_a_decision_that_was_never_stored_is_none(store: Store) -> None:
    assert store.decision(new_id(START_S)) is None


def test_what_became_of_a_decision_replaces_what_was_known_when_it_was_stored(store: Store) -> None:
    made, other = decision(), decision()
    store.write([made, other])
    store.write([Outcome(WORKLOAD, made.id, "written")])
    assert {found.id: found.outcome for found in store.decisions().decisions} == {
        made.id: "written",
        other.id: "decided",
    }


def test_writing_the_same_rows_again_changes_nothing(store: Store) -> None:
    rows: list[Row] = [decision(shared=("v",)), memory(), observed(), DaySpend(WORKLOAD, _DAY, 1.0)]
    store.write(rows)
    before = store.decisions(), store.memories(), store.observations(WORKLOAD, 0, 1e12), store.spend()
    store.write(rows)
    assert before == (
        store.decisions(),
        store.memories(),
        store.observations(WORKLOAD, 0, 1e12),
        store.spend(),
    )


def test_pages_follow_one_another_without_gap_or_repetition(store: Store) -> None:
    made = [decision(START_S + number // 3) for number in range(10)]
    store.write(made)
    seen: list[str] = []
    before: str | None = None
    while True:
        page = store.decisions(limit=4, before=before)
        seen += [found.id for found in page.decisions]
        before = page.older
        if before is None:
            break
    assert seen == sorted((one.id for one in made), reverse=True)


def _some_decisions() -> dict[str, DecisionMade]:
    return {
        "a0": decision(START_S, "shop/a", reasons=("ScaleUpLimit",)),
        "a1": decision(START_S + 60, "shop/a", reasons=("ScaleUpLimit", "HourlyCap")),
        "b1": decision(START_S + 60, "shop/b", reasons=()),
        "a2": decision(START_S + 120, "other/a", reasons=("HourlyCap",)),
    }


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["a2", "b1", "a1", "a0"]),
        ({"workload": "shop/a"}, ["a1", "a0"]),
        ({"namespace": "shop"}, ["b1", "a1", "a0"]),
        ({"reason": "HourlyCap"}, ["a2", "a1"]),
        ({"reason": "HourlyCap", "workload": "shop/a"}, ["a1"]),
        ({"reason": "Paused"}, []),
        ({"since_s": START_S + 60}, ["a2", "b1", "a1"]),
        ({"until_s": START_S + 60}, ["a0"]),
        ({"reason": "ScaleUpLimit", "since_s": START_S + 1, "until_s": START_S + 61}, ["a1"]),
        ({"workload": "shop/none"}, []),
        ({"namespaces": ["shop", "none"]}, ["b1", "a1", "a0"]),
        ({"namespaces": ["shop", "other"], "reason": "HourlyCap"}, ["a2", "a1"]),
        ({"namespaces": []}, []),
        ({"workload": "shop/a", "namespaces": ["shop"]}, ["a1", "a0"]),
        ({"workload": "shop/a", "namespaces": ["other"]}, []),
        ({"namespace": "shop", "namespaces": ["other"]}, []),
        ({"namespace": "shop", "namespaces": ["shop", "other"], "limit": 1}, ["b1"]),
    ],
    ids=str,
)
def test_decisions_are_found_by(wanted: dict[str, Any], expected: list[str], store: Store) -> None:
    made = _some_decisions()
    store.write(list(made.values()))
    names = {one.id: name for name, one in made.items()}
    found = [names[one.id] for one in store.decisions(**wanted).decisions]
    assert sorted(found) == sorted(expected)
    assert [made[name].at_s for name in found] == [made[name].at_s for name in expected]


def test_decisions_after_one_come_oldest_first(store: Store) -> None:
    made = _some_decisions()
    store.write(list(made.values()))
    after = store.decisions_after(made["a0"].id)
    assert sorted(one.id for one in after[:2]) == sorted((made["a1"].id, made["b1"].id))
    assert [one.id for one in after[2:]] == [made["a2"].id]
    assert store.decisions_after(made["a0"].id, limit=2) == after[:2]
    assert store.decisions_after(made["a2"].id) == []
    with pytest.raises(ValueError, match="not the identifier"):
        store.decisions_after("any")


def test_only_the_newest_memory_is_kept_and_one_that_comes_late_is_not(store: Store) -> None:
    store.write([memory(START_S), memory(START_S + 30), memory(START_S + 15)])
    store.write([memory(START_S + 20), memory(START_S, "shop/other")])
    assert store.memory(WORKLOAD) == memory(START_S + 30)
    assert store.memories() == {WORKLOAD: memory(START_S + 30), "shop/other": memory(START_S, "shop/other")}
    assert store.memory("shop/none") is None


def test_only_the_newest_state_is_kept_and_one_that_comes_late_is_not(store: Store) -> None:
    store.write([state(START_S), state(START_S + 30), state(START_S + 15)])
    store.write([state(START_S + 20), state(START_S, "shop/other")])
    shown = {kept.workload: kept.payload for kept in store.states()}
    assert shown == {WORKLOAD: {"at": START_S + 30}, "shop/other": {"at": START_S}}
    assert store.state_keys() == {WORKLOAD, "shop/other"}


def test_states_are_found_by_when_they_were_written_and_not_by_what_they_are_of(database: Database) -> None:
    database.migrated().close()
    clock_s = [0.0]
    store = Store(database.store().engine, wall_s=lambda: clock_s[0])
    for clock_s[0], name in ((100.0, "a"), (200.0, "b"), (300.0, "c"), (400.0, "a")):
        store.write([state(START_S + (1 if name == "a" else -1) * clock_s[0], f"shop/{name}")])
    assert [(one.workload, one.changed_s) for one in store.states(200.0)] == [
        ("shop/b", 200.0),
        ("shop/c", 300.0),
        ("shop/a", 400.0),
    ]
    assert [one.workload for one in store.states(300.1)] == ["shop/a"]
    assert store.states(400.1) == []
    known = {"shop/b": (START_S - 200.0, 200.0), "shop/a": (START_S + 100.0, 100.0)}
    assert [one.workload for one in store.states(200.0, known)] == ["shop/c", "shop/a"]
    store.close()


def test_a_workload_that_is_gone_shows_nothing_and_keeps_its_history(store: Store) -> None:
    manifest = ManifestKept(WORKLOAD, START_S, {"kind": "PredictiveAutoscaler"})
    store.write([manifest, state(), state(workload="shop/other"), decision()])
    assert store.manifest(WORKLOAD) == manifest
    store.write([StateGone(WORKLOAD), StateGone("shop/never-seen")])
    assert store.state_keys() == {"shop/other"}
    assert store.manifest(WORKLOAD) is None
    assert len(store.decisions(workload=WORKLOAD).decisions) == 1


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([StateGone(WORKLOAD), state()], True),
        ([state(), StateGone(WORKLOAD)], False),
        ([state(), StateGone(WORKLOAD), state(START_S - 60)], True),
    ],
    ids=["made anew", "gone", "made anew by a clock that is behind"],
)
def test_within_one_batch_what_came_last_of_a_workload_counts(
    rows: list[Row], shown: bool, store: Store
) -> None:
    store.write(rows)
    assert (WORKLOAD in store.state_keys()) is shown


def test_only_the_newest_manifest_is_kept(store: Store) -> None:
    first, second = (ManifestKept(WORKLOAD, START_S + n, {"spec": {"maxReplicas": n}}) for n in (1, 2))
    store.write([second])
    store.write([first])
    assert store.manifest(WORKLOAD) == second
    assert store.manifest("shop/none") is None


def test_an_unknown_load_and_unknown_readiness_stay_unknown(store: Store) -> None:
    store.write([Observed(WORKLOAD, START_S, math.nan, None, 4), observed(START_S + 60, load=0.0)])
    first, second = store.observations(WORKLOAD, START_S, START_S + 61)
    assert math.isnan(first.load) and first.ready is None and first.asked == 4
    assert second == observed(START_S + 60, load=0.0)
    assert store.latest_observation(WORKLOAD) == second
    assert store.latest_observation("shop/none") is None


def test_observations_are_of_one_workload_and_a_half_open_span(store: Store) -> None:
    store.write([observed(START_S + 60 * number) for number in range(4)] + [observed(START_S, "shop/other")])
    found = store.observations(WORKLOAD, START_S + 60, START_S + 180)
    assert [one.at_s for one in found] == [START_S + 60, START_S + 120]


def test_the_money_of_a_day_never_falls(store: Store) -> None:
    for amount in (1.0, 2.5, 0.5):
        store.write([DaySpend(WORKLOAD, _DAY, amount)])
    store.write([DaySpend(WORKLOAD, _DAY + datetime.timedelta(1), 0.25), DaySpend("other/a", _DAY, 9.0)])
    assert [one.amount for one in store.spend(workload=WORKLOAD)] == [2.5, 0.25]
    assert [one.amount for one in store.spend(namespace="shop", until=_DAY)] == [2.5]
    assert [one.workload for one in store.spend(since=_DAY, until=_DAY)] == ["other/a", WORKLOAD]
    assert [one.workload for one in store.spend(namespaces=["other", "none"])] == ["other/a"]
    assert store.spend(namespaces=[]) == []


def test_forecasts_are_found_as_they_were_made_newest_first(store: Store) -> None:
    made = [ForecastMade(WORKLOAD, START_S + 60 * number, {"peak": [1.5, number]}) for number in range(3)]
    store.write(made)
    assert store.forecasts(WORKLOAD, START_S + 60, START_S + 1000) == [made[2], made[1]]
    assert store.forecasts(WORKLOAD, 0, 1e12, limit=1) == [made[2]]


@pytest.mark.parametrize(
    ("after_s", "found"), [(-1.0, None), (0.0, 0), (59.9, 0), (60.0, 1), (60.5, 1), (1e9, 2)]
)
def test_a_forecast_is_found_by_a_time_at_which_it_was_the_newest(
    after_s: float, found: int | None, store: Store
) -> None:
    made = [ForecastMade(WORKLOAD, START_S + 60 * number, {"number": number}) for number in range(3)]
    store.write([*made, ForecastMade("shop/other", START_S - 60, {})])
    assert store.forecast_at(WORKLOAD, START_S + after_s) == (None if found is None else made[found])


def test_an_override_is_in_force_until_it_expires_or_is_taken_back(store: Store) -> None:
    kept = OverrideMade(WORKLOAD, new_id(START_S), START_S, START_S + 600, "ann", {"replicas": 7})
    ended = OverrideMade("shop/b", new_id(START_S), START_S, START_S + 600, "ben", {"replicas": 8})
    store.write([kept, ended])
    store.write([OverrideEnded("shop/b", ended.id, START_S + 60)])
    store.write([OverrideEnded("shop/b", ended.id, START_S + 90)])
    assert store.overrides(START_S - 1) == []
    assert [one.made_by for one in store.overrides(START_S + 59)] == ["ann", "ben"]
    assert store.overrides(START_S + 60) == [kept]
    assert store.overrides(START_S + 60, "shop/b") == []
    assert store.overrides(START_S + 600) == []


def test_all_overrides_of_a_workload_are_listed_whether_in_force_or_not(store: Store) -> None:
    made = [
        OverrideMade(WORKLOAD, new_id(START_S + n), START_S + n, START_S + 60 * n, "ann", {"replicas": n})
        for n in range(1, 4)
    ]
    store.write([*made, OverrideMade("shop/b", new_id(START_S), START_S, START_S + 60, "ben", {})])
    store.write([OverrideEnded(WORKLOAD, made[0].id, START_S + 30)])
    ended = replace(made[0], ended_s=START_S + 30)
    assert store.all_overrides(WORKLOAD) == [made[2], made[1], ended]
    assert store.all_overrides(WORKLOAD, limit=1) == [made[2]]
    assert store.all_overrides(WORKLOAD, before=made[1].id) == [ended]
    assert store.all_overrides("shop/none") == []


def test_the_audit_is_read_by_namespace(store: Store) -> None:
    targets = ["shop/a", "shop-2/a", "other/a", "policy"]
    store.write(
        [
            Audited(new_id(START_S + n), START_S + n, "ann", "override", target, True, {})
            for n, target in enumerate(targets)
        ]
    )
    found = [entry.target for entry in store.audit(namespaces=["other", "shop"])]
    assert found == ["other/a", "shop/a"]
    assert store.audit(namespaces=[]) == []
    assert [entry.target for entry in store.audit()] == targets[::-1]


def test_the_audit_is_read_newest_first(store: Store) -> None:
    entries = [
        Audited(new_id(START_S + n), START_S + n, "ann", "override", WORKLOAD, n % 2 == 0, {"n": n})
        for n in range(3)
    ]
    store.write(entries)
    assert store.audit() == entries[::-1]
    assert store.audit(before=entries[1].id) == [entries[0]]


def test_a_workload_made_anew_keeps_its_row_and_shows_its_new_uid(store: Store) -> None:
    store.write([WorkloadSeen(WORKLOAD, "first", START_S), decision()])
    store.write([WorkloadSeen(WORKLOAD, "second", START_S + 60)])
    assert store.workloads() == [WorkloadSeen(WORKLOAD, "second", START_S + 60)]
    assert len(store.decisions(workload=WORKLOAD).decisions) == 1


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (decision(id="not an identifier"), "identifier of a decision"),
        (decision(payload={"a": {1, 2}}), "not storable as JSON"),
        (decision(workload="checkout"), 'a workload is "namespace/name"'),
        (decision(workload="shop/"), 'a workload is "namespace/name"'),
        (Observed(WORKLOAD, math.nan, 1.0, 1, 1), "Observed: cannot convert float NaN"),
    ],
    ids=["id", "payload", "no namespace", "no name", "no time"],
)
def test_a_row_that_can_never_be_stored_says_why(row: Row, problem: str) -> None:
    with pytest.raises(RowError, match=problem):
        Store.open("sqlite://").write([row])


@pytest.mark.parametrize(
    "bad", [decision(after=2**70), Observed("shop/new", START_S, 1.0, 2**80, 1)], ids=["decision", "ready"]
)
def test_a_refused_row_takes_its_whole_batch_with_it_and_nothing_after(bad: Row, store: Store) -> None:
    with pytest.raises(RowError):
        store.write([memory(workload="shop/new"), bad])
    assert store.memories() == {}
    # What was looked up for the refused batch is looked up again.
    store.write([memory(workload="shop/new"), decision(workload="shop/new")])
    assert list(store.memories()) == ["shop/new"]


@pytest.mark.parametrize("cursor", ["", "zzz", "0" * 14, "z" * 13, "33333333333i3"])
def test_a_cursor_that_is_no_identifier_is_the_callers_mistake(cursor: str) -> None:
    store = Store.open("sqlite://")
    with pytest.raises(ValueError, match="not the identifier"):
        store.decisions(before=cursor)
    with pytest.raises(ValueError, match="not the identifier"):
        store.decision(cursor)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://host/name", "sqlite or postgresql, not mysql"),
        ("store.db", "sqlite:///FILE or postgresql://"),
        ("", "sqlite:///FILE or postgresql://"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_at_once(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Store.open(url)


def test_postgresql_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ValueError, match=r"pip install 'predictive-autoscaler\[postgres\]'"):
        Store.open("postgresql://host/name")


@pytest.mark.parametrize("form", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_form_of_a_postgresql_url_is_taken(form: str) -> None:
    url = Store.open(f"{form}://ann@host:5433/name?sslmode=verify-full&connect_timeout=9").engine.url
    assert (url.drivername, url.host, url.port, url.database) == ("postgresql+psycopg", "host", 5433, "name")
    assert (url.query["sslmode"], url.query["connect_timeout"]) == ("verify-full", "9")


def test_a_damaged_payload_is_the_stores_fault_and_named(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    store = database.migrated()
    made = decision()
    store.write([made])
    database.execute("UPDATE decisions SET payload = x'00'")
    with pytest.raises(StoreError, match="a stored payload is damaged"):
        store.decision(made.id)
    assert len(store.decisions().decisions) == 1
    store.close()


def test_a_writer_that_looks_something_up_first_waits_for_another_and_does_not_fail(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    one, other = database.migrated(), database.store()
    others = threading.Thread(target=lambda: other.write([memory(workload="shop/other")]))

    @event.listens_for(one.engine, "after_cursor_execute")
    def _let_the_other_try(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM workloads" in statement and others.ident is None:
            others.start()
            others.join(0.2)

    one.write([memory()])
    others.join(15)
    assert set(one.memories()) == {WORKLOAD, "shop/other"}
    one.close()
    other.close()


def test_what_sqlite_has_committed_is_on_disk(tmp_path: Path) -> None:
    store = SqliteDatabase(tmp_path).migrated()
    with store.engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("synchronous", "journal_mode", "foreign_keys")
        }
    assert settings == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}
    store.close()


@pytest.mark.postgresql
def test_the_threads_of_the_service_all_find_a_connection_that_is_open_already(
    postgresql_server: RealPostgresql,
) -> None:
    store = PostgresqlDatabase(postgresql_server).migrated()
    opened: list[object] = []
    event.listen(store.engine, "connect", lambda connection, _: opened.append(connection))
    meeting = threading.Barrier(6)

    def read() -> None:
        for _ in range(5):
            with store.engine.connect():
                meeting.wait(10)

    threads = [threading.Thread(target=read) for _ in range(meeting.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(opened) <= meeting.parties
    assert store.engine.pool.checkedin() == meeting.parties  # type: ignore[attr-defined]  # a QueuePool, which counts
    store.close()


_READS: dict[str, Callable[[Store, str], object]] = {
    "decisions": lambda store, _: store.decisions(reason="ScaleUpLimit"),
    "decisions_after": lambda store, made: store.decisions_after(made),
    "decision": lambda store, made: store.decision(made),
    "memory": lambda store, _: store.memory(WORKLOAD),
    "memories": lambda store, _: store.memories(),
    "states": lambda store, _: store.states(),
    "state_keys": lambda store, _: store.state_keys(),
    "manifest": lambda store, _: store.manifest(WORKLOAD),
    "workloads": lambda store, _: store.workloads(),
    "latest_observation": lambda store, _: store.latest_observation(WORKLOAD),
    "observations": lambda store, _: store.observations(WORKLOAD, 0, 1e12),
    "hours": lambda store, _: store.hours(WORKLOAD, 0, 1e12),
    "hours_until": lambda store, _: store.hours_until(WORKLOAD),
    "forecasts": lambda store, _: store.forecasts(WORKLOAD, 0, 1e12),
    "forecast_at": lambda store, _: store.forecast_at(WORKLOAD, START_S),
    "spend": lambda store, _: store.spend(workload=WORKLOAD),
    "overrides": lambda store, _: store.overrides(START_S),
    "all_overrides": lambda store, _: store.all_overrides(WORKLOAD),
    "audit": lambda store, _: store.audit(),
    "reach": lambda store, _: store.reach(),
}


def test_every_read_is_one_statement_and_so_sees_one_state_without_a_transaction(store: Store) -> None:
    made = decision()
    store.write([made, memory(), state(), observed()])
    sent: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda _c, _k, statement, *_: sent.append(statement))
    changing = {
        *("open", "close", "migrate", "prune", "write", "write_encoded"),
        *("reserve_key", "keep_answer", "release_key"),
    }
    assert set(_READS) == {name for name in vars(Store) if not name.startswith("_")} - changing
    for name, read in _READS.items():
        sent.clear()
        read(store, made.id)
        # Transactions are SQLite's alone; to begin one costs nothing there.
        (statement,) = (one for one in sent if one != "BEGIN")
        assert statement.startswith("SELECT"), name


@pytest.mark.postgresql
def test_a_read_on_postgresql_is_one_question_and_a_write_still_a_whole_transaction(
    postgresql_server: RealPostgresql,
) -> None:
    store = PostgresqlDatabase(postgresql_server).migrated()
    begun: list[bool] = []

    @event.listens_for(store.engine, "after_cursor_execute")
    def _look(connection: Any, *_: Any) -> None:
        driver = connection.connection.driver_connection
        begun.append(driver.info.transaction_status is not TransactionStatus.IDLE)

    store.memories()
    assert begun == [False]
    begun.clear()
    store.write([memory(), decision()])
    assert begun
    assert all(begun)
    begun.clear()
    # Given back by who wrote, and by who read: neither leaves anything behind to the next.
    store.workloads()
    store.write([memory(START_S + 1)])
    assert begun[0] is False
    assert all(begun[1:])
    store.close()
