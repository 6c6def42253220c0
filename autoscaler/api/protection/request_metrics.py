"""What the service exports about its requests. Labels are few: routes as they are declared, never paths."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, Histogram

_PREFIX = "predictive_autoscaler_service"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class RequestMetrics:
    """Figures of all requests, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._took = Histogram(
            f"{_PREFIX}_answer_seconds",
            "Time from a request to the beginning of its answer.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._running = Gauge(
            f"{_PREFIX}_requests_running", "Requests that are not answered to their end.", registry=registry
        )

    def began(self) -> None:
        """A request came in."""
        self._running.inc()

    def ended(self, method: str, route: str, status: int, took_s: float) -> None:
        """Its answer is over. status: 0 where there was none. took_s: until it began."""
        self._took.labels(method, route, str(status)).observe(took_s)
        self._running.dec()
