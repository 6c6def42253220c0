"""The tables come about whole or not at all, whoever starts when, and only where they belong."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from databases import NEXT_RELEASE, Database, SqliteDatabase
from rowmaking import WORKLOAD, decision, memory, state
from sqlalchemy import event, inspect

from autoscaler.store.engine import WRITING
from autoscaler.store.errors import SchemaError, StoreError
from autoscaler.store.migrating import alembic_config
from autoscaler.store.schema import Schema
from autoscaler.store.store import Store

_SPAWN = multiprocessing.get_context("spawn")
_TABLES = {*Schema.metadata.tables, "alembic_version"}


def _tables(store: Store) -> set[str]:
    return set(inspect(store.engine).get_table_names())


def _with_alembic(store: Store, work: Callable[[Any], None]) -> None:
    with store.engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
        work(alembic_config(connection))


def test_the_migrations_lead_to_the_tables_that_the_code_expects(store: Store) -> None:
    assert _tables(store) == _TABLES
    _with_alembic(store, command.check)


def test_every_migration_can_be_taken_back_and_made_again(store: Store) -> None:
    _with_alembic(store, lambda config: command.downgrade(config, "base"))
    assert _tables(store) == {"alembic_version"}
    store.migrate()
    _with_alembic(store, command.check)
    store.write([decision()])


def test_what_was_stored_before_an_upgrade_is_there_after_it(store: Store) -> None:
    store.write([decision(), memory()])
    before = store.decisions()
    _with_alembic(store, lambda config: command.downgrade(config, "0001"))
    store.migrate()
    assert (store.decisions(), store.memory(WORKLOAD)) == (before, memory())
    store.write([state()])
    assert store.state_keys() == {WORKLOAD}


def test_tables_that_are_up_to_date_are_left_alone(store: Store) -> None:
    store.write([memory()])
    store.migrate()
    assert store.memories()


def _migrate_when_all_are_ready(url: str, ready: Barrier) -> None:
    store = Store.open(url)
    ready.wait(60)
    store.migrate()
    store.write([memory(workload=f"shop/{os.getpid()}")])


@pytest.mark.slow
def test_replicas_that_start_at_once_both_end_well(database: Database) -> None:
    ready = _SPAWN.Barrier(3)
    starters = [_SPAWN.Process(target=_migrate_when_all_are_ready, args=(database.url, ready)) for _ in "abc"]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join(60)
    assert [starter.exitcode for starter in starters] == [0, 0, 0]
    store = database.store()
    assert len(store.memories()) == 3
    assert _tables(store) == _TABLES
    store.close()


def test_who_meets_a_file_that_another_has_just_begun_waits_for_it(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    first = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    first.execute("BEGIN IMMEDIATE")
    ended = threading.Timer(0.3, first.rollback)
    ended.start()
    store = Store.open(f"sqlite:///{file}")
    store.migrate()
    assert _tables(store) == _TABLES
    ended.join()
    first.close()
    store.close()


def _die_half_way(url: str, at: str = "CREATE TABLE decisions") -> None:
    store = Store.open(url)

    @event.listens_for(store.engine, "after_cursor_execute")
    def _die(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if at in statement:
            os.kill(os.getpid(), signal.SIGKILL)

    store.migrate()


@pytest.mark.slow
def test_a_migration_killed_half_way_is_made_whole_by_the_next_start(database: Database) -> None:
    dying = _SPAWN.Process(target=_die_half_way, args=(database.url,))
    dying.start()
    dying.join(60)
    assert dying.exitcode == -signal.SIGKILL
    store = database.store()
    assert _tables(store) == set()
    store.migrate()
    assert _tables(store) == _TABLES
    store.write([decision()])
    store.close()


@pytest.mark.slow
def test_an_upgrade_killed_half_way_leaves_tables_and_rows_as_they_were(
    store: Store, database: Database
) -> None:
    store.write([decision(), memory()])
    before = store.decisions()
    _with_alembic(store, lambda config: command.downgrade(config, "0001"))
    older = _tables(store)
    # By then the migration before has been carried out, in the same transaction.
    dying = _SPAWN.Process(target=_die_half_way, args=(database.url, "CREATE TABLE answered_keys"))
    dying.start()
    dying.join(60)
    assert dying.exitcode == -signal.SIGKILL
    assert _tables(store) == older and "states" not in older
    store.migrate()
    _with_alembic(store, command.check)
    assert (store.decisions(), store.memory(WORKLOAD)) == (before, memory())


def test_a_store_of_a_newer_release_is_refused_and_left_as_it_is(store: Store, database: Database) -> None:
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match=r"newer release \(schema 9999; this one knows \d{4}\)"):
        store.migrate()
    assert _tables(store) == _TABLES


_REFUSALS = [
    ("", "has no tables yet: the operator makes them"),
    (
        "0001",
        r"of an older release \(schema 0001; this one needs \d{4}\): the operator .* brings it up to date",
    ),
    ("9999", r"of a newer release \(schema 9999; this one knows \d{4}\)"),
]


@pytest.mark.parametrize(("schema", "told"), _REFUSALS, ids=["none", "older", "newer"])
def test_who_finds_other_tables_than_its_own_is_told_so_and_touches_none(
    database: Database, schema: str, told: str
) -> None:
    if schema:
        database.migrated().close()
        database.execute(f"UPDATE alembic_version SET version_num = '{schema}'")
    store = database.store()
    before = _tables(store)
    for use in (store.states, lambda: store.write([state()])):
        with pytest.raises(SchemaError, match=told):
            use()
    assert _tables(store) == before
    store.close()


def test_who_waits_for_the_tables_reads_them_as_soon_as_they_are_there(database: Database) -> None:
    waiting = database.store()
    with pytest.raises(SchemaError):
        waiting.states()
    database.migrated().close()
    assert waiting.states() == []
    waiting.close()


def test_who_worked_with_the_tables_goes_on_while_a_newer_release_adds_to_them(
    store: Store, database: Database
) -> None:
    store.write([decision(), state()])
    for statement in NEXT_RELEASE:
        database.execute(statement)
    store.write([decision(), state()])
    assert len(store.decisions().decisions) == 2 and store.state_keys() == {WORKLOAD}
    anew = database.store()
    anew.migrate(or_newer=True)
    assert len(anew.decisions().decisions) == 2
    anew.close()


def test_a_database_with_other_peoples_tables_is_refused(database: Database) -> None:
    database.execute("CREATE TABLE decisions (note TEXT)")
    store = database.store()
    with pytest.raises(SchemaError, match=r"not of this store \(decisions\)"):
        store.migrate()
    assert _tables(store) == {"decisions"}
    store.close()


def test_tables_beside_ours_disturb_nobody(database: Database) -> None:
    database.execute("CREATE TABLE invoices (note TEXT)")
    store = database.migrated()
    assert _tables(store) == {*_TABLES, "invoices"}
    store.close()


def test_tables_that_are_up_to_date_can_be_opened_read_only(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path)
    writer = database.migrated()
    writer.write([memory()])
    reader = Store.open(f"sqlite:///file:{database.file}?mode=ro&uri=true")
    reader.migrate()
    assert reader.memories()
    with pytest.raises(StoreError, match="readonly"):
        reader.write([memory()])
    reader.close()
    writer.close()


def test_a_file_in_a_folder_that_is_not_there_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"the folder {tmp_path}/none of the store does not exist"):
        Store.open(f"sqlite:///{tmp_path}/none/store.db").migrate()
