"""What the operator exports about itself and its decisions. Labels are few and fixed.

Names follow Prometheus' conventions; docs/metrics.md lists them for people.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from autoscaler import __version__
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.observing.capacity import in_use
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.telling.shadow import shadow_figures
from autoscaler.controller.telling.workload_figures import WorkloadFigures
from autoscaler.planning.error_budget import spent

_PREFIX = "predictive_autoscaler"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60)


class Metrics:
    """All of them. period_s: how often a workload should be evaluated."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._evaluated_s: dict[str, float] = {}
        self._fan: Callable[[str], Fan | None] = lambda key: None
        self._registry = registry = CollectorRegistry()
        self._workloads = WorkloadFigures(_PREFIX)
        Gauge(f"{_PREFIX}_build_info", "Version that runs.", ("version",), registry=registry).labels(
            __version__
        ).set(1)
        ProcessCollector(registry=registry)
        Gauge(
            f"{_PREFIX}_period_seconds", "How often a workload should be evaluated.", registry=registry
        ).set(period_s)
        self._evaluations = Counter(
            f"{_PREFIX}_evaluations",
            "Evaluations of workloads by what became of the count.",
            ("write",),
            registry=registry,
        )
        self._skipped = Counter(
            f"{_PREFIX}_evaluations_skipped",
            "Evaluations left out because the source was busy.",
            ("source",),
            registry=registry,
        )
        self._took = Histogram(
            f"{_PREFIX}_evaluation_seconds",
            "Time from a group's turn to its last write.",
            ("source",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._lag = Histogram(
            f"{_PREFIX}_evaluation_lag_seconds",
            "Time beyond the period since a workload's last evaluation.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._scaled = Counter(
            f"{_PREFIX}_scale_writes", "Accepted writes of counts.", ("direction",), registry=registry
        )
        self._faults = Counter(
            f"{_PREFIX}_faults", "Evaluations with a fault.", ("reason",), registry=registry
        )
        self._requests = Histogram(
            f"{_PREFIX}_api_request_seconds",
            "Requests to the Kubernetes API server.",
            ("method", "code"),
            buckets=_SECONDS,
            registry=registry,
        )

    def text(self) -> bytes:
        """All of them as Prometheus reads them."""
        return generate_latest(self._registry) + self._workloads.text()

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Export a gauge that is read when it is asked for."""
        Gauge(f"{_PREFIX}_{name}", text, registry=self._registry).set_function(read)

    def watch_each(
        self, name: str, text: str, label: str, reads: Iterable[tuple[str, Callable[[], float]]]
    ) -> None:
        """The same for every value of a label."""
        gauge = Gauge(f"{_PREFIX}_{name}", text, (label,), registry=self._registry)
        for value, read in reads:
            gauge.labels(value).set_function(read)

    def watch_forecasts(self, fan: Callable[[str], Fan | None]) -> None:
        """Export how well forecasts keep what they state. fan: the newest one of a key."""
        self._fan = fan

    def requested(self, method: str, status: int, seconds: float) -> None:
        """A request to the API server was answered (status 0: it was not)."""
        self._requests.labels(method, str(status)).observe(seconds)

    def evaluated(
        self, source: str, outcomes: Sequence[Outcome], running: Sequence[Running], took_s: float
    ) -> None:
        """Count a group that was evaluated."""
        self._took.labels(source).observe(took_s)
        for outcome, one in zip(outcomes, running, strict=True):
            self._evaluations.labels(outcome.write.value).inc()
            if outcome.fault is not None:
                self._faults.labels(outcome.fault.reason).inc()
            if outcome.write is Write.DONE and outcome.setting is not None and outcome.count is not None:
                self._scaled.labels("out" if outcome.count > outcome.setting.replicas else "in").inc()
            workload = outcome.workload
            self._came(workload.key)
            known = figures(outcome, one)
            if "forecast_usable" in known:
                known |= _kept(self._fan(workload.key))
            self._workloads.put(workload.namespace, workload.name, known)

    def skipped(self, source: str, workloads: Sequence[Workload]) -> None:
        """Count evaluations that were left out."""
        self._skipped.labels(source).inc(len(workloads))

    def gone(self, key: str | None) -> None:
        """Export nothing more of one workload, or of all."""
        self._workloads.drop(key)
        if key is None:
            self._evaluated_s.clear()
        else:
            self._evaluated_s.pop(key, None)

    def _came(self, key: str) -> None:
        now_s = time.monotonic()
        before_s = self._evaluated_s.get(key)
        if before_s is not None:
            self._lag.observe(max(0.0, now_s - before_s - self._period_s))
        self._evaluated_s[key] = now_s


def figures(outcome: Outcome, running: Running) -> dict[str, float]:
    """The figures of one workload by metric, after one outcome."""
    decision, shadow = outcome.decision, outcome.shadow
    found: dict[str, float] = {
        "faulty": float(outcome.fault is not None),
        "writing": float(outcome.fault is None and outcome.hold is None),
        "conflict": float(bool(outcome.rival) or _undone(outcome)),
        "overridden": float(outcome.asked.override is not None),
        **_in_force(outcome.workload, running),
        **({} if shadow is None else shadow_figures(shadow)),
    }
    if decision is None or outcome.count is None:
        return found
    observation, outlook = decision.observation, decision.outlook
    readings = (observation.load, *outcome.signals.values())
    done = outcome.write is Write.DONE
    reasons = {change.reason.value for change in decision.changes}
    dial = decision.memory.dial
    if dial is not None:
        found |= {
            "objective_quantile": dial.place.quantile,
            "objective_headroom": dial.place.headroom,
            "objective_budget_left": 1.0 - spent(dial.objective, dial.everything, dial.everything),
        }
    spec = outcome.workload.spec
    if spec is not None and spec.forecast.model != "none":
        found["forecast_usable"] = float(not math.isnan(outlook.peak))
    return found | {
        "load": observation.load.value,
        "forecast_peak": outlook.peak,
        "forecast_age_seconds": outlook.age_s,
        "wished_replicas": decision.wished,
        "desired_replicas": outcome.count,
        "current_replicas": outcome.count if done else observation.current,
        "ready_replicas": float("nan") if observation.ready is None else observation.ready,
        "lead_time_seconds": running.lead_time_s,
        "spend_today": decision.memory.spent.day,
        "signals_unknown": sum(not reading.known for reading in readings),
        "spend_limited": float(bool(reasons & {"HourlyCap", "DailyBudget", "MonthlyBudget"})),
    }


def _undone(outcome: Outcome) -> bool:
    return outcome.hold is not None and outcome.hold.reason == "WritesUndone"


def _in_force(workload: Workload, running: Running) -> dict[str, float]:
    spec, policy = workload.spec, workload.policy
    if spec is None or policy is None:
        return {}
    found: dict[str, float] = {
        "active": float(spec.mode in ("Active", "ScaleOutOnly")),
        "load_per_replica": in_use(policy.load_per_replica, running.served),
        "min_replicas": policy.min_replicas,
        "max_replicas": policy.max_replicas,
        "forecast_step_seconds": policy.step_s,
        "forecast_quantile": policy.quantile,
    }
    if policy.spend is not None and policy.spend.daily_budget is not None:
        found["daily_budget"] = policy.spend.daily_budget
    return found


def _kept(fan: Fan | None) -> dict[str, float]:
    """How often the load stayed within what was forecast, once that could be judged."""
    if fan is None or not fan.judged:
        return {}
    return {"forecast_coverage": fan.coverage, "forecast_judged": fan.judged}
