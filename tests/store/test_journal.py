"""The journal keeps the loop going whatever happens to the store, and loses nothing that it said it keeps."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from databases import NEXT_RELEASE, Database, PostgresqlDatabase, SqliteDatabase, eventually
from real_postgresql import RealPostgresql
from rowmaking import START_S, WORKLOAD, decision, memory, observed, state
from sqlalchemy import event

from autoscaler.store.condition import Condition, Standing
from autoscaler.store.journal import Journal, Pace
from autoscaler.store.pruning import Retention
from autoscaler.store.reach import NOWHERE, Reach
from autoscaler.store.rows import DecisionMade, Observed, Outcome, Row, StateGone
from autoscaler.store.spool import SpoolLimits
from autoscaler.store.store import Store

_QUICK = Pace(first_retry_s=0.02, last_retry_s=0.1)
_PATIENCE_S = 10.0
"""For what is expected to succeed."""

_BRIEF_S = 0.05
"""For what is expected to fail."""

Running = Callable[..., Journal]


@pytest.fixture
def running() -> Iterator[Running]:
    """Start journals on databases; they stop with the test."""
    with ExitStack() as stack:

        def run(database: Database, timeout_s: float = 0.2, **settings: Any) -> Journal:
            settings = {"pace": _QUICK, "wall_s": lambda: START_S} | settings
            journal = Journal(lambda: database.store(timeout_s), **settings)
            journal.start()
            stack.callback(journal.close, 5.0)
            return journal

        yield run


def _ids(database: Database) -> list[str]:
    """Of all decisions that are stored, oldest first."""
    store = database.store()
    try:
        return [found.id for found in store.decisions(limit=1000).decisions][::-1]
    finally:
        store.close()


def _made(count: int) -> list[DecisionMade]:
    return [decision(START_S + number) for number in range(count)]


def _is(journal: Journal, standing: Standing) -> Callable[[], bool]:
    return lambda: journal.condition.standing is standing


@contextmanager
def _at_most(limit_s: float) -> Iterator[None]:
    began_s = time.monotonic()
    yield
    assert time.monotonic() - began_s < limit_s


def test_a_committed_batch_is_on_disk(database: Database, running: Running) -> None:
    journal = running(database)
    made = decision()
    assert journal.commit([made, memory(), observed()], _PATIENCE_S)
    assert _ids(database) == [made.id]
    assert journal.condition == Condition(Standing.OK)
    counts = journal.counts
    assert (counts.spooled, counts.spooled_bytes, counts.dropped, counts.written, counts.failures) == (
        0,
        0,
        0,
        3,
        0,
    )


def test_a_batch_of_nothing_is_on_disk(database: Database, running: Running) -> None:
    assert running(database).commit([], 0.0)


def test_a_store_that_is_down_at_the_start_is_used_when_it_comes_up(
    database: Database, running: Running
) -> None:
    made = _made(3)
    with database.down():
        journal = running(database)
        eventually(_is(journal, Standing.DOWN))
        assert journal.condition.reason
        with _at_most(5.0):
            # While it is known to be down nobody waits for it, however patient.
            assert [journal.commit([one, memory(one.at_s)], 60.0) for one in made] == [False] * 3
            assert not journal.reload(60.0)
        assert not journal.loaded
        assert journal.memory(WORKLOAD) == memory(START_S + 2)
    eventually(_is(journal, Standing.OK))
    assert journal.commit([], _PATIENCE_S)
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [one.id for one in made]
    assert journal.loaded


def test_what_was_decided_while_the_store_was_away_is_written_in_order_and_once(
    database: Database, running: Running
) -> None:
    journal = running(database)
    made = _made(30)
    assert journal.commit(made[:10], _PATIENCE_S)
    with database.down():
        for one in made[10:20]:
            journal.commit([one], _BRIEF_S)
        eventually(_is(journal, Standing.DOWN))
    assert journal.commit(made[20:], 0.0) in (True, False)
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [one.id for one in made]
    assert journal.counts.dropped == 0
    assert journal.counts.failures > 0
    assert _is(journal, Standing.OK)()


def test_rows_reach_the_store_in_the_order_in_which_they_were_handed_over(
    database: Database, running: Running
) -> None:
    journal = running(database)
    made = decision()
    assert journal.commit([], _PATIENCE_S)
    with database.down():
        journal.commit([made], _BRIEF_S)
        for word in ("written", "refused", "reset"):
            journal.commit([Outcome(WORKLOAD, made.id, word)], 0.0)
    eventually(lambda: journal.counts.spooled == 0)
    store = database.store()
    assert [found.outcome for found in store.decisions().decisions] == ["reset"]
    store.close()


def test_a_locked_store_delays_nobody_beyond_their_patience(database: Database, running: Running) -> None:
    database.migrated().close()
    journal = running(database)
    assert journal.commit([memory()], _PATIENCE_S)
    made = _made(5)
    with database.locked():
        for one in made:
            with _at_most(_BRIEF_S + 1.0):
                assert not journal.commit([one], _BRIEF_S)
        eventually(_is(journal, Standing.DOWN))
        assert "lock" in journal.condition.reason
        assert journal.counts.spooled == 5
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [one.id for one in made]
    assert _is(journal, Standing.OK)()


def test_a_commit_ends_as_soon_as_a_slow_store_has_it(database: Database, running: Running) -> None:
    journal = running(database, timeout_s=30.0)
    assert journal.commit([memory()], _PATIENCE_S)
    done: list[bool] = []
    with database.locked():
        waiting = threading.Thread(target=lambda: done.append(journal.commit([decision()], 30.0)))
        waiting.start()
        eventually(lambda: journal.counts.spooled == 1)
        assert not journal.commit([observed()], _BRIEF_S)
        assert done == []
        # Slow is not down, as long as it is not stuck.
        assert journal.condition.standing is not Standing.DOWN
    waiting.join(15)
    assert done == [True]


def test_memories_of_an_earlier_run_are_there_once_the_store_is_open(
    database: Database, running: Running
) -> None:
    store = database.migrated()
    store.write([memory(START_S), memory(START_S, "shop/other")])
    journal = running(database)
    eventually(lambda: journal.loaded)
    assert journal.memory(WORKLOAD) == memory(START_S)
    assert journal.commit([memory(START_S + 15)], 0.0) in (True, False)
    assert journal.memory(WORKLOAD) == memory(START_S + 15)
    assert journal.memory("shop/none") is None
    journal.commit([memory(START_S + 5)], 0.0)
    assert journal.memory(WORKLOAD) == memory(START_S + 15)
    # Another process takes over, and gives back.
    eventually(lambda: journal.counts.spooled == 0)
    store.write([memory(START_S + 30, "shop/other")])
    assert journal.memory("shop/other") == memory(START_S, "shop/other")
    assert journal.reload(_PATIENCE_S)
    assert journal.memory("shop/other") == memory(START_S + 30, "shop/other")
    assert journal.memory(WORKLOAD) == memory(START_S + 15)
    store.close()


def test_what_the_store_shows_is_known_from_the_start_and_followed(
    database: Database, running: Running
) -> None:
    other = database.migrated()
    other.write([state(workload="shop/before"), state(workload="shop/gone")])
    journal = running(database)
    eventually(lambda: journal.loaded)
    journal.commit([state(), StateGone("shop/gone")], _PATIENCE_S)
    assert journal.shown() == {WORKLOAD, "shop/before"}
    other.write([state(workload="shop/since")])
    assert journal.reload(_PATIENCE_S)
    assert journal.shown() == other.state_keys() == {WORKLOAD, "shop/before", "shop/since"}
    other.close()


def test_a_reload_from_a_store_that_is_away_is_not_waited_for_beyond_patience(
    database: Database, running: Running
) -> None:
    journal = running(database)
    assert journal.commit([memory()], _PATIENCE_S)
    with database.down(), _at_most(_BRIEF_S + 1.0):
        assert not journal.reload(_BRIEF_S)
    eventually(_is(journal, Standing.OK))
    assert journal.memory(WORKLOAD) == memory()


def test_a_memory_that_waited_through_an_outage_does_not_replace_a_newer_one_of_another_process(
    database: Database, running: Running
) -> None:
    store = database.migrated()
    journal = running(database)
    assert journal.commit([], _PATIENCE_S)
    eventually(lambda: journal.loaded)
    with database.down():
        journal.commit([memory(START_S)], _BRIEF_S)
        eventually(_is(journal, Standing.DOWN))
    store.close()
    store = database.store()
    store.write([memory(START_S + 60)])
    eventually(lambda: journal.counts.spooled == 0)
    assert store.memory(WORKLOAD) == memory(START_S + 60)
    store.close()


@pytest.mark.parametrize(
    "bad",
    [
        Observed(WORKLOAD, START_S, 1.0, 2**70, 1),
        decision(START_S + 0.5, sentence="a\x00b", after=2**70),
        decision(START_S + 0.5, sentence="\ud800"),
        decision(START_S + 0.5, payload={"a": {1}}),
        decision(START_S + 0.5, id="none"),
    ],
    ids=["number", "decision", "text", "payload", "id"],
)
def test_a_row_that_can_never_be_written_holds_up_no_other(
    bad: Row, database: Database, running: Running
) -> None:
    journal = running(database)
    made = _made(20)
    assert not journal.commit([*made[:7], bad, *made[7:]], _PATIENCE_S)
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [one.id for one in made]
    assert (journal.counts.dropped, journal.counts.written) == (1, 20)
    assert _is(journal, Standing.OK)()
    assert journal.commit([decision(START_S + 100)], _PATIENCE_S)


def test_when_too_much_waits_observations_go_before_decisions(database: Database, running: Running) -> None:
    with database.down():
        journal = running(database, limits=SpoolLimits(rows=12))
        eventually(_is(journal, Standing.DOWN))
        made = _made(8)
        for one in made:
            journal.commit([observed(one.at_s), one, memory(one.at_s)], 0.0)
        # Eight decisions and one memory, each newer of which replaces the older: three observations fit.
        assert (journal.counts.spooled, journal.counts.dropped) == (12, 5)
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [one.id for one in made]
    store = database.store()
    assert [one.at_s for one in store.observations(WORKLOAD, 0, 1e12)] == [START_S + n for n in (5, 6, 7)]
    assert store.memory(WORKLOAD) == memory(START_S + 7)
    store.close()


def test_closing_writes_what_waits(database: Database, running: Running) -> None:
    journal = running(database)
    made = _made(50)
    for one in made:
        journal.commit([one], 0.0)
    assert journal.close(_PATIENCE_S) == 0
    assert _ids(database) == [one.id for one in made]


def test_a_journal_with_nothing_to_write_notices_that_the_store_is_gone_and_that_it_is_back(
    database: Database, running: Running
) -> None:
    database.migrated().close()
    # Forgetting would notice as well, once an hour.
    journal = running(database, pace=Pace(0.02, 0.1, prune_step_s=3600.0, look_s=0.05))
    eventually(_is(journal, Standing.OK))
    with database.down():
        eventually(_is(journal, Standing.DOWN))
    eventually(_is(journal, Standing.OK))
    assert journal.counts.written == 0


def test_closing_without_a_store_ends_in_time_and_says_what_is_lost(
    database: Database, running: Running
) -> None:
    with database.down():
        journal = running(database, pace=Pace(first_retry_s=60.0))
        journal.commit([decision(), memory()], _BRIEF_S)
        eventually(_is(journal, Standing.DOWN))
        with _at_most(5.0):
            assert journal.close(_PATIENCE_S) == 2


def test_the_writer_forgets_what_is_too_old_between_writes(database: Database, running: Running) -> None:
    store = database.migrated()
    store.write(_made(25))
    journal = running(
        database,
        pace=Pace(prune_step_s=0.01),
        retention=Retention(step_rows=10),
        wall_s=lambda: START_S + 40 * 86_400,
    )
    eventually(lambda: store.decisions().decisions == ())
    assert _is(journal, Standing.OK)()
    store.close()


def test_the_writer_knows_and_says_how_far_back_a_store_reaches_that_grew_too_large(
    database: Database, running: Running
) -> None:
    store = database.migrated()
    now_s = START_S + 48 * 3600
    store.write([decision(START_S + 3600 * number) for number in range(49)])
    with structlog.testing.capture_logs() as told:
        journal = running(
            database,
            timeout_s=_PATIENCE_S,
            pace=Pace(prune_step_s=0.01),
            retention=Retention(max_bytes=1),
            wall_s=lambda: now_s,
        )
        assert journal.reach == NOWHERE
        eventually(lambda: journal.reach != NOWHERE)
        eventually(lambda: bool(told))
    assert journal.reach == store.reach() == Reach(now_s, None, None, None), "but for the newest all went"
    (said,) = [entry for entry in told if entry["event"] == "history cut to fit store.maxBytes"]
    assert (said["max_bytes"], said["days_left"]) == (1, {"decisions": 0.0})
    store.close()


def test_a_store_of_a_newer_release_is_named_and_used_once_it_fits(
    database: Database, running: Running
) -> None:
    database.migrated().close()
    database.execute("UPDATE alembic_version SET version_num = '9' || version_num")
    journal = running(database)
    eventually(_is(journal, Standing.DOWN))
    assert "newer release" in journal.condition.reason
    made = decision()
    assert not journal.commit([made], _BRIEF_S)
    database.execute("UPDATE alembic_version SET version_num = substr(version_num, 2)")
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [made.id]


def test_who_wrote_before_an_upgrade_goes_on_after_it_through_outages_too(
    database: Database, running: Running
) -> None:
    journal = running(database)
    made = _made(3)
    assert journal.commit([made[0]], _PATIENCE_S)
    for statement in NEXT_RELEASE:
        database.execute(statement)
    assert journal.commit([made[1]], _PATIENCE_S)
    with database.down():
        journal.commit([made[2]], _BRIEF_S)
        eventually(_is(journal, Standing.DOWN))
    eventually(lambda: journal.counts.spooled == 0)
    store = database.store()
    store.migrate(or_newer=True)
    assert [found.id for found in store.decisions().decisions][::-1] == [one.id for one in made]
    store.close()


def test_a_restored_backup_is_taken_up_and_what_it_lacks_is_not_invented(
    database: Database, running: Running
) -> None:
    old, lost, new = decision(START_S), decision(START_S + 60), decision(START_S + 120)
    journal = running(database)
    assert journal.commit([old, memory(START_S)], _PATIENCE_S)
    assert journal.commit([lost, memory(START_S + 60)], _PATIENCE_S)
    database.execute("DELETE FROM decision_reasons")
    database.execute("DELETE FROM decisions WHERE at_s > 1700000030")
    database.execute("DELETE FROM reasons")
    database.execute("DELETE FROM memories")
    journal.commit([new], _PATIENCE_S)
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [old.id, new.id]
    # What the running process knows is newer than what was restored.
    assert journal.memory(WORKLOAD) == memory(START_S + 60)


def test_a_full_disk_is_named_and_written_to_once_there_is_room(tmp_path: Path, running: Running) -> None:
    database = SqliteDatabase(tmp_path)
    database.migrated().close()
    most = threading.Event()

    def open_store() -> Store:
        store = database.store(0.2)

        @event.listens_for(store.engine, "connect")
        def _limit(connection: Any, _: object) -> None:
            if not most.is_set():
                connection.execute("PRAGMA max_page_count = 60")

        return store

    journal = Journal(open_store, pace=_QUICK, wall_s=lambda: START_S)
    journal.start()
    made = _made(300)
    kept = [journal.commit([one], _PATIENCE_S) for one in made[:1]]
    assert kept == [True]
    journal.commit([decision(one.at_s, id=one.id, sentence="x" * 2000) for one in made[1:]], _PATIENCE_S)
    eventually(_is(journal, Standing.DOWN))
    # That the disk can still be read is no recovery.
    enough = journal.counts.failures + 5
    while journal.counts.failures < enough:
        assert journal.condition == Condition(Standing.DOWN, "database or disk is full")
    most.set()
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [one.id for one in made]
    journal.close()


def test_a_database_that_takes_no_writes_is_named_until_it_does(
    database: Database, running: Running, tmp_path: Path
) -> None:
    store = database.migrated()
    store.write([memory()])
    store.close()
    read_only = threading.Event()
    read_only.set()

    def open_store() -> Store:
        if isinstance(database, SqliteDatabase):
            mode = "ro" if read_only.is_set() else "rw"
            return Store.open(f"sqlite:///file:{database.file}?mode={mode}&uri=true")
        switch = "on" if read_only.is_set() else "off"
        return Store.open(f"{database.url}?options=-c%20default_transaction_read_only%3D{switch}")

    journal = Journal(open_store, pace=_QUICK, wall_s=lambda: START_S)
    journal.start()
    eventually(lambda: journal.loaded)
    assert journal.memory(WORKLOAD) == memory()
    made = decision()
    assert not journal.commit([made], _BRIEF_S)
    eventually(_is(journal, Standing.DOWN))
    assert "read" in journal.condition.reason
    read_only.clear()
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [made.id]
    journal.close()


@pytest.mark.parametrize("at", [0, 2000], ids=["header", "middle"])
def test_a_corrupt_file_is_named_and_a_new_one_is_filled_in_its_place(
    at: int, tmp_path: Path, running: Running
) -> None:
    database = SqliteDatabase(tmp_path)
    store = database.migrated()
    store.write([*_made(200), memory()])
    store.close()
    with database.file.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 30_000)
    journal = running(database)
    made = decision(START_S + 500)
    journal.commit([made], _BRIEF_S)
    eventually(_is(journal, Standing.DOWN))
    assert "malformed" in journal.condition.reason or "not a database" in journal.condition.reason
    assert journal.counts.spooled == 1
    for file_ in database.file.parent.iterdir():
        file_.rename(tmp_path / file_.name)
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [made.id]


@pytest.mark.parametrize("put_back", [False, True], ids=["taken away", "replaced by a backup"])
def test_a_file_changed_under_the_writer_is_noticed_before_the_next_write(
    put_back: bool, tmp_path: Path, running: Running
) -> None:
    database = SqliteDatabase(tmp_path)
    old, lost, new = decision(START_S), decision(START_S + 60), decision(START_S + 120)
    store = database.migrated()
    store.write([old])
    store.close()
    backup = shutil.copy(database.file, tmp_path / "backup.db")
    journal = running(database)
    assert journal.commit([lost], _PATIENCE_S)
    for file in database.file.parent.iterdir():
        file.rename(tmp_path / file.name)
    if put_back:
        shutil.copy(backup, database.file)
    journal.commit([new], _PATIENCE_S)
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == ([old.id] if put_back else []) + [new.id]


@pytest.mark.postgresql
def test_a_server_that_stops_answering_is_down_until_it_answers(
    postgresql_server: RealPostgresql, running: Running
) -> None:
    database = PostgresqlDatabase(postgresql_server)
    journal = running(database, pace=Pace(0.02, 0.1, stuck_s=0.1))
    assert journal.commit([memory()], _PATIENCE_S)
    made = _made(3)
    with database.frozen():
        for one in made:
            with _at_most(_BRIEF_S + 1.0):
                assert not journal.commit([one], _BRIEF_S)
        eventually(lambda: "no answer for" in journal.condition.reason)
        assert _is(journal, Standing.DOWN)()
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [one.id for one in made]


@pytest.mark.postgresql
def test_a_connection_that_the_server_ends_costs_one_retry(
    postgresql_server: RealPostgresql, running: Running
) -> None:
    database = PostgresqlDatabase(postgresql_server)
    journal = running(database)
    assert journal.commit([memory()], _PATIENCE_S)
    with psycopg.connect(postgresql_server.url("postgres"), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database.name]
        )
    made = decision()
    journal.commit([made], _PATIENCE_S)
    eventually(lambda: journal.counts.spooled == 0)
    assert _ids(database) == [made.id]
    assert journal.counts.failures <= 1


@pytest.mark.postgresql
def test_no_reason_shows_the_password(postgresql_server: RealPostgresql) -> None:
    url = postgresql_server.url("nowhere").replace("postgres@", "postgres:hunter2@")
    journal = Journal(lambda: Store.open(url), pace=_QUICK)
    journal.start()
    eventually(_is(journal, Standing.DOWN))
    assert 'database "nowhere" does not exist' in journal.condition.reason
    assert "hunter2" not in journal.condition.reason
    journal.close()
