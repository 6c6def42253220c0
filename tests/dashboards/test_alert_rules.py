"""The recording and alerting rules, judged by promtool; and what every alert has to bring along."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
_RULES = ROOT / "dashboards" / "rules.yaml"
_CASES = sorted(Path(__file__).parent.glob("*_alerts.yaml"))
_GROUPS = yaml.safe_load(_RULES.read_text())["groups"]
_ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in _GROUPS for rule in group["rules"] if "alert" in rule
}
_RECORDS = [rule["record"] for group in _GROUPS for rule in group["rules"] if "record" in rule]


def _promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def _expectations(alert: str) -> tuple[list[str], list[str]]:
    """Where the cases say of an alert that it does not fire, and that it does, as test names."""
    silent, firing = [], []
    for path in _CASES:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test.get("alert_rule_test", []):
                if case["alertname"] == alert:
                    (firing if case["exp_alerts"] else silent).append(test["name"])
            for case in test.get("promql_expr_test", []):
                if not case["expr"].startswith("ALERTS{"):
                    continue
                told = [sample["labels"] for sample in case["exp_samples"]]
                if any(f'alertname="{alert}"' in labels for labels in told):
                    firing.append(test["name"])
                elif f'alertname="{alert}"' in case["expr"] or 'alertname!="' in case["expr"]:
                    silent.append(test["name"])
    return silent, firing


@pytest.mark.prometheus
def test_prometheus_takes_the_rules() -> None:
    _promtool("check", "rules", str(_RULES))


@pytest.mark.prometheus
@pytest.mark.parametrize("case", _CASES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_not_before(case: Path) -> None:
    _promtool("test", "rules", str(case))


@pytest.mark.parametrize("alert", _ALERTS)
def test_every_alert_is_shown_firing_and_shortly_before(alert: str) -> None:
    silent, firing = _expectations(alert)
    assert firing
    assert set(silent) & set(firing), f"no case of {alert} looks before it fires as well"


@pytest.mark.parametrize("alert", _ALERTS)
def test_every_alert_says_how_bad_it_is_and_what_to_do(alert: str) -> None:
    rule = _ALERTS[alert]
    assert alert.startswith("PredictiveAutoscaler")
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    page = ROOT / rule["annotations"]["runbook_url"]
    assert alert in page.read_text().splitlines()[0], f"{page} is not about {alert}"


def test_every_runbook_is_about_an_alert_and_says_the_same_four_things() -> None:
    pages = {ROOT / rule["annotations"]["runbook_url"] for rule in _ALERTS.values()}
    written = set((ROOT / "docs" / "runbooks").glob("*.md")) - {ROOT / "docs" / "runbooks" / "README.md"}
    assert written == pages
    for page in written:
        headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert headings == ["What it means", "What users feel", "How to look", "How to mend"], page


def test_the_list_of_runbooks_is_the_list_of_alerts() -> None:
    listed = re.findall(
        r"^\| \[(\w+)\]\(([\w-]+\.md)\) \| (\w+) \|",
        (ROOT / "docs/runbooks/README.md").read_text(),
        re.MULTILINE,
    )
    assert listed == [
        (name, Path(rule["annotations"]["runbook_url"]).name, rule["labels"]["severity"])
        for name, rule in _ALERTS.items()
    ]


def test_recording_rules_are_named_level_metric_operations() -> None:
    for name in _RECORDS:
        assert re.fullmatch(r"(workload|operator|service):predictive_autoscaler_[a-z_]+:[a-z0-9_]+", name), (
            name
        )
