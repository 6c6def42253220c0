"""A store as it is after a week with many workloads, filled in about a minute.

A few workloads are worked out decision by decision; the others are their twins, which the database copies.
Rows go in in the order of time, as they do in life, so that the tables are laid out as they would be.
"""

from __future__ import annotations

import time
import zlib

from filled_store import SCENES, fill
from sqlalchemy import text

from autoscaler.store.rows import ManifestKept, Row, StateKept, WorkloadSeen
from autoscaler.store.store import Store

# The low bits of an identifier count, and those that are copied count to less than 8,192 in all.
_TWIN_ID = """{id} - {id} % 2097152
    + ({id} + 8192 * CAST(substr(twin.name, length(first.name) + 2) AS INTEGER)) % 2097152"""
_TWIN = """JOIN workloads AS first ON first.id = kept.workload_id
    JOIN workloads AS twin ON twin.namespace = first.namespace AND twin.name LIKE first.name || '-%'"""

_COPIES = (
    f"""INSERT INTO decision_reasons (reason_id, decision_id)
    SELECT link.reason_id, {_TWIN_ID.format(id="kept.id")} FROM decision_reasons AS link
    JOIN decisions AS kept ON kept.id = link.decision_id {_TWIN} ORDER BY link.reason_id, kept.id""",
    f"""INSERT INTO decisions
        (id, workload_id, at_s, "before", "after", reasons, outcome, sentence, document_id, payload)
    SELECT {_TWIN_ID.format(id="kept.id")}, twin.id, kept.at_s, kept."before", kept."after", kept.reasons,
        kept.outcome, kept.sentence, kept.document_id, kept.payload
    FROM decisions AS kept {_TWIN} ORDER BY kept.id""",
    f"""INSERT INTO observations (workload_id, at_s, load, ready, asked)
    SELECT twin.id, kept.at_s, kept.load, kept.ready, kept.asked FROM observations AS kept {_TWIN}
    WHERE kept.at_s >= :newest_s ORDER BY twin.id, kept.at_s""",
    f"""INSERT INTO forecasts (workload_id, made_at_s, payload)
    SELECT twin.id, kept.made_at_s, kept.payload FROM forecasts AS kept {_TWIN}
    WHERE kept.made_at_s >= :newest_s ORDER BY kept.made_at_s, twin.id""",
    f"""INSERT INTO spend (workload_id, day, amount)
    SELECT twin.id, kept.day, kept.amount FROM spend AS kept {_TWIN}""",
)


def fill_with_twins(store: Store, workloads: int, days: float, seen_days: float) -> dict[str, int]:
    """Fill an empty store up to now, and return how many rows there are of what there is most of.

    seen_days: of twins' observations and forecasts, of which there would be ten times as many as decisions.
    """
    store.migrate()
    end_s = time.time()
    fill(store, days=days, forecast_days=seen_days, end_s=end_s)
    _show_twins(store, workloads)
    with store.engine.begin() as connection:
        for copy in _COPIES:
            values = {"newest_s": int(end_s - 86_400 * seen_days)} if ":newest_s" in copy else {}
            connection.execute(text(copy), values)
    if store.engine.dialect.name == "postgresql":
        # By itself the server does so only minutes later, and would write out what was filled in meanwhile.
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))
    with store.engine.begin() as connection:
        tables = ("workloads", "decisions", "observations", "forecasts")
        return {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables
        }


def _show_twins(store: Store, workloads: int) -> None:
    """Keep what is shown of each twin, like what is shown of the first under another name."""
    known = store.states()
    rows: list[Row] = []
    for number in range(len(SCENES), workloads):
        first = known[number % len(known)]
        manifest = store.manifest(first.workload)
        assert manifest is not None  # each of the first has one
        key, name = (f"{text}-{number // len(known)}" for text in (first.workload, first.payload["name"]))
        uid = f"{zlib.crc32(key.encode()):08x}-0000-4000-8000-000000000000"
        metadata = {**manifest.payload["metadata"], "name": name, "uid": uid}
        rows += [
            WorkloadSeen(key, uid, first.at_s),
            StateKept(key, first.at_s, {**first.payload, "name": name, "uid": uid}),
            ManifestKept(key, first.at_s, {**manifest.payload, "metadata": metadata}),
        ]
    store.write(rows)
