"""Every dashboard query and every rule, on a real Prometheus that scrapes operator and service running."""

from __future__ import annotations

import math
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import crd
import pytest
import requests
import yaml
from control_plane import ControlPlane, cluster_binaries, wait_until
from live_prometheus import LivePrometheus, Past
from operator_process import OperatorProcess, Resources, SteadyLoad
from reading import RULES, Asked, filled_in, queries
from service_process import ServiceProcess

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]

_NAMESPACE = "shop"
_PAST_S = 600
_LOAD, _SMALL_LOAD = 35.0, 8.0
_JOB, _SERVICE_JOB = "predictive-autoscaler", "predictive-autoscaler-api"
_VALUES = {"cluster": ".*", "namespace": _NAMESPACE, "name": "web", "job": ".*", "__rate_interval": "10s"}
_WITH_OBJECTIVE = _VALUES | {"name": "kept"}
"""One resource cannot have an objective and a shadow: `web` has the latter."""

_FORECAST = {
    "model": "seasonal-naive",
    "step": "1s",
    "seasons": ["1m"],
    "history": "10m",
    "leadTime": "3s",
    "refit": "1m",
}

_MAY_BE_EMPTY = (
    # A run this small leaves nothing out, and may be too short for a forecast to be judged.
    "evaluations_skipped_total",
    "forecast_coverage",
)


@dataclass(frozen=True)
class Scraped:
    """A Prometheus that has scraped an operator for a while, with the rules loaded."""

    url: str

    def get(self, path: str, **query: str) -> Any:
        """What its API answers; AssertionError where it refuses."""
        session = requests.Session()
        session.trust_env = False
        answer = session.get(f"{self.url}/api/v1/{path}", params=query, timeout=10)
        assert answer.ok, f"{query}: {answer.status_code} {answer.text}"
        return answer.json()["data"]

    def values(self, expr: str) -> list[float]:
        """The present value of every series an expression gives."""
        return [float(found["value"][1]) for found in self.get("query", query=expr)["result"]]

    def rules(self) -> list[dict[str, Any]]:
        """Every rule with its state."""
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    if cluster_binaries() is None:
        pytest.skip("no cluster binaries (sh scripts/cluster-parts.sh)")
    start_s = math.floor(time.time()) - _PAST_S
    pasts = [
        Past(f"load_{name}", start_s, 1.0, [load] * _PAST_S)
        for name, load in (("web", _LOAD), ("kept", _SMALL_LOAD))
    ]
    with ExitStack() as stack:
        plane = stack.enter_context(ControlPlane(tmp_path_factory.mktemp("control-plane")))
        prometheus = stack.enter_context(LivePrometheus(tmp_path_factory.mktemp("prometheus"), pasts))
        crd.install(plane)
        operator = stack.enter_context(
            OperatorProcess(tmp_path_factory.mktemp("operator"), plane.kubeconfig(), prometheus.url)
        )
        service = stack.enter_context(
            ServiceProcess(
                tmp_path_factory.mktemp("service"), plane.kubeconfig(), operator.configuration["store"]["url"]
            )
        )
        _scrape(prometheus, operator.port, service, plane.admin_token)
        load = stack.enter_context(SteadyLoad(prometheus, {"load_web": _LOAD, "load_kept": _SMALL_LOAD}))
        _run(plane, load)
        found = Scraped(prometheus.url)
        callers = stack.enter_context(_Callers(service, plane.admin_token))
        wait_until(
            lambda: callers.answered > 20 and _enough(found),
            60,
            "rates over a few scrapes of everything that happened",
        )
        yield found


class _Callers:
    """Asks the service now and then for as long as the context lasts, three times in four as it should be."""

    def __init__(self, service: ServiceProcess, token: str) -> None:
        self.answered = 0
        self._service, self._token = service, token
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> _Callers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            for path in ("/fleet", "/workloads", "/decisions"):
                assert self._service.status("GET", f"/api/v1{path}", self._token) == 200
            assert self._service.status("GET", "/api/v1/fleet", "nobody's") == 401
            self.answered += 4


def _scrape(prometheus: LivePrometheus, port: int, service: ServiceProcess, token: str) -> None:
    """Scrape operator and service every second, and evaluate the rules as often."""
    shutil.copy(RULES, prometheus.folder / RULES.name)
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [RULES.name],
        "scrape_configs": [
            {
                "job_name": _JOB,
                "honor_labels": True,
                "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": "ops"}}],
            },
            {
                "job_name": _SERVICE_JOB,
                "authorization": {"credentials": token},
                "static_configs": [
                    {"targets": [service.url.removeprefix("http://")], "labels": {"namespace": "ops"}}
                ],
            },
        ],
    }
    (prometheus.folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    os.kill(prometheus.process.pid, signal.SIGHUP)


def _run(plane: ControlPlane, load: SteadyLoad) -> None:
    """One workload that is scaled out by a forecast and within a budget, one that keeps an objective, and one
    without a target."""
    plane.namespace(_NAMESPACE)
    for name in ("web", "kept"):
        plane.deployment(name, _NAMESPACE, 1, start_up="1s")
    resources = Resources(plane, _NAMESPACE)
    spend = {"replicaHourPrice": "1", "dailyBudget": "10000"}
    shadow = {"name": "bolder", "policy": {"maxReplicas": 9}}
    resources.create("web", forecast=_FORECAST, spend=spend, shadow=shadow)
    resources.create("kept", forecast=_FORECAST, objective={"unserved": "1%"})
    resources.create("lost", target="nowhere")
    wait_until(lambda: plane.replicas("web", _NAMESPACE) == 4, 30, "4 replicas for a load of 35")
    for name in ("web", "kept"):
        resources.wait_for(name, "ForecastReady", "True", "Fresh", timeout_s=40)
    load.values["load_web"] = 75.0
    wait_until(lambda: plane.replicas("web", _NAMESPACE) == 8, 30, "8 replicas for a load of 75")


def _enough(found: Scraped) -> bool:
    happened = f'sum(increase(predictive_autoscaler_scale_writes_total{{job="{_JOB}"}}[1m])) > 0'
    ready = f'predictive_autoscaler_ready_replicas{{namespace="{_NAMESPACE}"}} == 8'
    rates = "operator:predictive_autoscaler_evaluations:rate5m > 0"
    answers = "service:predictive_autoscaler_service_answers:rate5m > 0"
    return all(found.values(expr) for expr in (happened, ready, rates, answers))


@pytest.mark.parametrize("query", queries(), ids=str)
def test_every_dashboard_query_finds_something(scraped: Scraped, query: Asked) -> None:
    of = _WITH_OBJECTIVE if "objective_" in query.expr else _VALUES
    values = scraped.values(filled_in(query.expr, of))
    if not any(name in query.expr for name in _MAY_BE_EMPTY):
        assert values
        assert any(math.isfinite(value) for value in values)


def test_dashboards_show_what_happened(scraped: Scraped) -> None:
    workload = f'{{namespace="{_NAMESPACE}", name="web"}}'
    assert scraped.values(f"predictive_autoscaler_load{workload}") == [75.0]
    assert scraped.values(f"predictive_autoscaler_desired_replicas{workload}") == [8.0]
    assert scraped.values(f"predictive_autoscaler_forecast_usable{workload}") == [1.0]
    (faulty,) = (q for q in queries() if (q.page, q.panel) == ("predictive-autoscaler-fleet", "Faulty"))
    assert scraped.values(filled_in(faulty.expr, _VALUES)) == [1.0]


def test_variables_offer_namespaces_of_workloads_not_of_the_operator(scraped: Scraped) -> None:
    found = scraped.get("label/namespace/values", **{"match[]": "predictive_autoscaler_faulty"})
    assert found == [_NAMESPACE]


def test_every_rule_is_evaluated_and_every_recording_rule_records(scraped: Scraped) -> None:
    rules = scraped.rules()
    assert {rule["name"]: rule["lastError"] for rule in rules if rule.get("lastError")} == {}
    assert {rule["health"] for rule in rules} == {"ok"}
    for rule in rules:
        if rule["type"] == "recording":
            assert scraped.values(rule["name"]), rule["name"]


def test_only_what_is_wrong_is_about_to_alert(scraped: Scraped) -> None:
    waiting = {
        (rule["name"], alert["labels"].get("name"))
        for rule in scraped.rules()
        for alert in rule.get("alerts", [])
    }
    assert waiting == {("PredictiveAutoscalerResourceFaulty", "lost")}
