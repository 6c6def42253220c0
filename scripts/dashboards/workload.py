"""One workload: what it carries and is expected to carry, what it got, and why."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard
from panels import WORKLOAD_PAGE, Page, Query, figure, series, states

_SELECTOR = 'cluster=~"$cluster", namespace="$namespace", name="$name"'


def _its(metric: str) -> str:
    return f"max(predictive_autoscaler_{metric}{{{_SELECTOR}}})"


def workload() -> Dashboard:
    """The dashboard."""
    page = Page(WORKLOAD_PAGE, "Predictive autoscaler / Workload", "One PredictiveAutoscaler in detail.")
    page.one("namespace", 'predictive_autoscaler_faulty{cluster=~"$cluster"}', "Namespace")
    known = 'predictive_autoscaler_faulty{cluster=~"$cluster", namespace="$namespace"}'
    page.one("name", known, "Name")
    _present(page)
    _scaling(page)
    _forecast(page)
    _risk(page)
    _inputs(page)
    return page.build()


def _present(page: Page) -> None:
    page.row("Now")
    page.add(
        figure("Load", "As last observed, in the unit of its query.", _its("load")),
        figure("Forecast peak", "Of the load within the lead time.", _its("forecast_peak")),
        figure("Desired", "Replicas last decided on.", _its("desired_replicas")),
        figure("Ready", "Ready pods.", _its("ready_replicas")),
        figure("Lead time", "From asking for a pod until it is ready.", _its("lead_time_seconds"), "s"),
        figure(
            "Unknown inputs",
            "Load and signals that are not known: nothing is removed.",
            _its("signals_unknown"),
            bad_from=1,
        ),
        figure("Faulty", "See the Ready condition.", _its("faulty"), "bool_yes_no", bad_from=1),
        figure("Written", "The operator writes the count it decides on.", _its("writing"), "bool_yes_no"),
        height=4,
    )


def _scaling(page: Page) -> None:
    page.row("Load and replicas")
    page.add(
        series(
            "Load",
            "The load, its forecast peak within the lead time, and what the ready pods serve at "
            "load.perReplica. Load above the last is overload.",
            [
                Query(_its("load"), "load"),
                Query(_its("forecast_peak"), "forecast peak"),
                Query(f"{_its('ready_replicas')} * {_its('load_per_replica')}", "served by ready pods"),
            ],
        ),
        height=10,
    )
    page.add(
        series(
            "Replicas",
            "Wished: what forecast, load and signals ask for. Desired: what the guards leave of it. "
            "Current: what was last asked for, by whomever.",
            [
                Query(_its(f"{which}_replicas"), which)
                for which in ("wished", "desired", "current", "ready", "min", "max")
            ],
        ),
        states(
            "States",
            "When something stood in the way.",
            [
                Query(_its("faulty"), "faulty"),
                Query(_its("conflict"), "somebody else scales it"),
                Query(_its("overridden"), "override in force"),
                Query(_its("spend_limited"), "limited by spend"),
                Query(f"{_its('signals_unknown')} > bool 0", "inputs unknown"),
                Query(f"1 - {_its('forecast_usable')}", "without forecast"),
            ],
        ),
        height=9,
    )


def _forecast(page: Page) -> None:
    page.row("Forecast")
    page.add(
        series(
            "Kept forecasts",
            "Share of forecast peaks of about a day that the load stayed within, beside the share that "
            "spec.forecast.quantile asks for.",
            [
                Query(_its("forecast_coverage"), "kept"),
                Query(_its("forecast_quantile"), "asked for"),
            ],
            "percentunit",
        ),
        series(
            "Age of the forecast",
            "A new one comes with every step. Above the line an alert fires.",
            [
                Query(f"{_its('forecast_age_seconds')} < +Inf", "age"),
                Query(f"3 * {_its('forecast_step_seconds')} + 300", "stale"),
            ],
            "s",
        ),
        height=8,
    )


def _risk(page: Page) -> None:
    page.row("Objective and shadow, where there are any")
    page.add(
        series(
            "Error budget",
            "Share of what spec.objective allows over its window that is left. Below 0 it is overdrawn.",
            [Query(_its("objective_budget_left"), "left")],
            "percentunit",
            from_zero=False,
        ),
        series(
            "Dial of the objective",
            "Quantile of the forecast peak that is read, and what it is multiplied by.",
            [
                Query(_its("objective_quantile"), "quantile"),
                Query(_its("objective_headroom"), "headroom"),
            ],
        ),
        series(
            "Unserved by policy and shadow",
            "Share of the load that each of the two would have left unserved, both simulated.",
            [
                Query(_its("shadow_own_unserved"), "policy"),
                Query(_its("shadow_unserved"), "shadow"),
            ],
            "percentunit",
        ),
        series(
            "Cost of the shadow",
            "Replica time of the shadow to that of the policy: below 1 it is cheaper.",
            [Query(_its("shadow_cost_ratio"), "shadow to policy")],
        ),
        height=8,
    )


def _inputs(page: Page) -> None:
    page.row("Lead time and money")
    page.add(
        series(
            "Lead time",
            "As decisions use it: configured, or measured from the workload's own pods.",
            [Query(_its("lead_time_seconds"), "lead time")],
            "s",
        ),
        series(
            "Share of the day's budget spent",
            "Beside the share of the (UTC) day that is over.",
            [
                Query(f"{_its('spend_today')} / ({_its('daily_budget')} > 0)", "spent"),
                Query(f"vector(time() % 86400) / 86400 and on () {_its('daily_budget')}", "day"),
            ],
            "percentunit",
        ),
        height=8,
    )
