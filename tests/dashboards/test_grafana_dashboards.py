"""The Grafana dashboards: what is committed is what the generator makes, and Grafana can show all of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from reading import FILES, GRAFANA, ROOT, RULES, Asked, filled_in, load, panels, queries

from autoscaler.api.protection.request_metrics import RequestMetrics
from autoscaler.controller.configuration import Configuration
from autoscaler.controller.operator import Operator

_CHART_FILES = ROOT / "operator" / "chart" / "predictive-autoscaler" / "files"
_RENEW = "python scripts/dashboards renews it"
_ANY = {"cluster": ".*", "namespace": "shop", "name": "web", "job": ".*", "__rate_interval": "1m"}
_SAMPLES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
_COLUMNS = 24


def _used(expr: str) -> set[str]:
    """Names of the metrics that an expression reads; ValueError where it is no PromQL."""
    found: set[str] = set()

    def note(part: object) -> None:
        selector = part.vector_selector if isinstance(part, promql_parser.MatrixSelector) else part
        if isinstance(selector, promql_parser.VectorSelector):
            found.add(str(selector.name))

    promql_parser.walk(promql_parser.parse(expr), note)
    return found


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """Names of all samples that operator and service can export; the operator is made and never started."""
    folder = tmp_path_factory.mktemp("operator")
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {token: t}}],"
        " contexts: [{name: c, context: {cluster: c, user: u}}],"
        " clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]}"
    )
    configuration = {
        "sources": [{"url": "http://127.0.0.1:1"}],
        "store": {"url": f"sqlite:///{folder / 'store.db'}"},
        "server": {"address": "127.0.0.1", "port": 0},
        "leaderElection": {"enabled": False},
    }
    made = Operator(Configuration.model_validate(configuration), kubeconfig)
    of_service = RequestMetrics(CollectorRegistry()).registry
    of_operator = text_string_to_metric_families(made._metrics.text().decode())
    families = [*of_operator, *of_service.collect()]
    yield {family.name + end for family in families for end in _SAMPLES[family.type]}
    made._reporter.stop()
    made._recorder.stop()
    made._server._server.server_close()


def test_the_dashboards_are_what_the_generator_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "scripts" / "dashboards"), str(tmp_path)], check=True)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {path.name: path.read_text() for path in FILES} == made, _RENEW


def test_the_chart_carries_dashboards_and_rules_to_the_byte() -> None:
    carried = {path.name: path.read_bytes() for path in _CHART_FILES.glob("dashboards/*")}
    assert carried == {path.name: path.read_bytes() for path in GRAFANA.iterdir()}, _RENEW
    assert [path.name for path in _CHART_FILES.glob("rules/*")] == [RULES.name]
    assert (_CHART_FILES / "rules" / RULES.name).read_bytes() == RULES.read_bytes(), _RENEW


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_panels_have_numbers_of_their_own_and_room_of_their_own(file: Path) -> None:
    taken: Counter[tuple[int, int]] = Counter()
    shown = list(panels(load(file)))
    assert len({panel["id"] for panel in shown}) == len(shown)
    for panel in shown:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= _COLUMNS, panel["title"]
        taken.update(
            (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        )
    assert max(taken.values()) == 1, "two panels overlap"


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_every_panel_asks_the_prometheus_that_is_chosen(file: Path) -> None:
    dashboard = load(file)
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    for name, variable in variables.items():
        assert name == "datasource" or variable["datasource"] == chosen
    for panel in panels(dashboard):
        if panel["type"] != "row":
            assert panel["datasource"] == chosen
            assert panel["targets"], panel["title"]
            assert all(target["datasource"] == chosen for target in panel["targets"]), panel["title"]
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_every_variable_that_is_used_is_there_and_every_one_there_is_used(file: Path) -> None:
    dashboard = load(file)
    there = {variable["name"] for variable in dashboard["templating"]["list"]} - {"datasource"}
    used = {name for q in queries() if q.page == file.stem for name in re.findall(r"\$\{?(\w+)", q.expr)}
    assert used - {"__rate_interval"} == there


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_every_panel_says_what_it_shows(file: Path) -> None:
    assert [p["title"] for p in panels(load(file)) if p["type"] != "row" and not p.get("description")] == []


def test_what_may_fall_below_zero_is_not_cut_off_there() -> None:
    budgets = [
        panel
        for file in FILES
        for panel in panels(load(file))
        if panel["type"] == "timeseries"
        and any("budget_left" in t["expr"] and "count(" not in t["expr"] for t in panel["targets"])
    ]
    assert len(budgets) == 2
    assert [panel["title"] for panel in budgets if "min" in panel["fieldConfig"]["defaults"]] == []


@pytest.mark.parametrize("query", queries(), ids=str)
def test_every_query_is_promql_and_reads_what_is_exported(query: Asked, exported: set[str]) -> None:
    used = _used(filled_in(query.expr, _ANY))
    assert used
    assert used <= exported


def test_every_rule_reads_what_is_exported_or_another_rule_records(exported: set[str]) -> None:
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    for rule in rules:
        assert _used(rule["expr"]) <= exported | recorded, rule


def test_variables_are_filled_from_what_is_exported(exported: set[str]) -> None:
    for file in FILES:
        for variable in load(file)["templating"]["list"]:
            if variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
                assert asked and asked[2] == variable["name"]
                assert _used(filled_in(asked[1], _ANY)) <= exported


def test_links_lead_to_a_dashboard_that_is_there() -> None:
    text = "".join(file.read_text() for file in FILES)
    assert set(re.findall(r"/d/([\w-]+)", text)) <= {file.stem for file in FILES}
    assert [load(file)["uid"] for file in FILES] == [file.stem for file in FILES]
