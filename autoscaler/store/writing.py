"""The SQL that writes. Every statement may be repeated: a row that is there already changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from autoscaler.store import schema
from autoscaler.store.encoding import EncodedRow, Kind

_DAY_S = 86_400.0
_AT_ONCE = 400
"""Keys in one query, below the number of parameters that any SQLite takes."""

Values = dict[str, Any]


class KnownIds:
    """Numbers of workloads and reasons that were seen, so that they are asked for once.

    Only valid while the transactions that found them were committed: `forget` after any other.
    """

    def __init__(self) -> None:
        self.workloads: dict[str, int] = {}
        self.reasons: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self.workloads or self.reasons)

    def forget(self) -> None:
        """Ask again from now on."""
        self.workloads.clear()
        self.reasons.clear()


def write_rows(connection: Connection, rows: Sequence[EncodedRow], known: KnownIds, now_s: float) -> None:
    """Write all rows in the connection's transaction, kind by kind in the order of `Kind`.

    now_s: epoch seconds, which states are marked with.
    """
    _learn_workloads(connection, {row.workload for row in rows if row.workload}, known)
    by_kind: dict[Kind, list[Values]] = defaultdict(list)
    for row in rows:
        values = dict(row.values)
        if row.workload:
            values["workload_id"] = known.workloads[row.workload]
        if row.kind is Kind.STATE:
            values["changed_s"] = now_s
        by_kind[row.kind].append(values)
    for kind in sorted(by_kind):
        if kind is Kind.DECISION:
            _write_decisions(connection, by_kind[kind], known)
        else:
            _WRITERS[kind](connection, by_kind[kind])


def conflict_insert(connection: Connection, model: type[schema.Schema]) -> sqlite.Insert | postgresql.Insert:
    """An insert that can say what happens on conflict, which each dialect has for itself."""
    table = _table(model)
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _table(model: type[schema.Schema]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _learn_workloads(connection: Connection, wanted: set[str], known: KnownIds) -> None:
    keys = [tuple(key.split("/", 1)) for key in sorted(wanted - known.workloads.keys())]
    model = schema.Workload
    for some in _in_pieces(keys):
        columns = select(model.namespace, model.name, model.id)
        query = columns.where(tuple_(model.namespace, model.name).in_(some))
        found = {(space, name): number for space, name, number in connection.execute(query)}
        missing = [{"namespace": space, "name": name} for space, name in some if (space, name) not in found]
        if missing:
            connection.execute(conflict_insert(connection, model).on_conflict_do_nothing(), missing)
            found = {(space, name): number for space, name, number in connection.execute(query)}
        known.workloads.update({f"{space}/{name}": number for (space, name), number in found.items()})


def _learn_reasons(connection: Connection, wanted: set[str], known: KnownIds) -> None:
    names = sorted(wanted - known.reasons.keys())
    if not names:
        return
    model = schema.Reason
    query = select(model.name, model.id).where(model.name.in_(names))
    if len(found := connection.execute(query).all()) < len(names):
        insert = conflict_insert(connection, model).on_conflict_do_nothing()
        connection.execute(insert, [{"name": name} for name in names])
        found = connection.execute(query).all()
    known.reasons.update({name: number for name, number in found})


def _in_pieces(keys: list[Any]) -> Iterable[list[Any]]:
    return (keys[at : at + _AT_ONCE] for at in range(0, len(keys), _AT_ONCE))


def _write_decisions(connection: Connection, rows: list[Values], known: KnownIds) -> None:
    documents = {}
    for row in rows:
        payload = row.pop("document")
        if payload is not None:
            documents[row["document_id"]] = {
                "id": row["document_id"],
                "used_s": row["at_s"],
                "payload": payload,
            }
    if documents:
        insert = conflict_insert(connection, schema.Document)
        newer = insert.excluded.used_s > schema.Document.used_s + _DAY_S
        statement = insert.on_conflict_do_update(
            index_elements=["id"], set_={"used_s": insert.excluded.used_s}, where=newer
        )
        connection.execute(statement, list(documents.values()))
    connection.execute(conflict_insert(connection, schema.Decision).on_conflict_do_nothing(), rows)
    named = {row["id"]: set(filter(None, row["reasons"].split(","))) for row in rows}
    _learn_reasons(connection, set().union(*named.values()), known)
    links = [
        {"reason_id": known.reasons[name], "decision_id": number}
        for number, names in named.items()
        for name in sorted(names)
    ]
    if links:
        connection.execute(conflict_insert(connection, schema.DecisionReason).on_conflict_do_nothing(), links)


def _write_new(model: type[schema.Schema]) -> Callable[[Connection, list[Values]], None]:
    """Rows that never change."""

    def write(connection: Connection, rows: list[Values]) -> None:
        connection.execute(conflict_insert(connection, model).on_conflict_do_nothing(), rows)

    return write


def _write_outcomes(connection: Connection, rows: list[Values]) -> None:
    table = _table(schema.Decision)
    statement = update(table).where(table.c.id == bindparam("decision")).values(outcome=bindparam("became"))
    connection.execute(statement, [{"decision": row["decision"], "became": row["became"]} for row in rows])


def _write_seen(connection: Connection, rows: list[Values]) -> None:
    table = _table(schema.Workload)
    statement = (
        update(table)
        .where(table.c.id == bindparam("workload_id"))
        .values(uid=bindparam("uid"), seen_s=bindparam("at_s"))
    )
    connection.execute(statement, rows)


def _write_newest(
    model: type[schema.Memory | schema.State | schema.Manifest],
) -> Callable[[Connection, list[Values]], None]:
    """One row for each workload, which one of a later time replaces."""
    columns = [column.name for column in _table(model).columns if not column.primary_key]

    def write(connection: Connection, rows: list[Values]) -> None:
        insert = conflict_insert(connection, model)
        statement = insert.on_conflict_do_update(
            index_elements=["workload_id"],
            set_={name: insert.excluded[name] for name in columns},
            where=insert.excluded.at_s >= model.at_s,
        )
        connection.execute(statement, rows)

    return write


def _write_states(connection: Connection, rows: list[Values]) -> None:
    """States, and that there is none any more: which of the two came last counts, as it does in the spool."""
    last = {row["workload_id"]: row for row in rows}
    gone = [workload_id for workload_id, row in last.items() if row["payload"] is None]
    kept = [row for row in rows if row["payload"] is not None and row["workload_id"] not in gone]
    if kept:
        _write_newest(schema.State)(connection, kept)
    for some in _in_pieces(gone):
        for model in (schema.State, schema.Manifest):
            connection.execute(delete(_table(model)).where(_table(model).c.workload_id.in_(some)))


def _write_spend(connection: Connection, rows: list[Values]) -> None:
    insert = conflict_insert(connection, schema.Spend)
    statement = insert.on_conflict_do_update(
        index_elements=["workload_id", "day"],
        set_={"amount": insert.excluded.amount},
        where=insert.excluded.amount > schema.Spend.amount,
    )
    connection.execute(statement, rows)


def _end_overrides(connection: Connection, rows: list[Values]) -> None:
    table = _table(schema.Override)
    statement = (
        update(table)
        .where(table.c.id == bindparam("override"), table.c.ended_s.is_(None))
        .values(ended_s=bindparam("at_s"))
    )
    connection.execute(statement, [{"override": row["override"], "at_s": row["at_s"]} for row in rows])


_WRITERS: dict[Kind, Callable[[Connection, list[Values]], None]] = {
    Kind.SEEN: _write_seen,
    Kind.OUTCOME: _write_outcomes,
    Kind.MEMORY: _write_newest(schema.Memory),
    Kind.OBSERVATION: _write_new(schema.Observation),
    Kind.FORECAST: _write_new(schema.Forecast),
    Kind.SPEND: _write_spend,
    Kind.OVERRIDE: _write_new(schema.Override),
    Kind.OVERRIDE_END: _end_overrides,
    Kind.AUDIT: _write_new(schema.AuditEntry),
    Kind.MANIFEST: _write_newest(schema.Manifest),
    Kind.STATE: _write_states,
}
