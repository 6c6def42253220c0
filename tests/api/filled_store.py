"""A store as an operator leaves it: workloads with some days of decisions, forecasts and observations.

    .venv/bin/python tests/api/filled_store.py sqlite:////tmp/s.db --workloads 1000 --days 7 --forecast-days 1

What happened is made up, but decided by the real rules, minute by minute, and shown by the operator's own
code. A few workloads are worked out; if more are wanted, the others are their doubles under other names. Each
of the few has something of its own: see `SCENES`.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from made_up_load import STEP_S, MadeUpLoad, made_up_load

from autoscaler.controller.acting.dials import Setting
from autoscaler.controller.acting.foreign import ForeignWrites
from autoscaler.controller.acting.verdict import Hold
from autoscaler.controller.forecasts.request import lead_steps
from autoscaler.controller.observing.workload import Workload, parse_workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.telling.forecast_record import forecast_made
from autoscaler.controller.telling.live_state import PRIORITY_LABEL, live_state
from autoscaler.controller.telling.status import status_of
from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.decision import Decision
from autoscaler.planning.explain import explain
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation
from autoscaler.planning.policy import Mode, Policy
from autoscaler.planning.record import recorded
from autoscaler.series import Reading, State
from autoscaler.spec.resource import API_VERSION, KIND
from autoscaler.spec.status import Status
from autoscaler.spec.units import format_time
from autoscaler.store.ids import new_id
from autoscaler.store.rows import (
    DaySpend,
    DecisionMade,
    ForecastMade,
    ManifestKept,
    Observed,
    Row,
    StateKept,
    WorkloadSeen,
)
from autoscaler.store.store import Store

END_S = 1_795_802_400.0  # 2026-11-27T18:00:00Z
_DAY_S = 86_400.0
_FORECAST_EVERY = 5
_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Scene:
    """One workload and what is the matter with it. height: mean load. spec: parts that differ.

    burst: what the load of the last minutes is multiplied by. unread: the newest CPU reading is stale.
    """

    namespace: str
    name: str
    priority: str = "medium"
    height: float = 900.0
    burst: float = 1.0
    unread: bool = False
    spec: dict[str, Any] = field(default_factory=dict)


SCENES = (
    Scene("shop", "checkout", "high"),
    Scene("shop", "search", "high", height=2400.0, burst=2.2),
    Scene("pay", "cards", "high", unread=True),
    Scene("pay", "refunds", "low", height=60.0, spec={"mode": "Recommend"}),
    Scene(
        "media", "thumbnails", height=240.0, spec={"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}
    ),
    Scene("media", "uploads", spec={"maxReplicas": 8}),
    Scene(
        "shop", "cart", spec={"spend": {"replicaHourPrice": "0.12", "dailyBudget": "9", "onBreach": "Alert"}}
    ),
    Scene("batch", "reports", "", height=300.0, spec={"mode": "Paused"}),
)
"""Fine, short, with a stale signal, recommending only, wasting, at its maximum, over budget, paused."""


def fill(
    store: Store,
    *,
    workloads: int = len(SCENES),
    days: float = 1.0,
    forecast_days: float | None = None,
    end_s: float = END_S,
    seed: int = 1,
) -> list[str]:
    """Fill a migrated store up to `end_s`, and return the workloads. forecast_days: fewer of forecasts."""
    pasts = [_past(scene, days, end_s, seed + number) for number, scene in enumerate(SCENES[:workloads])]
    forecasts_from_s = end_s - _DAY_S * (days if forecast_days is None else forecast_days)
    names = []
    for number in range(workloads):
        past = pasts[number % len(pasts)]
        name = past.workload.name if number < len(pasts) else f"{past.workload.name}-{number // len(pasts)}"
        names.append(f"{past.workload.namespace}/{name}")
        _write(store, past.rows(name, forecasts_from_s))
    return names


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """What is kept of one workload, under the name that it was worked out for."""

    workload: Workload
    decisions: list[DecisionMade]
    observed: list[Observed]
    forecasts: list[ForecastMade]
    spend: dict[datetime.date, float]
    state: dict[str, Any]
    at_s: float

    def rows(self, name: str, forecasts_from_s: float) -> Iterator[Row]:
        """All rows, under another name, in the order of time within each kind."""
        key = f"{self.workload.namespace}/{name}"
        uid = f"{zlib.crc32(key.encode()):08x}-0000-4000-8000-000000000000"
        yield WorkloadSeen(key, uid, self.at_s)
        newest = None
        for made in self.decisions:
            newest = new_id(made.at_s)
            yield dataclasses.replace(made, workload=key, id=newest)
        for one in self.observed:
            yield dataclasses.replace(one, workload=key)
        for forecast in self.forecasts:
            if forecast.made_at_s >= forecasts_from_s:
                yield dataclasses.replace(forecast, workload=key)
        for day, amount in self.spend.items():
            yield DaySpend(key, day, amount)
        state = {**self.state, "name": name, "uid": uid, "decisionId": newest}
        yield StateKept(key, self.at_s, state)
        manifest = {
            **self.workload.manifest,
            "metadata": {**self.workload.manifest["metadata"], "name": name},
        }
        yield ManifestKept(key, self.at_s, manifest)


class _Life:
    """One workload, minute by minute."""

    def __init__(self, scene: Scene, load: MadeUpLoad, minutes: int) -> None:
        self.scene, self.load, self.minutes = scene, load, minutes
        self.workload = made_up_workload(scene, load.start_s, load.start_s + minutes * STEP_S)
        assert self.workload.policy is not None, self.workload.problem
        self.policy: Policy = self.workload.policy
        self.memory = Memory()
        self.asked = [10] * 4
        self.fan = load.fan(0, self._lead)
        self.decisions: list[DecisionMade] = []
        self.observed: list[Observed] = []
        self.forecasts: list[ForecastMade] = []
        self.spend: dict[datetime.date, float] = {}
        self._last: tuple[object, ...] = ()

    @property
    def _lead(self) -> int:
        return lead_steps(self.policy.lead_time_s, STEP_S)

    @property
    def _writes(self) -> bool:
        return self.policy.mode in (Mode.ACTIVE, Mode.SCALE_OUT_ONLY)

    def past(self) -> _Past:
        """All of it."""
        for minute in range(self.minutes):
            state = self._live(minute)
        return _Past(
            self.workload,
            self.decisions,
            self.observed,
            self.forecasts,
            self.spend,
            state,
            self.observed[-1].at_s,
        )

    def _live(self, minute: int) -> dict[str, Any]:
        now_s = self.load.start_s + minute * STEP_S + 7.25
        if minute % _FORECAST_EVERY == 0:
            self.fan = self.load.fan(minute, self._lead)
            self.forecasts.append(forecast_made(self.workload.key, self.fan, self.policy.quantile))
        is_newest = minute == self.minutes - 1
        load = self.load.at(minute) * (self.scene.burst if is_newest else 1.0)
        observation = self._observation(now_s, load, self.scene.unread and is_newest)
        outlook = self.fan.outlook(now_s, self.policy.lead_time_s, self.policy.quantile)
        before, decision = self.memory, decide(self.policy, observation, outlook, self.memory)
        count = decision.replicas if self._writes else observation.current
        made = self._decided(before, decision, now_s)
        self.observed.append(Observed(self.workload.key, now_s, load, observation.ready, count))
        self.memory = accepted(decision.memory, now_s, observation.current, count)
        self.asked = [*self.asked[1:], count]
        if self.policy.spend is not None:
            day = datetime.datetime.fromtimestamp(now_s, datetime.UTC).date()
            self.spend[day] = decision.memory.spent.day
        return self._state(decision, now_s, made) if is_newest else {}

    def _observation(self, now_s: float, load: float, unread: bool) -> Observation:
        ready = min(self.asked)
        busy = 62.0 * load / (ready * self.policy.load_per_replica)
        cpu = Reading(State.STALE, busy, 241.0, "241 s old") if unread else Reading(State.VALUE, busy, 4.5)
        readings = (cpu, Reading(State.VALUE, 0.004, 4.5))
        return Observation(now_s, Reading(State.VALUE, load, 3.25), self.asked[-1], ready, readings)

    def _decided(self, before: Memory, decision: Decision, now_s: float) -> str:
        """Keep the decision if it says something new; the identifier of the newest that is kept."""
        current = decision.observation.current
        news = (decision.replicas, current, tuple(change.reason for change in decision.changes))
        if news != self._last:
            self._last = news
            outcome = "Done" if self._writes else f"Held: {self.policy.mode.value}"
            self.decisions.append(
                DecisionMade(
                    workload=self.workload.key,
                    id=new_id(now_s),
                    at_s=now_s,
                    before=current,
                    after=decision.replicas,
                    reasons=tuple(change.reason.value for change in decision.changes),
                    sentence=explain(decision),
                    payload=recorded(self.policy, before, decision),
                    outcome=outcome if decision.replicas != current else "Unneeded",
                    shared=("policy",),
                )
            )
        return self.decisions[-1].id

    def _state(self, decision: Decision, now_s: float, made: str) -> dict[str, Any]:
        mode = self.policy.mode.value
        outcome = Outcome(
            workload=self.workload,
            now_s=now_s,
            setting=Setting("target", "1", decision.observation.current, "app=made-up"),
            decision=decision,
            policy=self.policy,
            count=decision.replicas,
            write=Write.DONE if self._writes else Write.HELD,
            hold=None if self._writes else Hold(mode, f"the mode is {mode}"),
            signals=dict(
                zip(
                    (signal.name for signal in self.policy.signals), decision.observation.signals, strict=True
                )
            ),
            id=made,
        )
        running = Running(self.workload, self.memory, ForeignWrites(), lead_time_s=self.policy.lead_time_s)
        status = status_of(Status(), outcome, running, None)
        return live_state(outcome, status, self.fan, made)


def _past(scene: Scene, days: float, end_s: float, seed: int) -> _Past:
    minutes = max(2, round(days * _DAY_S / STEP_S))
    length_s = minutes * STEP_S
    # It ends as a Friday evening does, whenever that is: else a scene would show something else when the
    # load rises in the morning than when it falls.
    load = made_up_load(END_S - length_s, minutes, scene.height, np.random.default_rng(seed))
    return _Life(scene, dataclasses.replace(load, start_s=end_s - length_s), minutes).past()


def made_up_workload(scene: Scene, created_s: float, now_s: float, **parts: Any) -> Workload:
    """A resource as the API server sends it, read by the operator's own code.

    created_s, now_s: epoch seconds; an event is to come two days from now. parts: of the spec.
    """
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": scene.name},
        "mode": "Active",
        "minReplicas": 2,
        "maxReplicas": 60,
        "load": {
            "query": f'sum(rate(http_requests_total{{service="{scene.name}"}}[2m]))',
            "perReplica": 120,
        },
        "forecast": {"leadTime": "180s", "quantile": "0.95"},
        "signals": [
            {"type": "CPU", "name": "cpu", "query": "avg(cpu)", "targetUtilization": 80},
            {"type": "Errors", "name": "errors", "query": "sum(errors)", "threshold": "5%"},
        ],
        "spend": {"replicaHourPrice": "0.12", "dailyBudget": "60"},
        "events": [
            {
                "name": "cyber-monday",
                "start": format_time(now_s + 2.25 * _DAY_S),
                "end": format_time(now_s + 3.25 * _DAY_S),
                "minReplicas": 7,
            }
        ],
        **scene.spec,
        **parts,
    }
    labels = {"app": scene.name, "team": scene.namespace, PRIORITY_LABEL: scene.priority}
    metadata = {
        "name": scene.name,
        "namespace": scene.namespace,
        "uid": "made-up",
        "generation": 1,
        "labels": {key: value for key, value in labels.items() if value},
        "creationTimestamp": format_time(created_s),
    }
    return parse_workload({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec})


def _write(store: Store, rows: Iterator[Row]) -> None:
    while batch := list(islice(rows, _AT_ONCE)):
        store.write(batch)


def main(arguments: Sequence[str]) -> None:
    """Fill the store at a URL up to now."""
    parser = argparse.ArgumentParser(description="Fill a store with made-up workloads.")
    parser.add_argument("url", help="of the store, which is made if it is not there")
    parser.add_argument("--workloads", type=int, default=len(SCENES))
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--forecast-days", type=float)
    chosen = parser.parse_args(arguments)
    store = Store.open(chosen.url)
    store.migrate()
    names = fill(
        store,
        workloads=chosen.workloads,
        days=chosen.days,
        forecast_days=chosen.forecast_days,
        end_s=time.time(),
    )
    store.close()
    print(f"{len(names)} workloads, from {names[0]} to {names[-1]}")


if __name__ == "__main__":
    main(sys.argv[1:])
