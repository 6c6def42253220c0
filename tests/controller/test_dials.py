"""What is written, and under which conditions."""

from __future__ import annotations

from typing import Any

import pytest
from stub_api import StubApi, hpa_path, scale_path

from autoscaler.controller.acting.dials import (
    ORIGINAL,
    RAISED_BY,
    Dial,
    FloorDial,
    ScaleDial,
    ScalesSomethingElse,
    Setting,
    dial_for,
    original_minimum,
)
from autoscaler.controller.acting.faults import fault_of
from autoscaler.controller.cluster.discovery import Discovery, NotScalable, UnknownKind
from autoscaler.controller.cluster.errors import Conflict, NotFound
from autoscaler.spec.resource import Floor, TargetRef

KEDA_PATH = "/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects/web"
SCALED = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
TARGET = TargetRef.model_validate({"kind": "Deployment", "name": "web"})


def dial(api: StubApi, floor: str = "") -> Dial:
    named = Floor.model_validate({"kind": floor, "name": "web"}) if floor else None
    return dial_for(api.cluster, Discovery(api.cluster), "shop", "web-pa", TARGET, named)


def hpa(api: StubApi, spec: dict[str, Any], annotations: dict[str, str] | None = None) -> dict[str, Any]:
    api.put_scale(replicas=9)
    metadata: dict[str, Any] = {"uid": "the-hpa"}
    if annotations is not None:
        metadata["annotations"] = annotations
    api.put(hpa_path(), {"metadata": metadata, "spec": {"scaleTargetRef": SCALED, **spec}})
    return api.objects[hpa_path()]


def test_the_count_is_what_was_last_asked_for_and_never_the_pods_there_are() -> None:
    api = StubApi()
    api.put_scale(replicas=3)
    api.objects[scale_path()]["status"]["replicas"] = 5
    assert dial(api).read(1.0) == Setting("target-web", "101", 3, "app=web")


def test_a_count_of_zero_and_a_missing_selector_are_read_as_such() -> None:
    api = StubApi()
    api.put(scale_path(), {"metadata": {"uid": "u"}, "spec": {}})
    assert dial(api).read(1.0) == Setting("u", "101", 0, "")


def test_a_write_names_the_object_and_the_version_that_was_read() -> None:
    api = StubApi()
    api.put_scale(replicas=3)
    turned = dial(api)
    turned.write(turned.read(1.0), 5, 1.0)
    assert api.patches[0].body == {
        "metadata": {"uid": "target-web", "resourceVersion": "101"},
        "spec": {"replicas": 5},
    }
    assert api.replicas() == 5


@pytest.mark.parametrize("change", ["touched", "recreated"])
def test_a_write_over_a_change_is_refused(change: str) -> None:
    api = StubApi()
    api.put_scale(replicas=3)
    turned = dial(api)
    seen = turned.read(1.0)
    api.put_scale(replicas=3, uid="another" if change == "recreated" else "")
    with pytest.raises(Conflict):
        turned.write(seen, 5, 1.0)
    assert api.replicas() == 3


@pytest.mark.parametrize(
    ("kind", "version", "error"),
    [("Deployment", "apps/v2", UnknownKind), ("Job", "apps/v1", UnknownKind),
     ("HorizontalPodAutoscaler", "autoscaling/v2", NotScalable)],
)  # fmt: skip
def test_what_cannot_be_scaled_is_told_apart(kind: str, version: str, error: type[Exception]) -> None:
    target = TargetRef.model_validate({"apiVersion": version, "kind": kind, "name": "web"})
    api = StubApi()
    with pytest.raises(error):
        dial_for(api.cluster, Discovery(api.cluster), "shop", "web-pa", target, None)


@pytest.mark.parametrize(
    ("spec", "annotations", "replicas", "least", "most"),
    [
        ({"minReplicas": 2, "maxReplicas": 9}, None, 2, 2, 9),
        ({"maxReplicas": 9}, {}, 1, 1, 9),  # the API's own default
        ({"minReplicas": 6, "maxReplicas": 9}, {ORIGINAL: "2"}, 6, 2, 9),
        ({"minReplicas": 1, "maxReplicas": 9}, {ORIGINAL: "2"}, 1, 1, 9),  # lowered by hand since
    ],
)
def test_a_floor_knows_the_minimum_from_before_it_was_raised(
    spec: dict[str, int], annotations: dict[str, str] | None, replicas: int, least: int, most: int
) -> None:
    api = StubApi()
    hpa(api, spec, annotations)
    found = dial(api, "HorizontalPodAutoscaler").read(1.0)
    assert (found.uid, found.selector) == ("the-hpa", "app=web")
    assert (found.replicas, found.least, found.most) == (replicas, least, most)


def test_kedas_bounds_have_names_and_defaults_of_their_own() -> None:
    api = StubApi()
    api.put_scale()
    api.put(KEDA_PATH, {"metadata": {"uid": "u"}, "spec": {"scaleTargetRef": {"name": "web"}}})
    turned = dial(api, "ScaledObject")
    found = turned.read(1.0)
    assert (found.replicas, found.least, found.most) == (0, 0, 100)
    turned.write(found, 4, 1.0)
    assert api.objects[KEDA_PATH]["spec"] == {"scaleTargetRef": {"name": "web"}, "minReplicaCount": 4}
    assert api.objects[KEDA_PATH]["metadata"]["annotations"] == {ORIGINAL: "0", RAISED_BY: "web-pa"}


def test_a_raised_minimum_notes_what_it_was_and_putting_it_back_takes_the_note_away() -> None:
    api = StubApi()
    hpa(api, {"minReplicas": 2, "maxReplicas": 9}, {"team": "a"})
    turned = dial(api, "HorizontalPodAutoscaler")
    for count, notes in (
        (5, {ORIGINAL: "2", RAISED_BY: "web-pa"}),
        (7, {ORIGINAL: "2", RAISED_BY: "web-pa"}),
        (2, {}),
    ):
        turned.write(turned.read(1.0), count, 1.0)
        written = api.objects[hpa_path()]
        assert written["spec"] == {"scaleTargetRef": SCALED, "minReplicas": count, "maxReplicas": 9}
        assert written["metadata"]["annotations"] == {"team": "a", **notes}
    assert {request.path for request in api.patches} == {hpa_path()}, (
        "the target's own scale is never written"
    )


def test_a_floor_without_its_autoscaler_cannot_be_read() -> None:
    api = StubApi()
    api.put_scale()
    with pytest.raises(NotFound):
        dial(api, "HorizontalPodAutoscaler").read(1.0)


@pytest.mark.parametrize(
    ("floor", "scaled", "named"),
    [
        ("HorizontalPodAutoscaler", {**SCALED, "name": "cart"}, "Deployment.apps cart"),
        ("HorizontalPodAutoscaler", {**SCALED, "kind": "StatefulSet"}, "StatefulSet.apps web"),
        ("HorizontalPodAutoscaler", {**SCALED, "apiVersion": "argoproj.io/v1"}, "Deployment.argoproj.io web"),
        ("ScaledObject", {"name": "cart"}, "Deployment.apps cart"),
        ("ScaledObject", {"kind": "StatefulSet", "name": "web"}, "StatefulSet.apps web"),
    ],
)
def test_the_minimum_of_an_autoscaler_of_something_else_is_left_alone(
    floor: str, scaled: dict[str, str], named: str
) -> None:
    api = StubApi()
    api.put_scale(replicas=9)
    path = KEDA_PATH if floor == "ScaledObject" else hpa_path()
    api.put(path, {"metadata": {"uid": "u"}, "spec": {"scaleTargetRef": scaled}})
    with pytest.raises(ScalesSomethingElse) as refused:
        dial(api, floor).read(1.0)
    fault = fault_of(refused.value, None)
    assert fault.reason == "FloorElsewhere"
    assert fault.message.startswith(f"{floor} web scales {named}, not Deployment.apps web;")


@pytest.mark.parametrize("version", ["apps/v1", "apps/v1beta1"])
def test_versions_of_one_group_are_the_same_target(version: str) -> None:
    api = StubApi()
    hpa(api, {"scaleTargetRef": {**SCALED, "apiVersion": version}, "minReplicas": 2, "maxReplicas": 9})
    assert dial(api, "HorizontalPodAutoscaler").read(1.0).replicas == 2


def test_the_right_dial_is_chosen() -> None:
    api = StubApi()
    assert isinstance(dial(api), ScaleDial)
    assert isinstance(dial(api, "ScaledObject"), FloorDial)


@pytest.mark.parametrize(
    ("noted", "now", "before"),
    [
        ("2", 6, 2),
        ("0", 6, 0),
        ("9", 6, 6),
        ("", 6, 6),
        ("-1", 6, 6),
        ("two", 6, 6),
        ("٢", 6, 6),
        ("1" * 11, 6, 6),
    ],
)
def test_a_note_that_makes_no_sense_is_no_minimum(noted: str, now: int, before: int) -> None:
    assert original_minimum({ORIGINAL: noted}, now) == before
