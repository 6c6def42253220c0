"""Who else scales a target, and who does not although it seems so."""

from __future__ import annotations

from typing import Any

import pytest
from workload_making import NOW_S, workload

from autoscaler.controller.acting.dials import ORIGINAL, RAISED_BY
from autoscaler.controller.acting.rivals import Rivals, Scaler, parse_hpa, parse_scaled_object


def hpa(name: str = "web", *, target: dict[str, Any] | None = None, **metadata: Any) -> Scaler:
    wanted = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"} if target is None else target
    return parse_hpa(
        {
            "metadata": {"name": name, "namespace": "shop", **metadata},
            "spec": {"scaleTargetRef": wanted},
        }
    )


def scaled_object(name: str = "web", **target: Any) -> Scaler:
    return parse_scaled_object(
        {
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"scaleTargetRef": {"name": "web", **target}},
        }
    )


def kedas_own(of: str = "web") -> Scaler:
    return hpa(f"keda-hpa-{of}", ownerReferences=[{"kind": "ScaledObject", "name": of}])


def rivals(*scalers: Scaler) -> Rivals:
    known = Rivals()
    for scaler in scalers:
        known.change_scaler(f"{scaler.namespace}/{scaler.name}", None, scaler)
    return known


FLOOR_HPA = {"kind": "HorizontalPodAutoscaler", "name": "web"}
FLOOR_KEDA = {"kind": "ScaledObject", "name": "web"}


@pytest.mark.parametrize(
    ("scalers", "floor", "named"),
    [
        ((), None, ""),
        ((hpa(),), None, "HorizontalPodAutoscaler web"),
        ((hpa(target={"apiVersion": "apps/v1beta2", "kind": "Deployment", "name": "web"}),), None,
         "HorizontalPodAutoscaler web"),  # the same group in another version
        ((hpa(target={"apiVersion": "acme.io/v1", "kind": "Deployment", "name": "web"}),), None, ""),
        ((hpa(target={"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web"}),), None, ""),
        ((hpa(target={"apiVersion": "apps/v1", "kind": "Deployment", "name": "db"}),), None, ""),
        ((hpa(target={}),), None, ""),
        ((scaled_object(),), None, "ScaledObject web"),  # KEDA's defaults: apps/v1 Deployment
        ((scaled_object(kind="StatefulSet"),), None, ""),
        ((kedas_own(), scaled_object()), None, "ScaledObject web"),  # what a person knows
        ((kedas_own(),), None, "HorizontalPodAutoscaler keda-hpa-web"),
        ((hpa(),), FLOOR_HPA, ""),  # its floor is what we raise
        ((scaled_object(), kedas_own()), FLOOR_KEDA, ""),
        ((hpa(), scaled_object(), kedas_own()), FLOOR_KEDA, "HorizontalPodAutoscaler web"),
        ((hpa("other"),), FLOOR_HPA, "HorizontalPodAutoscaler other"),
        ((kedas_own("other"),), FLOOR_KEDA, "HorizontalPodAutoscaler keda-hpa-other"),
    ],
)  # fmt: skip
def test_another_autoscaler_of_the_same_target_is_a_rival(
    scalers: tuple[Scaler, ...], floor: dict[str, str] | None, named: str
) -> None:
    ours = workload(scaleTargetRef={"kind": "Deployment", "name": "web"}, floor=floor)
    assert rivals(*scalers).of(ours) == named
    elsewhere = workload(namespace="bank", scaleTargetRef={"kind": "Deployment", "name": "web"})
    assert rivals(*scalers).of(elsewhere) == "", "another namespace is another target"


def test_a_rival_that_goes_or_turns_elsewhere_is_none() -> None:
    known, ours = rivals(hpa()), workload()
    turned = hpa(target={"apiVersion": "apps/v1", "kind": "Deployment", "name": "db"})
    known.change_scaler("shop/web", hpa(), turned)
    assert known.of(ours) == ""
    known.change_scaler("shop/web", turned, hpa())
    assert known.of(ours) == "HorizontalPodAutoscaler web"
    known.change_scaler("shop/web", hpa(), None)
    assert known.of(ours) == ""
    assert not known._scalers, "nothing is kept of what is gone"


TARGET = {"kind": "Deployment", "name": "web"}


@pytest.mark.parametrize(
    ("mode", "created_s", "named"),
    [
        ("Active", NOW_S - 10.0, "PredictiveAutoscaler first"),
        ("ScaleOutOnly", NOW_S - 10.0, "PredictiveAutoscaler first"),
        ("Recommend", NOW_S - 10.0, ""),
        ("Paused", NOW_S - 10.0, ""),
        ("Active", NOW_S + 10.0, ""),  # younger: that one gives way
        ("Active", NOW_S, "PredictiveAutoscaler first"),  # as old: the first by name writes
    ],
)
def test_of_several_of_our_own_the_oldest_that_writes_does(mode: str, created_s: float, named: str) -> None:
    known = Rivals()
    ours = workload("second", created_s=NOW_S, scaleTargetRef=TARGET)
    other = workload("first", created_s=created_s, mode=mode, scaleTargetRef=TARGET)
    known.change_workload(None, ours)
    known.change_workload(None, other)
    assert known.of(ours) == named
    writing = [one for one in (ours, other) if one.spec.mode in ("Active", "ScaleOutOnly")]  # type: ignore[union-attr]  # both are valid
    assert sum(known.of(one) == "" for one in writing) == 1, "exactly one writes"


def test_a_resource_that_turns_to_another_target_frees_the_first() -> None:
    known = Rivals()
    ours = workload("second", created_s=NOW_S, scaleTargetRef=TARGET)
    before = workload("first", scaleTargetRef=TARGET)
    after = workload("first", scaleTargetRef={"kind": "Deployment", "name": "db"})
    known.change_workload(None, ours)
    known.change_workload(None, before)
    known.change_workload(before, after)
    assert known.of(ours) == ""
    known.change_workload(after, None)
    known.change_workload(ours, None)
    assert not known._ours, "nothing is kept of what is gone"


def test_autoscalers_whose_minimum_we_raised_are_found_by_our_note() -> None:
    raised = hpa("raised", annotations={ORIGINAL: "2", RAISED_BY: "web", "team": "a"})
    known = rivals(raised, hpa("plain", annotations={"team": "a"}))
    assert known.raised() == [raised]
    assert raised.raised == {ORIGINAL: "2", RAISED_BY: "web"}
