"""How far back the store reaches once it is as large as it may be, with rows as `measure_size.py` found them.

    .venv/bin/python tests/store/measure_limit.py --workloads 5000 --decisions 520 --days 3

Twenty workloads stand for all, with the same share of the default limit; what a day brings is written by the
hour, and forgotten as the controller does. Prints the age of the oldest row of each kind in the end.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, func, insert, select

from autoscaler.store import schema
from autoscaler.store.ids import first_number
from autoscaler.store.pruning import Retention
from autoscaler.store.store import Store

_WRITTEN = 20
_START_S = 1_700_006_400
_HOUR_S, _DAY_S = 3600, 86_400
_DEFAULT = Retention()
_noise = random.Random(1)

Values = dict[str, Any]


def _decisions(hour_s: int, a_day: int) -> Iterator[Values]:
    """Of one hour, some 900 bytes each with what finds them."""
    count = a_day * _WRITTEN // 24
    for number in range(count):
        at_s = hour_s + _HOUR_S * number / count
        yield {
            "id": first_number(at_s) + number,
            "workload_id": 1 + number % _WRITTEN,
            "at_s": at_s,
            "before": 3,
            "after": 4,
            "reasons": "Forecast,ScaleUpLimit",
            "outcome": "Done",
            "sentence": "x" * 130,
            "payload": _noise.randbytes(560),
        }


def _write_hour(connection: Connection, hour_s: int, decisions_a_day: int) -> None:
    decisions = list(_decisions(hour_s, decisions_a_day))
    connection.execute(insert(schema.Decision), decisions)
    links = [{"reason_id": reason, "decision_id": row["id"]} for row in decisions for reason in (1, 2)]
    connection.execute(insert(schema.DecisionReason), links)
    workloads = range(1, _WRITTEN + 1)
    seen = [
        {"workload_id": one, "at_s": at_s, "load": _noise.random(), "ready": 5, "asked": 6}
        for one in workloads
        for at_s in range(hour_s, hour_s + _HOUR_S, 60)
    ]
    connection.execute(insert(schema.Observation), seen)
    forecasts = [
        {"workload_id": one, "made_at_s": at_s, "payload": _noise.randbytes(640)}
        for one in workloads
        for at_s in range(hour_s, hour_s + _HOUR_S, 300)
    ]
    connection.execute(insert(schema.Forecast), forecasts)


def _reach_days(store: Store, column: Any, now_s: int) -> float:
    with store.engine.connect() as connection:
        oldest_s = connection.execute(select(func.min(column))).scalar_one()
    return 0.0 if oldest_s is None else (now_s - float(oldest_s)) / _DAY_S


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workloads", type=int, default=1000)
    parser.add_argument("--decisions", type=int, default=520, help="a day and workload")
    parser.add_argument("--days", type=int, default=7)
    chosen = parser.parse_args()
    assert _DEFAULT.max_bytes is not None
    retention = Retention(max_bytes=_DEFAULT.max_bytes * _WRITTEN // chosen.workloads)
    end_s = _START_S + chosen.days * _DAY_S
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/store.db")
        store.migrate()
        with store.engine.begin() as connection:
            names = [{"namespace": "shop", "name": f"w{number}"} for number in range(_WRITTEN)]
            connection.execute(insert(schema.Workload), names)
            connection.execute(insert(schema.Reason), [{"name": "Forecast"}, {"name": "ScaleUpLimit"}])
        for hour_s in range(_START_S, end_s, _HOUR_S):
            with store.engine.begin() as connection:
                _write_hour(connection, hour_s, chosen.decisions)
            while store.prune(retention, hour_s + _HOUR_S).more:
                pass
        for column in (schema.Decision.at_s, schema.Observation.at_s, schema.Forecast.made_at_s):
            print(f"{column.class_.__tablename__} {_reach_days(store, column, end_s):.1f} days")
        store.close()


if __name__ == "__main__":
    main()
