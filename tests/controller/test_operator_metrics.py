"""What the operator exports: figures of what is there, fixed labels, and a page that lists all of it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from evaluation_in_hand import InHand
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from stub_api import forbidden
from workload_making import unknown

from autoscaler.api.protection.request_metrics import RequestMetrics
from autoscaler.controller.configuration import Configuration
from autoscaler.controller.operator import Operator
from autoscaler.controller.running import Running
from autoscaler.controller.telling.metrics import Metrics
from autoscaler.planning.observation import Outlook
from autoscaler.store.ids import new_id
from autoscaler.store.rows import DecisionMade
from autoscaler.store.store import Store

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
PREFIX = "predictive_autoscaler_"


def exported(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Value by sample name without prefix, and labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name.removeprefix(PREFIX), tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


class Counted:
    """Evaluations whose outcomes are counted."""

    def __init__(self, hand: InHand) -> None:
        self.hand, self.metrics = hand, Metrics(15.0)

    def evaluate(self, *due: Running) -> None:
        found = self.hand.evaluate(*due)
        by_name = {one.workload.name: one for one in due}
        self.metrics.evaluated("default", list(found.values()), [by_name[name] for name in found], 0.2)

    def of(self, metric: str, name: str = "web") -> float | None:
        return exported(self.metrics).get((metric, (("name", name), ("namespace", "shop"))))


@pytest.fixture
def counted(hand: InHand) -> Counted:
    return Counted(hand)


def test_the_figures_of_a_workload_are_its_last_decisions(counted: Counted) -> None:
    counted.hand.foresight.outlooks["shop/web"] = Outlook(75.0, 60.0, 12.0, "ridge")
    counted.evaluate(counted.hand.add("web", 3, 55.0, minReplicas=2, maxReplicas=7))
    expected = {
        "load": 55.0, "forecast_peak": 75.0, "forecast_age_seconds": 12.0, "desired_replicas": 7.0,
        "current_replicas": 7.0, "ready_replicas": 3.0, "min_replicas": 2.0, "max_replicas": 7.0,
        "lead_time_seconds": 180.0, "signals_unknown": 0.0, "faulty": 0.0, "writing": 1.0, "conflict": 0.0,
        "overridden": 0.0, "spend_limited": 0.0,
    }  # fmt: skip
    assert {name: counted.of(name) for name in expected} == expected


def test_what_is_unknown_is_no_number_and_never_zero(counted: Counted) -> None:
    one = counted.hand.add("web", 3, 55.0)
    counted.hand.load_is("web", unknown())
    counted.evaluate(one)
    load = counted.of("load")
    assert load is not None and load != load
    assert counted.of("signals_unknown") == 1.0


def test_a_fault_keeps_the_last_figures_and_says_so(counted: Counted) -> None:
    one = counted.hand.add("web", 3, 30.0)
    counted.evaluate(one)
    counted.hand.api.fault = lambda request: forbidden()
    counted.hand.clock.now_s += 200.0
    counted.evaluate(one)
    assert (counted.of("desired_replicas"), counted.of("faulty"), counted.of("writing")) == (3.0, 1.0, 0.0)


def test_a_limit_that_was_taken_away_is_no_longer_exported(counted: Counted) -> None:
    one = counted.hand.add("web", spend={"replicaHourPrice": "1", "dailyBudget": "900"})
    counted.evaluate(one)
    assert counted.of("daily_budget") == 900.0
    one.workload = counted.hand.add("web").workload
    counted.evaluate(one)
    assert counted.of("daily_budget") is None


@pytest.mark.parametrize("key", ["shop/web", None])
def test_figures_of_a_workload_that_is_gone_vanish(counted: Counted, key: str | None) -> None:
    counted.evaluate(counted.hand.add("web"), counted.hand.add("other"))
    counted.metrics.gone(key)
    assert counted.of("load") is None
    assert (counted.of("load", "other") is None) is (key is None)


def test_outcomes_are_counted_by_what_became_of_the_count(counted: Counted) -> None:
    quiet, busy = counted.hand.add("quiet"), counted.hand.add("busy", 3, 55.0)
    counted.evaluate(quiet, busy)
    held = counted.hand.add("held", 3, 55.0, mode="Recommend")
    counted.evaluate(held)
    counted.hand.api.objects.clear()
    counted.hand.clock.now_s += 200.0
    counted.evaluate(quiet)
    found = exported(counted.metrics)
    for write, count in (("Unneeded", 2.0), ("Done", 1.0), ("Held", 1.0)):
        assert found["evaluations_total", (("write", write),)] == count
    assert found["scale_writes_total", (("direction", "out"),)] == 1.0
    assert found["faults_total", (("reason", "TargetNotFound"),)] == 1.0
    assert found["evaluation_seconds_count", (("source", "default"),)] == 3.0


def test_an_evaluation_that_comes_late_shows(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("autoscaler.controller.telling.metrics.time.monotonic", lambda: now[0])
    one = counted.hand.add("web")
    for later_s in (0.0, 15.0, 40.0, 5.0):
        now[0] += later_s
        counted.evaluate(one)
    found = exported(counted.metrics)
    assert found["evaluation_lag_seconds_count", ()] == 3.0
    assert found["evaluation_lag_seconds_sum", ()] == 25.0


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """One that is never started, and so speaks to nobody."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {token: t}}],"
        " contexts: [{name: c, context: {cluster: c, user: u}}],"
        " clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]}"
    )
    configuration = {
        "sources": [{"url": "http://127.0.0.1:1"}],
        "store": {"url": f"sqlite:///{tmp_path / 'store.db'}"},
        "server": {"address": "127.0.0.1", "port": 0},
        "leaderElection": {"enabled": False},
    }
    made = Operator(Configuration.model_validate(configuration), kubeconfig)
    yield made
    made._reporter.stop()
    made._recorder.stop()
    made._server._server.server_close()


def on_the_page() -> dict[str, tuple[str, set[str]]]:
    """Type and labels by name, as the tables say."""
    rows = re.findall(
        rf"^\| `({PREFIX}\w+)` \| (\w+) \| ([\w, ]+) \|", PAGE.read_text(encoding="utf-8"), re.M
    )
    assert len({name for name, _, _ in rows}) == len(rows)
    return {name: (kind, set(labels.split(", ")) - {"none"}) for name, kind, labels in rows}


def test_every_metric_is_on_the_page_and_nothing_else(operator: Operator) -> None:
    found = {}
    for family in text_string_to_metric_families(operator._metrics._workloads.text().decode()):
        found[family.name] = (family.type, {"namespace", "name"})
    for registry in (operator._metrics._registry, RequestMetrics(CollectorRegistry()).registry):
        collectors = registry._names_to_collectors
        for family in registry.collect():
            if family.name.startswith(PREFIX):
                name = f"{family.name}_total" if family.type == "counter" else family.name
                found[name] = (family.type, set(collectors[family.name]._labelnames))
    assert on_the_page() == found


def test_labels_are_few_and_of_what_is_configured_or_fixed(counted: Counted) -> None:
    counted.evaluate(counted.hand.add("web", 3, 55.0))
    names = {label for _, labels in exported(counted.metrics) for label, _ in labels}
    assert names <= {
        "namespace",
        "name",
        "source",
        "write",
        "reason",
        "direction",
        "method",
        "code",
        "le",
        "version",
    }


def test_a_store_that_cannot_be_written_is_told_until_it_can(operator: Operator, tmp_path: Path) -> None:
    def becomes(value: float) -> bool:
        until_s = time.monotonic() + 15.0
        while exported(operator._metrics)[("journal_up", ())] != value:
            if time.monotonic() > until_s:
                return False
            threading.Event().wait(0.02)
        return True

    in_the_way = tmp_path / "store.db"
    in_the_way.mkdir()
    operator._journal.start()
    assert becomes(0.0)
    in_the_way.rmdir()
    assert becomes(1.0)
    operator._journal.close()


def test_how_far_back_the_store_reaches_is_told_by_kind(operator: Operator, tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    at_s = time.time() - 3600
    store.write([DecisionMade("shop/web", new_id(at_s), at_s, 3, 4, (), "", {})])
    store.close()

    def told() -> dict[str, float]:
        found = exported(operator._metrics)
        return {dict(labels)["kind"]: age for (name, labels), age in found.items() if "history" in name}

    assert all(age != age for age in told().values()), "not looked at yet, and so unknown"
    operator._journal.start()
    until_s = time.monotonic() + 15.0
    while told()["decisions"] != told()["decisions"] and time.monotonic() < until_s:
        threading.Event().wait(0.02)
    assert 3600 <= told()["decisions"] < 3700
    assert told()["forecasts"] != told()["forecasts"]
    operator._journal.close()
