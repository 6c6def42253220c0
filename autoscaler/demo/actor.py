"""One workload being played: its resource, its pods, and what a decision on it is made from."""

from __future__ import annotations

import math
from typing import Any

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.deciding import Seen
from autoscaler.controller.forecasts.request import ForecastRequest, forecast_request
from autoscaler.controller.observing.workload import parse_workload
from autoscaler.controller.running import recollected, turned_to
from autoscaler.demo.clock import STEP_S
from autoscaler.demo.fleet import Member
from autoscaler.demo.target import Served, Target
from autoscaler.planning.capacity import replicas_for
from autoscaler.planning.policy import Policy, SignalPolicy, SignalType
from autoscaler.series import Reading, State
from autoscaler.signals.settings import ConnectionSettings

_SOURCE = ConnectionSettings("http://recorded-traffic:9090")
"""Stands for the Prometheus that the load would be read from; nothing connects to it."""


class Actor:
    """Begins at `begins_s`, epoch seconds, with the pods that its load needs then. For one thread.

    key: `namespace/name`. running: what the operator knows of it. target: what is scaled. traffic: its load.
    """

    def __init__(self, member: Member, begins_s: int) -> None:
        self.traffic = member.traffic
        self._flaw = member.flaw
        self._manifest: dict[str, Any] = dict(member.manifest)
        self.key = member.key
        self.running = recollected(parse_workload(self._manifest), None, begins_s)
        replicas = member.by_hand or _first_replicas(self._policy, self.traffic.at(begins_s))
        self.target = Target(self.key, member.world, replicas, begins_s)
        self._request: ForecastRequest | None = None
        self._requested_lead_time_s = math.nan

    @property
    def request(self) -> ForecastRequest | None:
        """What is to be forecast, for the lead time in use; None where no forecast is wanted."""
        lead_time_s = self.running.lead_time_s or self._policy.lead_time_s
        if lead_time_s != self._requested_lead_time_s:
            resource = self.running.workload.resource
            assert resource is not None  # the fleet's resources are valid
            self._request = forecast_request(self.key, resource, _SOURCE, lead_time_s)
            self._requested_lead_time_s = lead_time_s
        return self._request

    def annotate(self, override: str | None) -> None:
        """Set the override annotation of the resource, or with None remove it."""
        annotations = {} if override is None else {ANNOTATION: override}
        metadata = {**self._manifest["metadata"], "annotations": annotations}
        self._manifest = {**self._manifest, "metadata": metadata}
        self.running = turned_to(self.running, parse_workload(self._manifest))

    def look(self, now_s: int) -> Seen:
        """Let the pods serve the step `now_s`, and see what came of it."""
        load = self.traffic.at(now_s)
        self.target.advance(now_s)
        served = self.target.serve(load, STEP_S)
        return Seen(
            now_s=now_s,
            setting=self.target.read(0.0),
            pods=self.target.pods,
            load=_reading(load),
            signals=tuple(self._signal(signal, served, now_s) for signal in self._policy.signals),
            rival="",
        )

    @property
    def _policy(self) -> Policy:
        policy = self.running.workload.policy
        assert policy is not None  # the fleet's resources are valid
        return policy

    def _signal(self, signal: SignalPolicy, served: Served, now_s: int) -> Reading:
        flaw = self._flaw
        if flaw is not None and flaw.signal == signal.name and flaw.at(now_s):
            return Reading(State.FAILED, detail=flaw.detail)
        match signal.type:
            case SignalType.CPU:
                return _reading(served.utilization)
            case SignalType.QUEUE_DEPTH:
                # The load is in items a second, and a step has so many of them.
                return _reading(served.backlog * STEP_S)
            case SignalType.LATENCY:
                return _reading(served.latency_s)
            case SignalType.ERRORS:
                # Simulated pods queue what they cannot serve and never answer with an error.
                return _reading(0.0)


def _first_replicas(policy: Policy, load: float) -> int:
    needed = replicas_for(load, policy.load_per_replica)
    return min(max(needed, policy.min_replicas, 1), policy.max_replicas)


def _reading(value: float) -> Reading:
    if math.isfinite(value):
        return Reading(State.VALUE, value, 0.0)
    return Reading(State.EMPTY, detail="there is no ready pod to measure")
