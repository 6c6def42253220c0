"""A raised minimum is put back once nobody keeps it raised, and never because of what is not seen."""

from __future__ import annotations

from typing import Any

import pytest
from stub_api import StubApi, forbidden, hpa_path
from workload_making import resource_item

from autoscaler.controller.acting.dials import ORIGINAL, RAISED_BY
from autoscaler.controller.acting.floors import abandoned, put_back
from autoscaler.controller.acting.rivals import Rivals, Scaler, parse_hpa
from autoscaler.controller.catalog import Catalog
from autoscaler.controller.cluster.discovery import Discovery

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
FLOOR = {"kind": "HorizontalPodAutoscaler", "name": "web"}
NOTES = {ORIGINAL: "2", RAISED_BY: "web"}


class Lease:
    def __init__(self, held: bool) -> None:
        self.held = held

    def holds(self, for_s: float = 0.0) -> bool:
        return self.held


def raised(api: StubApi, minimum: int = 6, annotations: dict[str, str] | None = None) -> Scaler:
    metadata = {"uid": "the-hpa", "annotations": NOTES if annotations is None else annotations}
    spec = {"minReplicas": minimum, "maxReplicas": 9}
    api.put(hpa_path(), {"metadata": metadata, "spec": spec})
    named = {"name": "web", "namespace": "shop"}
    written = api.objects[hpa_path()]["metadata"]
    return parse_hpa({"metadata": {**written, **named}, "spec": {"scaleTargetRef": TARGET}})


@pytest.mark.parametrize(
    ("changes", "is_abandoned"),
    [
        ({"floor": FLOOR}, False),
        ({"floor": FLOOR, "mode": "ScaleOutOnly"}, False),
        ({"floor": FLOOR, "mode": "Paused"}, False),  # changes nothing at all
        ({"floor": FLOOR, "mode": "Recommend"}, True),
        ({"floor": {**FLOOR, "name": "other"}}, True),
        ({}, True),
        ({"name": "other", "floor": FLOOR, "scaleTargetRef": TARGET}, False),
        ({"floor": FLOOR, "scaleTargetRef": {**TARGET, "name": "other"}}, True),
        ({"namespace": "bank", "floor": FLOOR}, True),
        ({"maxReplicas": 0}, False),  # who cannot be read is not known to have let go
        ({"name": "other", "maxReplicas": 0}, True),
        (None, True),
    ],
)
def test_a_minimum_is_abandoned_when_no_resource_keeps_it(
    changes: dict[str, Any] | None, is_abandoned: bool
) -> None:
    scaler, rivals = raised(StubApi()), Rivals()
    rivals.change_scaler("shop/web", None, scaler)
    catalog = Catalog(5, rivals)
    if changes is not None:
        found = catalog.parse(resource_item(**changes))
        catalog.change(found.key, None, found)
    assert abandoned(rivals, catalog) == ([scaler] if is_abandoned else [])


def test_putting_back_restores_the_minimum_and_takes_the_note_away() -> None:
    api = StubApi()
    scaler = raised(api)
    put_back(api.cluster, Discovery(api.cluster), scaler, Lease(True))
    found = api.objects[hpa_path()]
    assert found["spec"] == {"minReplicas": 2, "maxReplicas": 9}
    assert found["metadata"]["annotations"] == {}


def test_a_minimum_that_somebody_lowered_since_stays_lowered() -> None:
    api = StubApi()
    scaler = raised(api, minimum=1)
    put_back(api.cluster, Discovery(api.cluster), scaler, Lease(True))
    assert api.objects[hpa_path()]["spec"]["minReplicas"] == 1


def test_nothing_is_put_back_by_who_does_not_lead() -> None:
    api = StubApi()
    scaler = raised(api)
    put_back(api.cluster, Discovery(api.cluster), scaler, Lease(False))
    assert api.patches == []


def test_a_failure_is_left_for_the_next_time() -> None:
    api = StubApi(fault=lambda request: forbidden() if request.method == "PATCH" else None)
    scaler = raised(api)
    put_back(api.cluster, Discovery(api.cluster), scaler, Lease(True))
    assert api.objects[hpa_path()]["spec"]["minReplicas"] == 6
    del api.objects[hpa_path()]
    put_back(api.cluster, Discovery(api.cluster), scaler, Lease(True))
