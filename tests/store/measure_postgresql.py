"""How much room the store takes on PostgreSQL, with what replacing and removing rows leaves behind.

    .venv/bin/python tests/store/measure_postgresql.py

Writes a simulated day three times, as three days in turn, in transactions as the live loop makes them: a
decision, then its outcome; a memory at every evaluation. Each hour what is older than a day goes, as the
controller forgets. A day passes here in a minute, in which the server's autovacuum looks once. So each table
is vacuumed by hand, at the end of a simulated minute, when as many rows as a fifth of it were replaced or
removed: by autovacuum's own measure.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from real_postgresql import running_postgresql
from recorded_fans import a_day_of_fans
from simulated_day import DAY_S, PERIOD_S, START_S, day_of, time_of
from sqlalchemy import Connection, text

from autoscaler.store.ids import new_id
from autoscaler.store.pruning import Retention
from autoscaler.store.rows import (
    DecisionMade,
    ForecastMade,
    ManifestKept,
    MemoryKept,
    Outcome,
    Row,
    StateKept,
)
from autoscaler.store.store import Store

_DAYS = 3
_TICKS = round(DAY_S / PERIOD_S)
_TICKS_A_MINUTE, _TICKS_AN_HOUR = round(60 / PERIOD_S), round(3600 / PERIOD_S)
_DEAD = 0.2
"""autovacuum_vacuum_scale_factor. The 50 rows beside it count only where workloads are few, so not here."""

_TABLES = {
    "decisions": ("decisions", "decision_reasons", "documents"),
    "observations": ("observations",),
    "hours": ("observation_hours",),
    "forecasts": ("forecasts",),
    "memories": ("memories",),
    "states": ("states",),
    "manifests": ("manifests",),
}
"""What is counted together, the rows by the first."""

_REPLACED = {MemoryKept: "memories", StateKept: "states", ManifestKept: "manifests"}
_ONE_DAY = Retention(
    decisions_s=DAY_S, observations_s=DAY_S, forecasts_s=DAY_S, max_bytes=None, step_workloads=1000
)


def _ticks(workloads: int, spread: float) -> list[list[Row]]:
    """The rows of a day by the tick that they are written in."""
    fans = a_day_of_fans()
    ticks: list[list[Row]] = [[] for _ in range(_TICKS)]
    memories: list[MemoryKept] = []
    for number in range(workloads):
        for row in day_of(number, 24.0, spread, fans):
            if isinstance(row, MemoryKept):
                memories.append(row)
            else:
                ticks[min(_TICKS - 1, int((time_of(row) - START_S) / PERIOD_S))].append(row)
    for number, rows in enumerate(ticks):
        at_s = START_S + number * PERIOD_S
        rows += [dataclasses.replace(memory, at_s=at_s) for memory in memories]
    return ticks


def _later(row: Row, by_s: float) -> Row:
    """The same on a later day."""
    changes: dict[str, Any]
    match row:
        case ForecastMade():
            changes = {"made_at_s": row.made_at_s + by_s}
        case DecisionMade():
            changes = {"at_s": row.at_s + by_s, "id": new_id(row.at_s + by_s), "outcome": ""}
        case _:
            changes = {"at_s": time_of(row) + by_s}
    return dataclasses.replace(row, **changes)


class _Tables:
    """The tables of a store, and how many of their rows were replaced or removed since they were vacuumed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dead: Counter[str] = Counter()
        self.vacuumed: Counter[str] = Counter()

    def note(self, kind: str, dead: int) -> None:
        """That many rows of a kind are dead."""
        for table in _TABLES[kind]:
            self._dead[table] += dead

    def vacuum(self) -> None:
        """Those that autovacuum would."""
        with self._store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table, dead in self._dead.items():
                if dead and dead > _DEAD * _count(connection, table):
                    connection.execute(text(f"VACUUM ANALYZE {table}"))
                    self._dead[table] = 0
                    self.vacuumed[table] += 1

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Rows and bytes by kind, indexes and long values included."""
        with self._store.engine.connect() as connection:
            return {
                kind: (_count(connection, tables[0]), sum(_bytes(connection, table) for table in tables))
                for kind, tables in _TABLES.items()
            }

    def log_bytes(self) -> int:
        """Of the write-ahead log, since the server was made."""
        with self._store.engine.connect() as connection:
            query = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
            return int(connection.execute(text(query)).scalar_one())


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def _bytes(connection: Connection, table: str) -> int:
    query = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
    return int(connection.execute(query, {"name": table}).scalar_one())


def _write(store: Store, tables: _Tables, rows: Sequence[Row]) -> None:
    """As the loop does: decisions, and when they are carried out the rest."""
    decisions = [row for row in rows if isinstance(row, DecisionMade)]
    store.write(decisions)
    done = [Outcome(row.workload, row.id, "Done") for row in decisions]
    store.write([*done, *(row for row in rows if not isinstance(row, DecisionMade))])
    # Of a decision the outcome is written over, in place of the row.
    tables.note("decisions", len(decisions))
    for kind, table in _REPLACED.items():
        tables.note(table, sum(type(row) is kind for row in rows))


def _forget(store: Store, tables: _Tables, now_s: float) -> None:
    more = True
    while more:
        step = store.prune(_ONE_DAY, now_s)
        tables.note("decisions", step.decisions)
        tables.note("observations", step.observations)
        tables.note("forecasts", step.forecasts)
        more = step.more


def _lived(store: Store, ticks: Sequence[Sequence[Row]]) -> Iterator[_Tables]:
    """The tables at the end of each day."""
    tables = _Tables(store)
    for day in range(_DAYS):
        for number, rows in enumerate(ticks):
            _write(store, tables, [_later(row, day * DAY_S) for row in rows])
            if (number + 1) % _TICKS_AN_HOUR == 0:
                _forget(store, tables, START_S + day * DAY_S + (number + 1) * PERIOD_S)
            if (number + 1) % _TICKS_A_MINUTE == 0:
                tables.vacuum()
        yield tables


def main(arguments: Sequence[str]) -> None:
    """Simulate, write, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workloads", type=int, default=40)
    parser.add_argument("--noise", type=float, default=0.05, help="standard deviation as a share of the load")
    chosen = parser.parse_args(arguments)
    ticks = _ticks(chosen.workloads, chosen.noise)
    sizes: list[dict[str, tuple[int, int]]] = []
    logged: list[int] = []
    with running_postgresql() as server:
        store = Store.open(server.url(server.new_database()), 60.0)
        store.migrate()
        for tables in _lived(store, ticks):
            sizes.append(tables.sizes())
            logged.append(tables.log_bytes())
        vacuumed = dict(tables.vacuumed)
        store.close()
    _print(sizes, chosen.workloads)
    a_day = (logged[-1] - logged[-2]) / chosen.workloads
    print(f"written ahead in a day: {a_day / 1e6:.2f} MB a workload, {a_day * 5000 / 1e9:.1f} GB of 5,000")
    print(f"vacuumed by hand: {vacuumed}")


def _print(sizes: Sequence[dict[str, tuple[int, int]]], workloads: int) -> None:
    first, last = sizes[0], sizes[-1]
    print(f"{'':14}{'bytes/row':>10}{'kept':>8}{'rows/day':>10}{'MB/day: 1,000':>15}{'5,000':>8}")
    for kind, (rows, size) in last.items():
        if not rows:
            continue
        began_rows, began_size = first[kind]
        filled = f"{began_size / began_rows:10.0f}" if began_rows else f"{'':10}"
        each = size / rows
        share = 1.0 if kind in _REPLACED.values() else rows / workloads
        megabytes = [count * share * each / 1e6 for count in (1000, 5000)]
        print(f"{kind:14}{filled}{each:8.0f}{share:10.0f}{megabytes[0]:15.1f}{megabytes[1]:8.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
