"""`autoscaler promote` on manifests, and what a shadow is to `check` and `backtest`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import GOOD, MANIFEST, Autoscaler

SHADOW: dict[str, Any] = {"name": "bolder", "policy": {"forecast": {"quantile": "0.5"}, "minReplicas": 2}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.csv").write_text(GOOD)
    return tmp_path


def manifest(shadow: dict[str, Any] | None = SHADOW, name: str = "checkout", **spec: Any) -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load(MANIFEST.format(low=1, high=60, per_replica=10))
    made["metadata"]["name"] = name
    made["spec"] |= {**spec, **({} if shadow is None else {"shadow": shadow})}
    return made


def write(folder: Path, *manifests: dict[str, Any]) -> None:
    (folder / "p.yaml").write_text(yaml.safe_dump_all(manifests))


def test_the_shadow_is_merged_and_gone_and_the_diff_is_told(folder: Path, autoscaler: Autoscaler) -> None:
    write(folder, manifest(forecast={"timeZone": "Europe/Berlin", "quantile": "0.95"}))
    ended = autoscaler("promote p.yaml")
    assert ended.code == 0
    after = manifest(None, forecast={"timeZone": "Europe/Berlin", "quantile": "0.5"}, minReplicas=2)
    assert yaml.safe_load(ended.out) == after
    assert "-  minReplicas: 1\n" in ended.err and "+  minReplicas: 2\n" in ended.err
    assert "+    quantile: '0.5'\n" in ended.err or '+    quantile: "0.5"\n' in ended.err


def test_what_is_printed_can_be_applied(folder: Path, autoscaler: Autoscaler) -> None:
    write(folder, manifest())
    (folder / "after.yaml").write_text(autoscaler("promote p.yaml").out)
    assert autoscaler("check after.yaml").code == 0
    ended = autoscaler("promote after.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "autoscaler: after.yaml: no policy in it has a shadow: there is nothing to promote\n"


def test_a_null_takes_nothing_away(folder: Path, autoscaler: Autoscaler) -> None:
    write(folder, manifest({"name": "b", "policy": {"minReplicas": 3, "pendingCap": None}}, pendingCap=7))
    spec = yaml.safe_load(autoscaler("promote p.yaml").out)["spec"]
    assert (spec["minReplicas"], spec["pendingCap"]) == (3, 7)


def test_lists_are_replaced_whole_and_the_rest_of_a_section_stays(
    folder: Path, autoscaler: Autoscaler
) -> None:
    rate = {"type": "Pods", "value": 1, "periodSeconds": 60}
    own = {"scaleUp": {"policies": [rate, {**rate, "value": 5}], "selectPolicy": "Min"}, "scaleDown": {}}
    other = {"scaleUp": {"policies": [{**rate, "value": 9}]}}
    write(folder, manifest({"name": "b", "policy": {"behavior": other}}, behavior=own))
    behavior = yaml.safe_load(autoscaler("promote p.yaml").out)["spec"]["behavior"]
    assert behavior["scaleUp"] == {"policies": [{**rate, "value": 9}], "selectPolicy": "Min"}


def test_other_policies_of_the_file_stay_as_they_are(folder: Path, autoscaler: Autoscaler) -> None:
    write(folder, manifest(None, "first"), manifest(name="second"))
    first, second = yaml.safe_load_all(autoscaler("promote p.yaml").out)
    assert first == manifest(None, "first")
    assert second["spec"]["minReplicas"] == 2 and "shadow" not in second["spec"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("promote p.yaml --dry-run", "'p.yaml' is a file; --kubeconfig, --context and --dry-run are about"),
        ("promote gone.yaml", "gone.yaml: no such file"),
        ("promote shop/web --kubeconfig gone", "shop/web: "),
    ],
)
def test_what_cannot_be_promoted_is_said_in_one_line(
    folder: Path, autoscaler: Autoscaler, line: str, told: str
) -> None:
    write(folder, manifest())
    ended = autoscaler(line)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"autoscaler: {told}") and ended.err.count("\n") == 1


def test_a_backtest_runs_the_shadow_beside_its_policy(folder: Path, autoscaler: Autoscaler) -> None:
    write(folder, manifest({"name": "wide", "policy": {"minReplicas": 30}}))
    assert autoscaler("backtest good.csv --policy p.yaml --baselines none --json r.json --quiet").code == 0
    found = json.loads((folder / "r.json").read_text())["traces"][0]["policies"]
    assert [one["policy"] for one in found] == ["checkout", "checkout/wide"]
    plain, wide = (one["scores"]["replica_hours"] for one in found)
    assert wide > plain


def test_a_stated_capacity_and_a_shadow_that_plans_with_another_exclude_each_other(
    folder: Path, autoscaler: Autoscaler
) -> None:
    write(folder, manifest({"name": "tight", "policy": {"load": {"perReplica": 12}}}))
    ended = autoscaler("backtest good.csv --policy p.yaml --per-replica 5 --quiet")
    assert ended.code == 2
    assert "checkout: its shadow plans with another load.perReplica" in ended.err
    assert autoscaler("backtest good.csv --policy p.yaml --baselines none --quiet").code == 0
