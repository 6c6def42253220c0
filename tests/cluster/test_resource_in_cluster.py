"""The resource as the API server knows it: what is taken, what is refused in which words, what is shown."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from control_plane import ControlPlane
from custom_kinds import install_ours
from operator_process import Resources

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "spec"))
from resource_cases import FIELDS, MINIMAL, RULES, Bad, resource

from autoscaler.controller.telling.status import document
from autoscaler.spec.resource import PredictiveAutoscaler
from autoscaler.spec.status import (
    Capacity,
    Condition,
    LastScale,
    LeadTime,
    ObjectiveStatus,
    Override,
    ShadowStatus,
    SpendToday,
    Status,
)

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

_SAMPLES = sorted((Path(__file__).resolve().parents[2] / "operator" / "samples").glob("*.yaml"))
_NOW = "2026-11-27T18:00:00Z"


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> ControlPlane:
    install_ours(control_plane)
    return control_plane


def _path(namespace: str) -> str:
    return f"/apis/predictive-autoscaler.dev/v1alpha1/namespaces/{namespace}/predictiveautoscalers"


def _submitted(plane: ControlPlane, body: dict[str, Any]) -> requests.Response:
    """The answer to a creation as kubectl asks for it, which is not carried out."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            f"{plane.url}{_path('default')}",
            params={"dryRun": "All", "fieldValidation": "Strict"},
            headers={"Authorization": f"Bearer {plane.admin_token}"},
            json=body,
            verify=str(plane.ca_file),
            timeout=30,
        )


@pytest.mark.parametrize("sample", _SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_applied_and_applied_again(sample: Path, plane: ControlPlane, namespace: str) -> None:
    documents = [d for d in yaml.safe_load_all(sample.read_text()) if d]
    for one in documents:
        one["metadata"]["namespace"] = namespace
    text = yaml.safe_dump_all(documents)
    first = plane.kubectl("apply", "--server-side", "--validate=strict", "--filename", "-", input=text)
    assert first.count("serverside-applied") == len(documents)
    versions = [item["metadata"]["resourceVersion"] for item in _all(plane, namespace)]
    plane.kubectl("apply", "--server-side", "--validate=strict", "--filename", "-", input=text)
    assert [item["metadata"]["resourceVersion"] for item in _all(plane, namespace)] == versions


def _all(plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plane.request("GET", _path(namespace))["items"]
    return found


@pytest.mark.parametrize(
    "written",
    [MINIMAL, *(yaml.safe_load(sample.read_text()) for sample in _SAMPLES)],
    ids=["smallest", *(sample.stem for sample in _SAMPLES)],
)
def test_what_is_stored_means_what_was_written_and_shows_its_defaults(
    written: dict[str, Any], plane: ControlPlane
) -> None:
    body = {**written, "metadata": {"name": written["metadata"]["name"]}}
    answer = _submitted(plane, body)
    assert answer.status_code == 201, answer.text
    stored = answer.json()
    spec = stored["spec"]
    assert spec["mode"] == written["spec"].get("mode", "Recommend")
    assert spec["forecast"]["model"] and spec["load"]["maxAge"] and spec["scaleTargetRef"]["apiVersion"]
    assert PredictiveAutoscaler.model_validate(_ours(stored)).spec == (
        PredictiveAutoscaler.model_validate(body).spec
    )


def _ours(stored: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stored.items() if name != "status"}


@pytest.mark.parametrize(
    "fault", [f for f in FIELDS if not f.only_here], ids=lambda fault: f"{fault.path}: {fault.message[:40]}"
)
def test_a_bad_field_is_refused_by_name(fault: Bad, plane: ControlPlane) -> None:
    answer = _submitted(plane, resource(**fault.change))
    assert answer.status_code in (400, 422), answer.text
    # A field that is missing or of the wrong kind in a list may be named by its parent.
    last = re.split(r"[.\[]", fault.path.rstrip("]"))[-1]
    parent = fault.path.rpartition(".")[2].partition("[")[0]
    assert last in answer.json()["message"] or parent in answer.json()["message"]


@pytest.mark.parametrize("fault", RULES, ids=lambda fault: f"{fault.path}: {fault.message[:40]}")
def test_a_broken_rule_is_refused_in_our_words(fault: Bad, plane: ControlPlane) -> None:
    answer = _submitted(plane, resource(**fault.change))
    assert answer.status_code == 422, answer.text
    assert fault.message in answer.json()["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"minReplicas": 30, "maxReplicas": 20}, "minReplicas must not be greater than maxReplicas"),
        ({"maxReplicas": 0}, "greater than or equal to 1"),
        ({"minReplicas": -1}, "greater than or equal to 0"),
        ({"maxReplicas": 2**31}, "less than or equal to 2147483647"),
        ({"maxReplicas": 2.5}, "must be of type integer"),
        ({"load__perReplica": 0}, "perReplica must be more than zero"),
        ({"load__perReplica": "10 requests"}, "should match"),
        ({"signals": [{"type": "CPU", "targetUtilization": 0}]}, "greater than or equal to 1"),
        ({"cooldown__scaleDown": "5 minutes"}, "should match"),
    ],
    ids=["min>max", "max 0", "min negative", "2^31", "fraction", "target 0", "unit", "cpu 0", "duration"],
)
def test_counts_and_targets_that_make_no_sense_are_refused(
    change: dict[str, Any], words: str, plane: ControlPlane
) -> None:
    answer = _submitted(plane, resource(**change))
    assert answer.status_code == 422
    assert words in answer.json()["message"], answer.json()["message"]


def _full_status() -> Status:
    """A status with everything in it."""
    kinds = "Ready ScalingActive ForecastReady SignalsHealthy SpendLimited Conflict Paused CapacityAgrees "
    kinds += "ObjectiveKept DecisionsKept ShadowCompared ShadowWon ShadowActing"
    conditions = tuple(
        Condition(
            type=kind,
            status="True",
            observed_generation=3,
            last_transition_time=_NOW,
            reason="Because",
            message="m" * 32_768 if kind == "Ready" else "In words.",
        )
        for kind in kinds.split()
    )
    return Status(
        observed_generation=3,
        conditions=conditions,
        load="1.2k",
        forecast="1.5k",
        forecast_summary="s" * 1024,
        model="auto",
        ready=0,
        current=4,
        desired=2_147_483_647,
        reason="AsWished",
        decision="Keep 4.",
        last_decision_time=_NOW,
        last_scale=LastScale(time=_NOW, before=0, after=4),
        lead_time=LeadTime(seconds=180, source="Measured", samples=7, newest_sample_time=_NOW),
        capacity=Capacity(configured="10", observed="12.5", hours=7),
        spend=SpendToday(time=_NOW, today="1.50", month="22.00", daily_budget="60"),
        objective=ObjectiveStatus(
            quantile="0.995",
            headroom="1.2",
            correction=-2,
            promised="0.04 % unserved",
            observed="0.03 % unserved",
            left="70 %",
            message="m" * 1024,
        ),
        override=Override(replicas=6, until=_NOW),
        shadow=ShadowStatus(
            name="bolder",
            since=_NOW,
            stage="GivenUp",
            stage_time=_NOW,
            counted_seconds=30 * 86_400,
            cost_ratio="0.874",
            own_unserved="0.0002",
            shadow_unserved="0.0003",
            actual_unserved="0",
            verdict="v" * 1024,
            record="r" * 4096,
        ),
    )


def test_no_part_of_a_status_is_refused_or_dropped(plane: ControlPlane, namespace: str) -> None:
    full = _full_status()
    assert all(getattr(full, name) is not None for name in Status.model_fields)
    Resources(plane, namespace).create("web")
    written = document(full)
    body = [{"op": "add", "path": "/status", "value": written}]
    path = f"{_path(namespace)}/web/status?fieldValidation=Strict"
    stored = plane.request("PATCH", path, body, "application/json-patch+json")
    assert stored["status"] == written
    assert Status.model_validate(stored["status"]) == full


def test_columns_fit_a_terminal_and_say_what_people_ask_for(plane: ControlPlane, namespace: str) -> None:
    Resources(plane, namespace).create("checkout", maxReplicas=60)
    status = {
        "load": "1.23k",
        "forecast": "1.61k",
        "ready": 12,
        "desired": 14,
        "reason": "ScaleDownStabilized",
        "model": "sharpened",
        "leadTime": {"seconds": 95, "source": "Measured"},
        "spend": {"time": _NOW, "today": "31.20", "month": "801.44"},
        "decision": "Scale out from 12 to 14: 14 for the present load of 1.23k.",
    }
    body = [{"op": "add", "path": "/status", "value": status}]
    plane.request("PATCH", f"{_path(namespace)}/checkout/status", body, "application/json-patch+json")
    header, row = plane.kubectl("get", "pa", "--namespace", namespace).splitlines()
    assert header.split() == [
        "NAME",
        "TARGET",
        "MODE",
        "LOAD",
        "FORECAST",
        "READY",
        "DESIRED",
        "REASON",
        "AGE",
    ]
    assert row.split()[:-1] == [
        "checkout",
        "checkout",
        "Active",
        "1.23k",
        "1.61k",
        "12",
        "14",
        "ScaleDownStabilized",
    ]
    assert max(len(header), len(row)) <= 100
    header, row = plane.kubectl("get", "pa", "--namespace", namespace, "--output", "wide").splitlines()
    assert header.split()[9:] == ["KIND", "MIN", "MAX", "MODEL", "LEAD", "SPENT", "DECISION"]
    assert row.split(maxsplit=15)[9:] == [
        "Deployment",
        "1",
        "60",
        "sharpened",
        "95",
        "31.20",
        status["decision"],
    ]
    found = plane.kubectl("get", "predictiveautoscaler", "--namespace", namespace, "--output", "name")
    assert found.strip() == "predictiveautoscaler.predictive-autoscaler.dev/checkout"


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("pa.spec", ("scaleTargetRef", "maxReplicas", "-required-")),
        ("pa.spec.load", ("query", "perReplica", "PromQL", "-required-")),
        ("pa.spec.signals", ("targetUtilization", "drainWithin", "threshold")),
        ("pa.spec.mode", ("Recommend", "ScaleOutOnly")),
        ("pa.status.conditions", ("lastTransitionTime", "reason", "message")),
    ],
)
def test_kubectl_explains_every_part(field: str, words: tuple[str, ...], plane: ControlPlane) -> None:
    told = plane.kubectl("explain", field)
    assert [word for word in words if word not in told] == []


def test_every_way_to_change_one_leaves_what_was_asked_for(plane: ControlPlane, namespace: str) -> None:
    Resources(plane, namespace).create("web")
    where = ("--namespace", namespace)

    def spec() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(plane.kubectl("get", "pa", "web", *where, "--output", "json"))
        return dict(found["spec"])

    before = spec()
    plane.kubectl("patch", "pa", "web", *where, "--type=merge", "--patch", '{"spec":{"mode":"Paused"}}')
    assert spec() == {**before, "mode": "Paused"}
    operation = '[{"op":"replace","path":"/spec/mode","value":"Active"}]'
    plane.kubectl("patch", "pa", "web", *where, "--type=json", "--patch", operation)
    assert spec() == before
    plane.kubectl("patch", "pa", "web", *where, "--type=merge", "--patch", '{"spec":{"manualGrace":null}}')
    assert spec() == before, "a default is filled in again"
    refused = plane.kubectl(
        "patch", "pa", "web", *where, "--type=merge", "--patch", '{"spec":{"minReplicas":99}}', check=False
    )
    assert "minReplicas must not be greater than maxReplicas" in refused
    assert spec() == before
