"""An evaluation whose API server, metrics, forecasts, records, lease and clock are the test's."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

from stub_api import StubApi
from workload_making import NO_FORECAST, NOW_S, known, pod, workload

from autoscaler.controller.acting.foreign import ForeignWrites
from autoscaler.controller.acting.rivals import Rivals
from autoscaler.controller.cluster.discovery import Discovery
from autoscaler.controller.deciding import Planned
from autoscaler.controller.evaluation import Blind, Evaluation
from autoscaler.controller.looking import Looking
from autoscaler.controller.observing.pods import Pod, PodIndex
from autoscaler.controller.observing.sources import MetricSource
from autoscaler.controller.outcome import Outcome
from autoscaler.controller.running import Running
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Outlook
from autoscaler.series import Reading
from autoscaler.signals.instant import InstantQuery


@dataclass
class Clock:
    """Epoch seconds that go on only when told to."""

    now_s: float = NOW_S

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Lease:
    """Held or not."""

    held: bool = True

    def holds(self, for_s: float = 0.0) -> bool:
        """As told."""
        return self.held


@dataclass
class Metered:
    """A metric source that answers each query from a dictionary."""

    answers: dict[str, Reading] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    name: str = "default"

    def read(self, queries: Sequence[InstantQuery], now_s: float) -> list[Reading]:
        """One reading for each query, in order."""
        self.asked.append([one.query for one in queries])
        return [self.answers[one.query] for one in queries]

    @property
    def source(self) -> MetricSource:
        """This, where a MetricSource is wanted."""
        return cast("MetricSource", self)


@dataclass
class Foresight:
    """Forecasts by workload; a function of the lead time where that matters."""

    outlooks: dict[str, Outlook | Callable[[], Outlook]] = field(default_factory=dict)

    def curve(self, key: str) -> None:
        """None: no workload here has an objective."""

    def outlook(
        self, key: str, now_s: float, lead_time_s: float, quantile: float, headroom: float
    ) -> Outlook:
        """As told, or none."""
        found = self.outlooks.get(key, NO_FORECAST)
        return found() if callable(found) else found


@dataclass
class Records:
    """What was recorded, and how many writes the API server had seen by then."""

    api: StubApi
    recorded: list[tuple[Planned, int]] = field(default_factory=list)
    settled: list[Outcome] = field(default_factory=list)

    def record(self, planned: Sequence[Planned]) -> None:
        """Keep decisions."""
        self.recorded += [(one, len(self.api.patches)) for one in planned]

    def settle(self, outcomes: Sequence[Outcome], running: Sequence[Running]) -> None:
        """Keep outcomes."""
        self.settled += outcomes


class InHand:
    """Workloads named at will, each with a Deployment and pods of its own name."""

    def __init__(self, threads: int = 1) -> None:
        self.api, self.clock, self.lease, self.metered = StubApi(), Clock(), Lease(), Metered()
        self.pods, self.rivals, self.foresight = PodIndex(), Rivals(), Foresight()
        self.records = Records(self.api)
        self.blind = Blind()
        self.resources = 1
        self.log: list[MutableMapping[str, Any]] = []
        self._known: dict[str, Pod] = {}
        self.evaluation = Evaluation(
            cluster=self.api.cluster,
            looking=Looking(
                self.api.cluster,
                Discovery(self.api.cluster),
                self.pods,
                lambda: self.resources,
                self.clock,
            ),
            rivals=self.rivals,
            outlooks=self.foresight,
            ledger=self.records,
            leading=self.lease,
            stands=lambda workload: True,
            pool=ThreadPoolExecutor(threads),
            blindness=lambda namespace: self.blind,
            clock=self.clock,
        )

    def add(self, name: str, replicas: int = 3, load: float = 30.0, **spec: Any) -> Running:
        """A workload with so many ready pods and so much load on them."""
        self.api.put_scale(name, replicas)
        self.pods_are(name, replicas)
        self.load_is(name, known(load))
        found = workload(name, load={"query": name, "perReplica": 10}, **spec)
        self.rivals.change_workload(None, found)
        return Running(found, Memory(), ForeignWrites())

    def load_is(self, name: str, reading: Reading) -> None:
        """What is read of a workload's load from now on."""
        self.metered.answers[name] = reading

    def pods_are(self, name: str, ready: int, starting: int = 0) -> None:
        """The pods of a Deployment from now on."""
        wanted = {
            f"shop/{name}-{n}": pod(f"{name}-{n}", ready=n < ready, labels={"app": name})
            for n in range(ready + starting)
        }
        mine = [key for key, one in self._known.items() if one.labels["app"] == name]
        for key in {*wanted, *mine}:
            before, after = self._known.pop(key, None), wanted.get(key)
            if before is None and after is not None:
                # As in a cluster: a pod is seen before it is ready.
                before = pod(key.removeprefix("shop/"), ready=False, labels={"app": name})
                self.pods.change(key, None, before)
            self.pods.change(key, before, after)
        self._known.update(wanted)

    def evaluate(self, *due: Running, after_s: float = 0.0) -> dict[str, Outcome]:
        """Outcomes by name."""
        self.clock.now_s += after_s
        outcomes = self.evaluation.evaluate(self.metered.source, due)
        assert sorted(o.workload.key for o in outcomes) == sorted(one.workload.key for one in due)
        return {outcome.workload.name: outcome for outcome in outcomes}

    def close(self) -> None:
        """End its threads."""
        self.evaluation.pool.shutdown()
