"""The service, REST API and web page: what is asked of it, and how it answers."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard
from panels import Page, Query, figure, series

_SELECTOR = 'cluster=~"$cluster", job=~"$job"'
_NO_PROBES = ', route!~"/healthz|/readyz"'
_FAILED = f'{_NO_PROBES}, status=~"5.."'
_UNSUCCESSFUL = f'{_NO_PROBES}, status!~"[123].."'
_REFUSED = ', status=~"401|403|429"'


def _of(metric: str, more: str = "") -> str:
    return f"predictive_autoscaler_service_{metric}{{{_SELECTOR}{more}}}"


def _answers(by: str, more: str = _NO_PROBES) -> str:
    return f"sum by ({by}) (rate({_of('answer_seconds_count', more)}[$__rate_interval]))"


def _quantile(q: float, by: str = "") -> str:
    rate = f"rate({_of('answer_seconds_bucket', _NO_PROBES)}[$__rate_interval])"
    return f"histogram_quantile({q:g}, sum by ({f'{by}, le' if by else 'le'}) ({rate}))"


def service() -> Dashboard:
    """The dashboard."""
    page = Page(
        "predictive-autoscaler-service",
        "Predictive autoscaler / Service",
        "Whether the REST API and the web page are well. Scaling does not depend on them.",
    )
    page.several("job", 'predictive_autoscaler_service_requests_running{cluster=~"$cluster"}', "Job")
    _present(page)
    _traffic(page)
    _answering(page)
    return page.build()


def _present(page: Page) -> None:
    answered = f"sum(rate({_of('answer_seconds_count', _NO_PROBES)}[5m]))"
    failed = f"sum(rate({_of('answer_seconds_count', _FAILED)}[5m]))"
    page.row("Now")
    page.add(
        figure("Replicas", "Pods that are scraped.", f"count({_of('requests_running')})"),
        figure("Requests", "In a second, over 5 minutes, without probes.", answered, "reqps"),
        figure(
            "Failed",
            "Share of answers with status 5xx over 5 minutes. An alert fires above 5 %.",
            f"({failed} or vector(0)) / {answered}",
            "percentunit",
            bad_from=0.05,
        ),
        figure(
            "Refused",
            "Without a good token, without the right, or too often: in a second, over 5 minutes.",
            f"sum(rate({_of('answer_seconds_count', _REFUSED)}[5m])) or vector(0)",
            "reqps",
        ),
        height=4,
    )


def _traffic(page: Page) -> None:
    page.row("Traffic")
    page.add(
        series("Requests", "By route, probes left out.", [Query(_answers("route"), "{{route}}")], "reqps"),
        series(
            "Not answered to their end",
            "By pod. Streams of /watch are among them for as long as they last.",
            [Query(_of("requests_running"), "{{instance}}")],
        ),
        height=8,
    )


def _answering(page: Page) -> None:
    page.row("Answers")
    page.add(
        series(
            "Answers without success",
            "By status; 0 is no answer. 401, 403 and 429 are refusals, 404 and 422 mistakes of who asked.",
            [Query(_answers("status", _UNSUCCESSFUL), "{{status}}")],
            "reqps",
        ),
        series(
            "Time to answer",
            "Until an answer begins. An alert fires where the 99th percentile stays above a second.",
            [Query(_quantile(0.5), "p50"), Query(_quantile(0.99), "p99")],
            "s",
        ),
        series(
            "Slowest routes",
            "99th percentile.",
            [Query(f"topk(5, {_quantile(0.99, 'route')})", "{{route}}")],
            "s",
        ),
        height=8,
    )
