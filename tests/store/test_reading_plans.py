"""How PostgreSQL finds the newest rows of one workload: along an index, without reading and sorting all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from databases import PostgresqlDatabase
from real_postgresql import RealPostgresql
from sqlalchemy import event, text

from autoscaler.store.payload import packed
from autoscaler.store.store import Store

pytestmark = pytest.mark.postgresql

_WORKLOADS, _ROWS = 20, 3_000
_FILL = (
    """INSERT INTO workloads (id, namespace, name)
    SELECT n, 'shop', 'w' || n FROM generate_series(1, {w}) AS n""",
    # In the order of time, as they come in life.
    """INSERT INTO observations (workload_id, at_s, load, ready, asked)
    SELECT n, 60 * t, 1.0, 1, 1 FROM generate_series(1, {r}) AS t, generate_series(1, {w}) AS n""",
    """INSERT INTO observation_hours (workload_id, at_s, rows, asked_mean, asked_max)
    SELECT n, 3600 * t, 60, 1.0, 1 FROM generate_series(1, {r}) AS t, generate_series(1, {w}) AS n""",
    """INSERT INTO forecasts (workload_id, made_at_s, payload)
    SELECT n, 300 * t, :payload FROM generate_series(1, {r}) AS t, generate_series(1, {w}) AS n""",
    """INSERT INTO decisions (id, workload_id, at_s, before, after, reasons, outcome, sentence, payload)
    SELECT {w} * t + n, n, 15 * t, 1, 1, '', '', '', :payload
    FROM generate_series(1, {r}) AS t, generate_series(1, {w}) AS n""",
    "ANALYZE",
)


@pytest.fixture(scope="module")
def filled(postgresql_server: RealPostgresql) -> Iterator[Store]:
    """A store with so many rows of so many workloads that it matters how they are found."""
    store = PostgresqlDatabase(postgresql_server).migrated()
    with store.engine.begin() as connection:
        for statement in _FILL:
            values = {"payload": packed({})} if ":payload" in statement else {}
            connection.execute(text(statement.format(w=_WORKLOADS, r=_ROWS)), values)
    yield store
    store.close()


def _plan(store: Store, read: Callable[[], object]) -> list[dict[str, Any]]:
    """Every node of the plan of the one statement that `read` sends."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        read()
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    ((statement, parameters),) = sent
    with store.engine.connect() as connection:
        explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    (whole,) = json.loads(explained) if isinstance(explained, str) else explained
    return list(_nodes(whole["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for part in node.get("Plans", ()):
        yield from _nodes(part)


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda store: store.forecast_at("shop/w3", 600_000.0), "pk_forecasts"),
        (lambda store: store.forecast_at("shop/w3", 9e9), "pk_forecasts"),
        (lambda store: store.forecasts("shop/w3", 0.0, 9e9), "pk_forecasts"),
        (lambda store: store.latest_observation("shop/w3"), "pk_observations"),
        (lambda store: store.hours_until("shop/w3"), "pk_observation_hours"),
        (lambda store: store.decisions(workload="shop/w3"), "ix_decisions_workload_id_id"),
        (
            lambda store: store.decisions(workload="shop/w3", namespaces=["shop"], since_s=0.0, limit=20),
            "ix_decisions_workload_id_id",
        ),
    ],
    ids=[
        "forecast at",
        "latest forecast",
        "forecasts",
        "observation",
        "hours",
        "decisions",
        "decisions since",
    ],
)
def test_the_newest_of_one_workload_is_found_along_an_index(
    read: Callable[[Store], object], index: str, filled: Store
) -> None:
    filled.state_keys()  # looks at the tables once, so that nothing but the statement itself comes after
    nodes = _plan(filled, lambda: read(filled))
    assert index in {node.get("Index Name") for node in nodes}
    assert {node["Node Type"] for node in nodes}.isdisjoint({"Sort", "Incremental Sort", "Bitmap Heap Scan"})
    # Of so few workloads the one may be found by looking at all.
    whole = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    assert whole <= {"workloads"}
