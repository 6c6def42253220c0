"""The operator itself, by the four golden signals: traffic, errors, latency, saturation."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard
from panels import Page, Query, figure, series

_SELECTOR = 'cluster=~"$cluster", job=~"$job"'


def _of(metric: str, more: str = "") -> str:
    return f"predictive_autoscaler_{metric}{{{_SELECTOR}{more}}}"


def _per_second(metric: str, by: str, more: str = "") -> str:
    return f"sum by ({by}) (rate({_of(metric, more)}[$__rate_interval]))"


def _quantile(q: float, metric: str, by: str = "") -> str:
    return f"histogram_quantile({q:g}, {_per_second(f'{metric}_bucket', f'{by}, le' if by else 'le')})"


def itself() -> Dashboard:
    """The dashboard."""
    page = Page(
        "predictive-autoscaler-operator",
        "Predictive autoscaler / Operator",
        "Whether the operator itself is well.",
    )
    page.several("job", 'predictive_autoscaler_build_info{cluster=~"$cluster"}', "Job")
    _present(page)
    _traffic(page)
    _errors(page)
    _latency(page)
    _saturation(page)
    return page.build()


def _present(page: Page) -> None:
    page.row("Now")
    page.add(
        figure("Replicas", "Pods of the operator that are scraped.", f"count({_of('build_info')})"),
        figure(
            "Leaders",
            "One at any time; two for a scrape while leadership changes.",
            f"sum({_of('leader')})",
            bad_from=2,
        ),
        figure("Resources", "PredictiveAutoscalers known.", f"max({_of('resources')})"),
        figure("Period", "How often each is to be evaluated.", f"max({_of('period_seconds')})", "s"),
        figure(
            "Idle",
            "Since the leader last completed a decision.",
            f"max({_of('idle_seconds')} and on (instance) {_of('leader')} == 1)",
            "s",
            bad_from=60,
        ),
        figure(
            "Sources down",
            "Metric sources that do not answer the leader.",
            f"count({_of('source_up')} == 0 and on (instance) {_of('leader')} == 1) or vector(0)",
            bad_from=1,
        ),
        height=4,
    )


def _traffic(page: Page) -> None:
    page.row("Traffic")
    page.add(
        series(
            "Evaluations by what became of the count",
            "Unneeded: it stands as it should. Held: it may not be written now.",
            [Query(_per_second("evaluations_total", "write"), "{{write}}")],
            "ops",
        ),
        series(
            "Counts written",
            "Accepted writes, by direction.",
            [Query(_per_second("scale_writes_total", "direction"), "{{direction}}")],
            "ops",
        ),
        series(
            "Requests to the API server",
            "By method.",
            [Query(_per_second("api_request_seconds_count", "method"), "{{method}}")],
            "reqps",
        ),
        height=8,
    )


def _errors(page: Page) -> None:
    page.row("Errors")
    page.add(
        series(
            "Evaluations with a fault",
            "By the reason that the Ready condition names.",
            [Query(_per_second("faults_total", "reason"), "{{reason}}")],
            "ops",
        ),
        series(
            "Requests the API server did not take",
            "By status; 0 is no answer. 404 and 409 are part of a normal day.",
            [Query(_per_second("api_request_seconds_count", "code", ', code!~"[123].."'), "{{code}}")],
            "reqps",
        ),
        series(
            "Evaluations left out",
            "Because the source was still busy with earlier ones.",
            [Query(_per_second("evaluations_skipped_total", "source"), "{{source}}")],
            "ops",
        ),
        height=8,
    )
    page.add(
        series(
            "Sources that answer",
            "1 while a source answers anything at all, as the leader sees it.",
            [Query(f"{_of('source_up')} and on (instance) {_of('leader')} == 1", "{{source}}")],
        ),
        series(
            "Failed writes",
            "To the store, and of statuses; and records that were lost.",
            [
                Query(f"sum(increase({_of('journal_failures')}[$__rate_interval]))", "store"),
                Query(f"sum(increase({_of('status_write_failures')}[$__rate_interval]))", "statuses"),
                Query(f"sum(increase({_of('journal_dropped_rows')}[$__rate_interval]))", "records lost"),
            ],
        ),
        height=8,
    )


def _latency(page: Page) -> None:
    page.row("Latency")
    page.add(
        series(
            "Time to evaluate a group",
            "From its turn to its last write: median and 99th percentile by source.",
            [
                Query(_quantile(0.5, "evaluation_seconds", "source"), "{{source}} p50"),
                Query(_quantile(0.99, "evaluation_seconds", "source"), "{{source}} p99"),
            ],
            "s",
        ),
        series(
            "Lateness",
            "Time beyond the period since a workload's last evaluation. An alert fires above one period.",
            [
                Query(_quantile(0.5, "evaluation_lag_seconds"), "p50"),
                Query(_quantile(0.99, "evaluation_lag_seconds"), "p99"),
                Query(f"max({_of('period_seconds')})", "period"),
            ],
            "s",
        ),
        height=8,
    )
    page.add(
        series(
            "Requests to the API server",
            "99th percentile by method.",
            [Query(_quantile(0.99, "api_request_seconds", "method"), "{{method}}")],
            "s",
        ),
        series(
            "Reading a source",
            "The last batch of queries, as the leader saw it.",
            [Query(f"{_of('source_read_seconds')} and on (instance) {_of('leader')} == 1", "{{source}}")],
            "s",
        ),
        height=8,
    )


def _saturation(page: Page) -> None:
    process = f"{{{_SELECTOR}}} and on (instance) {_of('build_info')}"
    page.row("Saturation")
    page.add(
        series(
            "Rows that wait for the store",
            "By pod.",
            [Query(_of("journal_spooled_rows"), "{{instance}}")],
        ),
        series(
            "How far back the store reaches",
            "Age of the oldest row by kind. Less than its retention once the store is as large as it may be.",
            [Query(f"max by (kind) ({_of('store_history_seconds')})", "{{kind}}")],
            "s",
        ),
        series(
            "Processor",
            "Cores in use by pod, the forecasting process not included.",
            [
                Query(
                    f"rate(process_cpu_seconds_total{{{_SELECTOR}}}[$__rate_interval])"
                    f" and on (instance) {_of('build_info')}",
                    "{{instance}}",
                )
            ],
        ),
        series(
            "Memory",
            "Resident, by pod, the forecasting process not included.",
            [Query(f"process_resident_memory_bytes{process}", "{{instance}}")],
            "bytes",
        ),
        series(
            "Forecasting process",
            "Whether it is up, and how often it had to be started again.",
            [
                Query(_of("forecast_process_up"), "{{instance}} up"),
                Query(_of("forecast_process_restarts"), "{{instance}} restarts"),
            ],
        ),
        height=8,
    )
