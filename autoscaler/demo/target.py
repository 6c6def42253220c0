"""One simulated Deployment: a count that is asked for, pods that take time to start, and a load they serve.

Pods obey the rules of the backtest (`autoscaler.backtest.simulation`), but are the controller's own kind, so
that it counts them and measures their start-ups as in a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from autoscaler.backtest.simulation import World, serve
from autoscaler.controller.acting.dials import Setting
from autoscaler.controller.observing.pods import Pod


@dataclass(frozen=True, slots=True)
class Served:
    """How one step's load was served. utilization: per cent of the ready pods' capacity, NaN without any.
    backlog: load that waits at its end, times steps. latency_s: response time."""

    utilization: float
    backlog: float
    latency_s: float


class Target:
    """Implements the controller's `Dial`. Begins with `replicas` pods, all ready. Not for several threads.

    key: `namespace/name`.
    """

    def __init__(self, key: str, world: World, replicas: int, now_s: float) -> None:
        self._name = key.partition("/")[2]
        self._labels = {"app": self._name}
        self._world = world
        self._random = np.random.default_rng(world.seed)
        self._made = 0
        self._version = 0
        self._now_s = now_s
        self._backlog = 0.0
        self._ready = [self._pod(now_s, ready_s=now_s) for _ in range(replicas)]
        self._starting: list[tuple[float, Pod]] = []  # ready at; in the order they were asked for

    @property
    def pods(self) -> list[Pod]:
        """All pods, those that serve first."""
        return [*self._ready, *(pod for _, pod in self._starting)]

    def advance(self, now_s: float) -> None:
        """It is `now_s`: pods whose start-up is over become ready."""
        self._now_s = now_s
        over = [(at_s, pod) for at_s, pod in self._starting if at_s <= now_s]
        if over:
            self._starting = [(at_s, pod) for at_s, pod in self._starting if at_s > now_s]
            self._ready += [replace(pod, ready_s=at_s, witnessed=True) for at_s, pod in over]

    def serve(self, load: float, step_s: int) -> Served:
        """Serve one step's load with the pods that are ready."""
        self._backlog, utilization, latency_s = serve(
            load, self._backlog, len(self._ready), self._world.per_replica, step_s
        )
        return Served(utilization, self._backlog, latency_s)

    def read(self, timeout_s: float) -> Setting:
        """The count that is asked for."""
        return Setting(
            uid=f"{self._name}-target",
            resource_version=str(self._version),
            replicas=len(self._ready) + len(self._starting),
            selector=f"app={self._name}",
        )

    def write(self, setting: Setting, replicas: int, timeout_s: float) -> None:
        """Start pods, or remove them, the youngest first, until there are `replicas`."""
        self._version += 1
        missing = replicas - len(self._ready) - len(self._starting)
        if missing > 0:
            starts_s = self._start_ups_s(missing)
            self._starting += [(self._now_s + took_s, self._pod(self._now_s)) for took_s in starts_s]
        elif missing < 0:
            gone = min(-missing, len(self._starting))
            del self._starting[len(self._starting) - gone :]
            del self._ready[len(self._ready) + missing + gone :]

    def _start_ups_s(self, count: int) -> list[float]:
        samples = self._world.start_up_samples_s
        if not samples:
            return [self._world.start_up_s] * count
        drawn: list[float] = self._random.choice(np.asarray(samples), size=count).tolist()
        return drawn

    def _pod(self, created_s: float, ready_s: float | None = None) -> Pod:
        self._made += 1
        return Pod(
            name=f"{self._name}-{self._made:05d}",
            uid=f"{self._name}-{self._made}",
            labels=self._labels,
            created_s=created_s,
            ready_s=ready_s,
            restarts=0,
            terminating=False,
            ended=False,
            failed=False,
            cpu_request=1.0,
        )


def spread_start_ups_s(middle_s: float, count: int = 40) -> tuple[float, ...]:
    """Start-up times around `middle_s`, spread as in practice: a few take much longer."""
    shares = np.linspace(-1.8, 1.8, count)
    return tuple((middle_s * np.exp(0.08 * shares)).tolist())
