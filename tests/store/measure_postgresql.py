"""How much room the store takes on PostgreSQL, with what replacing and removing rows leaves behind.

    .venv/bin/python tests/store/measure_postgresql.py

Writes the day that `measure_size.py` writes three times, as three days in turn: minute by minute, and of a
decision its outcome in a transaction after it, as the live loop does. Each hour what is older than a day
goes, as the controller forgets. Then replaces what is kept only newest, of a thousand workloads, time and
again. It all takes minutes, in which the server's autovacuum looks a few times. So a table is vacuumed by
hand when as many rows as a fifth of it were replaced or removed: by autovacuum's own measure.
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
from simulated_day import DAY_S, LOOKED_AT, PERIOD_S, START_S, day_of, time_of
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
_MINUTE_S = 60.0
_MINUTES = round(DAY_S / _MINUTE_S)
_DEAD = 0.2
"""autovacuum_vacuum_scale_factor. The 50 rows beside it count only where workloads are few, so not here."""

_TABLES = {
    "decisions": ("decisions", "decision_reasons", "documents"),
    "observations": ("observations",),
    "forecasts": ("forecasts",),
    "memories": ("memories",),
    "states": ("states",),
    "manifests": ("manifests",),
}
"""What is counted together, the rows by the first."""

_REPLACED = {MemoryKept: "memories", StateKept: "states", ManifestKept: "manifests"}
_ROUNDS = 30
"""How often each of these is replaced; after a few it makes no difference."""

_ONE_DAY = Retention(
    decisions_s=DAY_S, observations_s=DAY_S, forecasts_s=DAY_S, max_bytes=None, step_workloads=1000
)

_Minutes = list[list[Row]]


def _simulated(workloads: int, spread: float) -> tuple[_Minutes, dict[type, list[Row]], Counter[type]]:
    """What is added by the minute; some of what replaces each other, and how often that does."""
    fans = a_day_of_fans()
    minutes: _Minutes = [[] for _ in range(_MINUTES)]
    replacing: dict[type, list[Row]] = {kind: [] for kind in _REPLACED}
    counts: Counter[type] = Counter()
    for number in range(workloads):
        for row in day_of(number, 24.0, spread, fans):
            kind = type(row)
            counts[kind] += 1
            if kind in replacing:
                replacing[kind].append(row)
            else:
                minutes[min(_MINUTES - 1, int((time_of(row) - START_S) / _MINUTE_S))].append(row)
    # The day tells only the last memory: there is one after each evaluation.
    counts[MemoryKept] *= round(DAY_S / PERIOD_S)
    return minutes, replacing, counts


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
    return _changed(row, **changes)


def _changed(row: Row, **changes: Any) -> Row:
    return dataclasses.replace(row, **changes)


_Sizes = dict[str, tuple[int, int]]


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

    def sizes(self) -> _Sizes:
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
    # Of a decision the outcome is written over, which leaves the row before it dead.
    tables.note("decisions", len(decisions))


def _forget(store: Store, tables: _Tables, now_s: float) -> None:
    more = True
    while more:
        step = store.prune(_ONE_DAY, now_s)
        tables.note("decisions", step.decisions)
        tables.note("observations", step.observations)
        tables.note("forecasts", step.forecasts)
        more = step.more


def _lived(store: Store, minutes: _Minutes) -> Iterator[_Tables]:
    """The tables at the end of each day."""
    tables = _Tables(store)
    for day in range(_DAYS):
        for number, rows in enumerate(minutes, start=1):
            _write(store, tables, [_later(row, day * DAY_S) for row in rows])
            if number % 60 == 0:
                _forget(store, tables, START_S + day * DAY_S + number * _MINUTE_S)
            tables.vacuum()
        yield tables


def _replace(store: Store, kind: type, rows: Sequence[Row]) -> float:
    """Replace what is kept of each workload; bytes of the write-ahead log for each time, pages included."""
    tables = _Tables(store)
    began = 0
    for number in range(_ROUNDS):
        if number == 1:
            began = tables.log_bytes()
        at_s = START_S + _DAYS * DAY_S + number * _MINUTE_S
        changed = [
            _changed(rows[(number + one) % len(rows)], workload=f"large/{one}", at_s=at_s)
            for one in range(LOOKED_AT)
        ]
        store.write(changed)
        tables.note(_REPLACED[kind], LOOKED_AT if number else 0)
        tables.vacuum()
    return (tables.log_bytes() - began) / (_ROUNDS - 1) / LOOKED_AT


def main(arguments: Sequence[str]) -> None:
    """Simulate, write, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workloads", type=int, default=40)
    parser.add_argument("--noise", type=float, default=0.05, help="standard deviation as a share of the load")
    chosen = parser.parse_args(arguments)
    minutes, replacing, counts = _simulated(chosen.workloads, chosen.noise)
    with running_postgresql() as server:
        store = Store.open(server.url(server.new_database()), 60.0)
        store.migrate()
        sizes, logged = [], []
        for tables in _lived(store, minutes):
            sizes.append(tables.sizes())
            logged.append(tables.log_bytes())
        print(f"vacuumed by hand: {dict(tables.vacuumed)}")
        _print_added(sizes[0], sizes[-1], chosen.workloads)
        ahead = (logged[-1] - logged[-2]) / chosen.workloads
        print(f"written ahead for these: {ahead / 1e6:.2f} MB a day and workload")
        for kind, rows in replacing.items():
            each = _replace(store, kind, rows)
            count, size = tables.sizes()[_REPLACED[kind]]
            a_day = counts[kind] / chosen.workloads
            ahead += each * a_day
            times = f"replaced {a_day:.0f} times a day and workload, {each:.0f} written ahead each time"
            print(f"{_REPLACED[kind]:14}{size / count:18.0f} a row, {times}")
        print(f"written ahead in a day of 5,000: {ahead * 5000 / 1e9:.1f} GB")
        store.close()


def _print_added(first: _Sizes, last: _Sizes, workloads: int) -> None:
    print(f"{'bytes a row':14}{'added':>10}{'kept':>8}{'rows/day':>10}{'MB/day: 1,000':>15}{'5,000':>8}")
    for kind, (rows, size) in last.items():
        if not rows:
            continue
        began_rows, began_size = first[kind]
        added = f"{began_size / began_rows:10.0f}" if began_rows else f"{'':10}"
        a_day = rows / workloads
        megabytes = [count * a_day * size / rows / 1e6 for count in (1000, 5000)]
        print(f"{kind:14}{added}{size / rows:8.0f}{a_day:10.0f}{megabytes[0]:15.1f}{megabytes[1]:8.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
