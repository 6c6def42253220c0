"""Rules and dashboards as the chart installs them, rendered by the real helm binary."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from reading import FILES, ROOT, RULES

pytestmark = pytest.mark.cluster

_CHART = ROOT / "operator" / "chart" / "predictive-autoscaler"
_URL = "https://docs.example.com/runbooks"


def _template(home: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    parts = ["sh", str(ROOT / "scripts" / "cluster-parts.sh"), "--find"]
    folder = subprocess.run(parts, capture_output=True, text=True, check=True).stdout.strip()
    arguments = [part for setting in settings for part in ("--set", setting)]
    folders = {f"HELM_{what}_HOME": str(home) for what in ("CACHE", "CONFIG", "DATA")}
    return subprocess.run(
        [f"{folder}/helm", "template", "pa", str(_CHART), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | folders,
    )


def _rendered(home: Path, kind: str, *settings: str) -> list[dict[str, Any]]:
    done = _template(home, *settings)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.safe_load_all(done.stdout) if found and found["kind"] == kind]


def _runbooks(spec: dict[str, Any]) -> set[str]:
    alerts = [rule for group in spec["groups"] for rule in group["rules"] if "alert" in rule]
    return {alert["annotations"]["runbook_url"].rpartition("/")[0] for alert in alerts}


def test_nothing_is_installed_unless_asked_for(tmp_path: Path) -> None:
    assert _rendered(tmp_path, "PrometheusRule") == []
    names = [found["metadata"]["name"] for found in _rendered(tmp_path, "ConfigMap")]
    assert not any(name.endswith("-dashboards") for name in names)


def test_the_rules_are_installed_as_they_are(tmp_path: Path) -> None:
    (rule,) = _rendered(tmp_path, "PrometheusRule", "prometheusRule.enabled=true")
    assert rule["spec"] == yaml.safe_load(RULES.read_text())


@pytest.mark.parametrize("url", [_URL, f"{_URL}/"])
def test_alerts_link_to_the_runbooks_where_they_are_read(tmp_path: Path, url: str) -> None:
    settings = ("prometheusRule.enabled=true", f"prometheusRule.runbooksUrl={url}")
    (rule,) = _rendered(tmp_path, "PrometheusRule", *settings)
    assert _runbooks(rule["spec"]) == {_URL}


def test_what_is_no_url_is_refused_by_name(tmp_path: Path) -> None:
    done = _template(tmp_path, "prometheusRule.enabled=true", "prometheusRule.runbooksUrl=docs")
    assert done.returncode != 0
    assert "runbooksUrl" in done.stderr


def test_the_dashboards_are_installed_as_they_are(tmp_path: Path) -> None:
    (found,) = [
        one
        for one in _rendered(tmp_path, "ConfigMap", "dashboards.enabled=true")
        if one["metadata"]["name"].endswith("-dashboards")
    ]
    assert found["data"] == {file.name: file.read_text(encoding="utf-8") for file in FILES}
    assert sum(map(len, found["data"].values())) < 1_000_000, "more than a ConfigMap holds"
