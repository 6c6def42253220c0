"""All workloads on one page: how many are well, which are not, and what the fleet did lately."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard
from panels import Column, Page, Query, figure, listing, series

_SELECTOR = 'cluster=~"$cluster", namespace=~"$namespace"'
_BY = "cluster, namespace, name"


def _each(metric: str) -> str:
    """One number per workload, whichever pod of the operator exports it."""
    return f"max by ({_BY}) (predictive_autoscaler_{metric}{{{_SELECTOR}}})"


def _use_of_ready_pods() -> str:
    return f"{_each('load')} / ({_each('ready_replicas')} * {_each('load_per_replica')} > 0)"


def _how_many(condition: str) -> str:
    return f"count({condition}) or vector(0)"


def fleet() -> Dashboard:
    """The dashboard."""
    page = Page(
        "predictive-autoscaler-fleet",
        "Predictive autoscaler / Fleet",
        "All workloads at a glance.",
    )
    page.several("namespace", 'predictive_autoscaler_faulty{cluster=~"$cluster"}', "Namespace")
    _counts(page)
    _workloads(page)
    _objectives(page)
    _over_time(page)
    return page.build()


def _counts(page: Page) -> None:
    short = f"{_each('wished_replicas')} > {_each('max_replicas')}"
    page.row("Now")
    page.add(
        figure("Workloads", "PredictiveAutoscalers.", _how_many(_each("faulty"))),
        figure("Written", "Those whose count the operator writes.", _how_many(f"{_each('writing')} == 1")),
        figure(
            "Faulty",
            "Cannot be evaluated or written: see the Ready condition.",
            _how_many(f"{_each('faulty')} == 1"),
            bad_from=1,
        ),
        figure(
            "Inputs unknown",
            "Load or a signal is unknown: nothing is removed.",
            _how_many(f"{_each('signals_unknown')} > 0"),
            bad_from=1,
        ),
        figure(
            "Without forecast",
            "A forecast is wanted and there is none: load and signals alone decide.",
            _how_many(f"{_each('forecast_usable')} == 0"),
            bad_from=1,
        ),
        figure("Short at maximum", "More is asked for than maxReplicas.", _how_many(short), bad_from=1),
        figure(
            "Limited by spend",
            "A spend limit takes replicas away.",
            _how_many(f"{_each('spend_limited')} == 1"),
            bad_from=1,
        ),
        figure(
            "In conflict",
            "Somebody else scales the same target.",
            _how_many(f"{_each('conflict')} == 1"),
            bad_from=1,
        ),
        height=4,
    )


def _workloads(page: Page) -> None:
    page.row("Workloads")
    columns = [
        Column("Load", _each("load")),
        Column("Forecast peak", _each("forecast_peak")),
        Column(
            "Use of ready pods",
            _use_of_ready_pods(),
            "percentunit",
        ),
        Column("Wished", _each("wished_replicas")),
        Column("Desired", _each("desired_replicas")),
        Column("Current", _each("current_replicas")),
        Column("Ready", _each("ready_replicas")),
        Column("Minimum", _each("min_replicas")),
        Column("Maximum", _each("max_replicas")),
        Column("Lead time", _each("lead_time_seconds"), "s"),
        Column("Budget spent", f"{_each('spend_today')} / ({_each('daily_budget')} > 0)", "percentunit"),
        Column("Writing", _each("writing"), "bool_yes_no"),
        Column("Faulty", _each("faulty"), "bool_yes_no"),
    ]
    description = "Wished: what forecast, load and signals ask for. Desired: what the guards leave of it."
    page.add(listing("Workloads", description, columns), height=12)


def _objectives(page: Page) -> None:
    page.row("Service level")
    overdrawn = f"{_each('objective_budget_left')} < 0"
    page.add(
        series(
            "Workloads short of it",
            "Overloaded: the load is more than the ready pods serve at load.perReplica. Overdrawn: more than "
            "spec.objective allows over its window has been used up.",
            [
                Query(_how_many(f"{_use_of_ready_pods()} > 1"), "overloaded"),
                Query(_how_many(overdrawn), "overdrawn"),
            ],
        ),
        series(
            "Least error budget left",
            "Share of what spec.objective allows over its window that is left. Below 0 it is overdrawn.",
            [Query(f"bottomk(10, {_each('objective_budget_left')})", "{{namespace}}/{{name}}")],
            "percentunit",
            from_zero=False,
        ),
        height=8,
    )


def _over_time(page: Page) -> None:
    page.row("Over time")
    page.add(
        series(
            "Replicas of all workloads",
            "Sums over the namespaces chosen.",
            [
                Query(f"sum({_each(f'{which}_replicas')})", which)
                for which in ("wished", "desired", "current", "ready")
            ],
        ),
        series(
            "Fullest workloads",
            "Load as a share of what the ready pods serve at load.perReplica; above 1 they are overloaded.",
            [
                Query(
                    f"topk(10, {_use_of_ready_pods()})",
                    "{{namespace}}/{{name}}",
                )
            ],
            "percentunit",
        ),
        height=9,
    )
    scaled = 'predictive_autoscaler_scale_writes_total{cluster=~"$cluster"}'
    page.add(
        series(
            "Counts written, all namespaces",
            "Accepted writes, by direction.",
            [Query(f"sum by (direction) (increase({scaled}[$__rate_interval]))", "{{direction}}")],
        ),
        series(
            "Money spent today",
            "Since 00:00 UTC, of workloads with spec.spend, beside the sum of their daily budgets.",
            [
                Query(f"sum({_each('spend_today')} and {_each('daily_budget')})", "spent"),
                Query(f"sum({_each('daily_budget')})", "budgets"),
            ],
        ),
        height=9,
    )
