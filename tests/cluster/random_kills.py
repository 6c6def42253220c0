"""Operators that are killed again and again at moments drawn from a seed, under a load drawn from it too."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit import Audit
from control_plane import ControlPlane, wait_until
from crasher import Crasher
from crashing_child import AT_ONCE
from http_proxy import Exchange, HttpProxy
from live_prometheus import LivePrometheus
from operator_pair import LEASE_S, RENEW_S, RETRY_S
from operator_process import OperatorProcess, Resources, SteadyLoad
from raised_floor import RaisedFloor
from users import write_kubeconfig

PER_REPLICA = 10.0
LEAST, MOST = 2, 20
ADDED, REMOVED, PERIOD_S, WINDOW_S = 6, 6, 20.0, 15.0
"""Most pods that may be added and removed within a period; the scale-down window. Both are longer than it
takes to die and to begin again, so that they have to be remembered."""

_LEVELS = (15.0, 35.0, 55.0, 95.0, 150.0)
_LAST_LOAD, _LAST_COUNT = 65.0, 7
_STILL = 3
"""Replicas of everything that has no reason to change."""
_UNTOUCHED: dict[str, dict[str, Any]] = {
    "paused": {"mode": "Paused"},
    "recommend": {"mode": "Recommend"},
    # The API server cannot know which time zones there are.
    "invalid": {"forecast": {"timeZone": "Europe/Atlantis"}},
    "calm": {},
}


@dataclass(frozen=True, slots=True)
class Death:
    """A process of replica `replica`, from when it was started until it was found dead, monotonic seconds."""

    replica: int
    began_s: float
    ended_s: float
    status: int


@dataclass
class Seen:
    """What happened under one seed. levels: of the load, and since when. exchanges: by replica, what was
    asked of the API server. queries: what was asked of Prometheus. store: URL of what the operators kept."""

    seed: int
    namespace: str
    store: str
    audit: Audit
    floor: RaisedFloor
    untouched: Sequence[str] = tuple(_UNTOUCHED)
    still: int = _STILL
    levels: list[tuple[float, float]] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    exchanges: list[list[Exchange]] = field(default_factory=list)
    queries: list[Exchange] = field(default_factory=list)

    def __str__(self) -> str:
        steps = sum(death.status > 1 for death in self.deaths)
        at_once = sum(death.status < 0 for death in self.deaths)
        return (
            f"seed {self.seed}: {len(self.exchanges)} at a time, {len(self.deaths)} died, {steps} of them at "
            f"a step and {at_once} at any moment; counts {self.audit.counts('web')}"
        )


def killed_at_random(
    seed: int, replicas: int, deaths: int, plane: ControlPlane, prometheus: LivePrometheus, folder: Path
) -> Seen:
    """Run `replicas` operators, killing each so many times; then one that may live.

    AssertionError where that one does not bring the count to what the load needs.
    """
    namespace = plane.namespace(f"kills-{seed}-{int(time.time())}")
    store = f"sqlite:///{folder / 'store.db'}"
    with ExitStack() as stack:
        audit = stack.enter_context(Audit(plane, namespace))
        metrics = stack.enter_context(HttpProxy(prometheus.url))
        floor = RaisedFloor(plane, namespace)
        seen = Seen(seed, namespace, store, audit, floor, queries=metrics.exchanges)
        load = stack.enter_context(SteadyLoad(prometheus, {_series(seed): 35.0, f"calm_{seed}": 25.0}))
        _create(seed, plane, namespace)
        floor.create(_loaded(seed))
        stack.enter_context(floor.watched())
        operators, crashers = [], []
        for number in range(replicas):
            proxy = stack.enter_context(HttpProxy(plane.url, plane.ca_file))
            seen.exchanges.append(proxy.exchanges)
            kubeconfig = write_kubeconfig(
                folder / f"kubeconfig-{number}", proxy.url, plane.ca_file, plane.admin_token
            )
            operators.append(_operator(folder / str(number), kubeconfig, metrics.url, seen, replicas > 1))
            crashers.append(stack.enter_context(Crasher(kubeconfig)))
        ended = threading.Event()
        swinging = threading.Thread(target=_swing, args=(random.Random(seed), load, seen, ended))
        swinging.start()
        with ThreadPoolExecutor(replicas) as pool:
            done = [
                pool.submit(_die_and_die_again, number, crasher, operator, seen, deaths)
                for number, (crasher, operator) in enumerate(zip(crashers, operators, strict=True))
            ]
        ended.set()
        swinging.join()
        for one in done:
            one.result()
        _set(load, seen, _LAST_LOAD)
        with operators[0]:
            resources = Resources(plane, namespace)
            try:
                wait_until(
                    lambda: plane.replicas("web", namespace) == _LAST_COUNT,
                    120,
                    f"{_LAST_COUNT} under seed {seed}",
                )
            except AssertionError as error:
                told = f"{error}; {seen}; status: {resources.status('web')}"
                raise AssertionError(f"{told}; log: {operators[0].process.log}") from error
            resources.wait_for("web", "ScalingActive", "True", "Scaling")
            wait_until(lambda: audit.counts("web")[-1] == _LAST_COUNT, 10, "the observer to see it")
            floor.must_be_put_back(_LAST_COUNT)
    return seen


def _create(seed: int, plane: ControlPlane, namespace: str) -> None:
    resources = Resources(plane, namespace)
    behavior = {
        "scaleUp": {"policies": [_rate(ADDED)]},
        "scaleDown": {"stabilizationWindowSeconds": int(WINDOW_S), "policies": [_rate(REMOVED)]},
    }
    loaded = _loaded(seed)
    plane.deployment("web", namespace, _STILL, start_up="200ms")
    resources.create("web", minReplicas=LEAST, maxReplicas=MOST, load=loaded, behavior=behavior)
    for name, spec in _UNTOUCHED.items():
        plane.deployment(name, namespace, _STILL, start_up="200ms")
        query = f"calm_{seed}" if name == "calm" else _series(seed)
        resources.create(name, **{"load": {**loaded, "query": query}, **spec})
    resources.create("spoiler", target="nowhere", load=loaded)


def _loaded(seed: int) -> dict[str, Any]:
    return {"query": _series(seed), "perReplica": int(PER_REPLICA), "maxAge": "5s"}


def _rate(pods: int) -> dict[str, object]:
    return {"type": "Pods", "value": pods, "periodSeconds": int(PERIOD_S)}


def _series(seed: int) -> str:
    return f"load_{seed}"


def _operator(folder: Path, kubeconfig: Path, prometheus: str, seen: Seen, elected: bool) -> OperatorProcess:
    election = {
        "enabled": elected,
        "namespace": seen.namespace,
        "name": "operator",
        "leaseDuration": f"{LEASE_S:g}s",
        "renewDeadline": f"{RENEW_S:g}s",
        "retryPeriod": f"{RETRY_S * 1000:g}ms",
    }
    return OperatorProcess(
        folder,
        kubeconfig,
        prometheus,
        leaderElection=election,
        store={"url": seen.store},
        watchNamespaces=[seen.namespace],
    )


def _die_and_die_again(
    number: int, crasher: Crasher, operator: OperatorProcess, seen: Seen, deaths: int
) -> None:
    drawn = random.Random(f"{seen.seed}/{number}")
    for _ in range(deaths):
        after_s = drawn.uniform(0.0, 4.0)
        step = drawn.choice([AT_ONCE, drawn.randint(1, 16)])
        began_s = time.monotonic()
        status = crasher.run(operator.configuration, operator.folder / "dying.yaml", step, after_s)
        seen.deaths.append(Death(number, began_s, time.monotonic(), status))


def _swing(drawn: random.Random, load: SteadyLoad, seen: Seen, ended: threading.Event) -> None:
    while not ended.wait(drawn.uniform(3.0, 15.0)):
        _set(load, seen, drawn.choice(_LEVELS))


def _set(load: SteadyLoad, seen: Seen, level: float) -> None:
    load.values[_series(seen.seed)] = level
    seen.levels.append((time.monotonic(), level))
