"""The newest figures of every workload, and their lines as Prometheus reads them.

They are by far the most of what is exported. The client library makes a line several times more slowly, and
thousands of workloads would hold up their own decisions each time that somebody looks.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping

_TEXTS = {
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


class WorkloadFigures:
    """Gauges with the labels `namespace` and `name`; a workload that is gone leaves none behind.

    prefix: of every gauge's name. For any number of threads.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._lock = threading.Lock()
        self._figures: dict[tuple[str, str], Mapping[str, float]] = {}

    def put(self, namespace: str, name: str, figures: Mapping[str, float]) -> None:
        """Export these; without a decision among them the last one's stay, a new one leaves none behind."""
        with self._lock:
            known = {} if "desired_replicas" in figures else self._figures.get((namespace, name), {})
            self._figures[namespace, name] = {**known, **figures}

    def drop(self, key: str | None) -> None:
        """Export nothing more of one workload, or of all."""
        with self._lock:
            if key is None:
                self._figures.clear()
            else:
                namespace, _, name = key.partition("/")
                self._figures.pop((namespace, name), None)

    def text(self) -> bytes:
        """Every gauge in Prometheus' text format, those without a value included."""
        with self._lock:
            known = list(self._figures.items())
        # What a workload has is never changed in place, so that nobody has to wait while this is written.
        labelled = [(_labels(*who), figures) for who, figures in known]
        lines: list[str] = []
        for metric, text in _TEXTS.items():
            name = f"{self._prefix}_{metric}"
            lines.append(f"# HELP {name} {text}\n# TYPE {name} gauge\n")
            lines += [
                f"{name}{labels} {_number(figures[metric])}\n"
                for labels, figures in labelled
                if metric in figures
            ]
        return "".join(lines).encode()


def _labels(namespace: str, name: str) -> str:
    # A name that Kubernetes takes holds nothing that would have to be escaped.
    return f'{{name="{name}",namespace="{namespace}"}}'


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
