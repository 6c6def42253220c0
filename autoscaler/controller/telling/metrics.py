"""What the operator exports about itself and its decisions. Labels are few and fixed.

Names follow Prometheus' conventions; docs/metrics.md lists them for people.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from autoscaler import __version__
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.observing.capacity import in_use
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.telling.shadow import shadow_figures
from autoscaler.planning.error_budget import spent

_PREFIX = "predictive_autoscaler"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60)
_OF_WORKLOAD = {
    "load": "Load as last observed, in the unit of its query.",
    "load_per_replica": "Load that one ready pod serves, as configured or as found out; NaN until it is.",
    "forecast_peak": "Quantile of the load's peak within the lead time.",
    "forecast_age_seconds": "Age of the forecast that the last decision used.",
    "forecast_usable": "1 while decisions have a forecast, 0 while they lack it; absent for model none.",
    "forecast_step_seconds": "spec.forecast.step.",
    "forecast_quantile": "spec.forecast.quantile; with an objective the one that coverage is judged at.",
    "forecast_coverage": "Share of forecast peaks of about a day that the load stayed within.",
    "forecast_judged": "Forecast peaks that the coverage is a share of.",
    "wished_replicas": "Replicas that forecast, load and signals ask for, before any guard or limit.",
    "desired_replicas": "Replicas last decided on.",
    "current_replicas": "Replicas last asked for, by whomever.",
    "ready_replicas": "Ready pods.",
    "min_replicas": "spec.minReplicas.",
    "max_replicas": "spec.maxReplicas.",
    "lead_time_seconds": "Time from asking for a pod until it is ready, as decisions use it.",
    "objective_quantile": "Quantile that the dial of an objective reads.",
    "objective_headroom": "What the dial of an objective multiplies it by.",
    "objective_budget_left": "Share of what an objective allows that is left; below 0 where overdrawn.",
    "spend_today": "Money spent since the start of the UTC day.",
    "daily_budget": "spec.spend.dailyBudget.",
    "signals_unknown": "Inputs of the last decision that were not known.",
    "faulty": "1 while the workload cannot be evaluated or written.",
    "active": "1 where spec.mode lets the operator write.",
    "writing": "1 while the operator writes the count it decides on.",
    "conflict": "1 while somebody else scales the same target or undoes what was written.",
    "overridden": "1 while an override is in force.",
    "spend_limited": "1 while a spend limit takes replicas away.",
    "shadow_failing": "1 while the shadow cannot be decided by; absent without one, as are all of it.",
    "shadow_won": "1 while the shadow has won.",
    "shadow_acting": "1 while the shadow is decided by in place of the spec's own policy.",
    "shadow_counted_seconds": "Time within its window over which the shadow was compared.",
    "shadow_cost_ratio": "Replica time of the shadow to that of the spec's own policy, both simulated.",
    "shadow_unserved": "Share of the load that the shadow would have left unserved.",
    "shadow_own_unserved": "Share of the load that the spec's own policy would have left unserved.",
}


class _PerWorkload(Collector):
    """The newest figures of every workload; one that is gone leaves none behind."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures: dict[tuple[str, str], dict[str, float]] = {}

    def put(self, namespace: str, name: str, figures: dict[str, float]) -> None:
        with self._lock:
            # Without a decision the last one's figures stay; a new one leaves none of them behind.
            known = {} if "desired_replicas" in figures else self._figures.get((namespace, name), {})
            self._figures[namespace, name] = {**known, **figures}

    def drop(self, key: str | None) -> None:
        with self._lock:
            if key is None:
                self._figures.clear()
            else:
                namespace, _, name = key.partition("/")
                self._figures.pop((namespace, name), None)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        with self._lock:
            figures = {who: dict(known) for who, known in self._figures.items()}
        for metric, text in _OF_WORKLOAD.items():
            family = GaugeMetricFamily(f"{_PREFIX}_{metric}", text, labels=("namespace", "name"))
            for who, known in figures.items():
                if metric in known:
                    family.add_metric(who, known[metric])
            yield family


class Metrics:
    """All of them, in a registry of their own. period_s: how often a workload should be evaluated."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._evaluated_s: dict[str, float] = {}
        self._fan: Callable[[str], Fan | None] = lambda key: None
        self.registry = registry = CollectorRegistry()
        self._workloads = _PerWorkload()
        registry.register(self._workloads)
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

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Export a gauge that is read when it is asked for."""
        Gauge(f"{_PREFIX}_{name}", text, registry=self.registry).set_function(read)

    def watch_each(
        self, name: str, text: str, label: str, reads: Iterable[tuple[str, Callable[[], float]]]
    ) -> None:
        """The same for every value of a label."""
        gauge = Gauge(f"{_PREFIX}_{name}", text, (label,), registry=self.registry)
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
