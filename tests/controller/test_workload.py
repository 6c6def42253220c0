"""A resource as the cluster holds it, whatever somebody wrote into it."""

from __future__ import annotations

import pytest
from workload_making import NOW_S, resource_item, workload

from autoscaler.controller.acting.rivals import Rivals
from autoscaler.controller.catalog import Catalog, slot_of
from autoscaler.controller.observing.workload import Workload, parse_status, parse_workload, superseding
from autoscaler.spec import PredictiveAutoscaler

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
INVALID = {"maxReplicas": 0}


def test_a_valid_resource_is_compiled_once_it_is_read() -> None:
    found = workload(mode="ScaleOutOnly")
    assert (found.key, found.problem, found.created_s) == ("shop/web", "", NOW_S - 86_400.0)
    assert found.spec is not None and found.policy is not None
    assert found.policy.mode == found.spec.mode == "ScaleOutOnly"


def test_an_invalid_spec_is_a_problem_in_words_and_no_exception() -> None:
    found = workload(**INVALID, unheardOf=1)
    assert found.spec is None and found.policy is None
    assert "spec.maxReplicas" in found.problem and "spec.unheardOf" in found.problem


def test_of_many_problems_the_first_five_are_told() -> None:
    found = workload(**{f"unknown{n}": n for n in range(9)})
    assert found.problem.endswith("; and 4 more")


def test_the_last_valid_spec_stays_in_force_while_a_newer_one_is_invalid() -> None:
    before, after = workload(maxReplicas=7), workload(generation=2, **INVALID)
    kept = superseding(before, after)
    assert kept.policy == before.policy and kept.spec == before.spec
    assert kept.problem == after.problem and kept.generation == 2
    again = superseding(kept, workload(generation=3, **INVALID))
    assert again.policy == before.policy, "and goes on to"
    assert superseding(again, workload(generation=4, maxReplicas=9)).problem == ""


def test_a_resource_made_anew_under_the_same_name_inherits_nothing() -> None:
    anew = workload(uid="another", **INVALID)
    assert superseding(workload(), anew) is anew
    assert superseding(None, anew) is anew


@pytest.mark.parametrize("status", [None, {}, {"load": 3}, {"conditions": "all well"}, "none", {"ready": -1}])
def test_a_status_that_cannot_be_read_is_as_good_as_none(status: object) -> None:
    assert parse_status(status) is None


def test_a_status_of_a_later_version_can_still_be_read() -> None:
    found = parse_status({"load": "12", "invented": {"later": 1}})
    assert found is not None and found.load == "12"


def catalog() -> Catalog:
    return Catalog(5, Rivals())


def take(into: Catalog, item: dict[str, object] | None, key: str = "shop/web") -> Workload | None:
    """What a watch does with one object."""
    after = None if item is None else into.parse(item)
    into.change(key, into.get(key), after)
    return into.get(key)


def test_a_spec_that_has_not_changed_is_not_looked_at_again() -> None:
    known = catalog()
    first = take(known, resource_item())
    second = take(known, resource_item(version="2", status={"load": "3"}, annotations={"a": "b"}))
    assert first is not None and second is not None
    assert second.resource is first.resource and second.policy is first.policy
    assert second.resource_version == "2" and second.annotations == {"a": "b"}
    assert second.status is not None and second.status.load == "3"


def test_the_manifest_is_what_somebody_wrote_and_nothing_that_the_cluster_added() -> None:
    item = resource_item(annotations={"team": "shop", APPLIED: "{}"}, status={"load": "3"}, maxReplicas=7)
    item["metadata"] |= {"labels": {"app": "web"}, "managedFields": [], "selfLink": "/x"}
    found = parse_workload(item)
    assert found.labels == {"app": "web"}
    assert found.manifest == {
        "apiVersion": "predictive-autoscaler.dev/v1alpha1",
        "kind": "PredictiveAutoscaler",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "labels": {"app": "web"},
            "annotations": {"team": "shop"},
        },
        "spec": item["spec"],
    }
    assert PredictiveAutoscaler.model_validate(found.manifest).spec.max_replicas == 7


def test_the_manifest_of_an_invalid_spec_is_as_it_was_written_too() -> None:
    kept = superseding(workload(), workload(generation=2, **INVALID))
    assert kept.manifest["spec"]["maxReplicas"] == 0
    assert "labels" not in kept.manifest["metadata"] and "annotations" not in kept.manifest["metadata"]


def test_labels_that_change_alone_are_taken_over() -> None:
    known = catalog()
    take(known, resource_item())
    item = resource_item(version="2")
    item["metadata"]["labels"] = {"team": "shop"}
    after = take(known, item)
    assert after is not None and after.labels == after.manifest["metadata"]["labels"] == {"team": "shop"}


@pytest.mark.parametrize("change", [{"generation": 2}, {"uid": "another"}])
def test_a_spec_that_may_have_changed_is(change: dict[str, object]) -> None:
    known = catalog()
    take(known, resource_item())
    after = take(known, resource_item(**change, maxReplicas=7))  # type: ignore[arg-type]  # fields by name
    assert after is not None and after.policy is not None and after.policy.max_replicas == 7


def test_an_invalid_spec_is_looked_at_again_and_the_last_valid_one_kept() -> None:
    known = catalog()
    first = take(known, resource_item())
    for version in ("2", "3"):
        after = take(known, resource_item(generation=2, version=version, **INVALID))
        assert first is not None and after is not None
        assert after.policy == first.policy and after.problem


def test_deletion_is_noticed_although_the_spec_is_the_same() -> None:
    known = catalog()
    take(known, resource_item())
    after = take(known, resource_item(deleting=True))
    assert after is not None and after.deleting


def test_every_resource_is_due_once_a_period() -> None:
    known = with_resources(50)
    for slot in range(5):
        known.due(slot)
    turns = [{one.key for one in known.due(slot)} for slot in range(5)]
    assert sum(len(turn) for turn in turns) == len(set().union(*turns)) == 50


def with_resources(count: int) -> Catalog:
    """A catalog that has just been told of so many."""
    known = catalog()
    for n in range(count):
        take(known, resource_item(f"web{n}", uid=f"u{n}"), f"shop/web{n}")
    return known


def test_a_handful_that_is_new_is_due_at_once() -> None:
    assert len(with_resources(10).due(0)) == 10


def test_after_a_restart_the_first_round_is_spread_over_the_period() -> None:
    known = with_resources(1000)
    turns = [{one.key for one in known.due(slot)} for slot in range(5)]
    assert max(len(turn) for turn in turns) < 1.6 * 1000 / 5
    assert len(set().union(*turns)) == 1000, "none waits for longer than a period"
    assert sum(len(turn) for turn in turns) <= 1000 + 5 * 10
    settled = [{one.key for one in known.due(slot)} for slot in range(5)]
    assert sum(len(turn) for turn in settled) == 1000, "nor is one due once more for being new"


@pytest.mark.parametrize("slots", [1, 5, 15])
def test_a_thousand_resources_spread_over_the_slots(slots: int) -> None:
    counts = [0] * slots
    for n in range(1000):
        counts[slot_of(f"0b3c6f6e-{n:04x}-4b8e-9d2a-{n * 7919:012x}", slots)] += 1
    assert max(counts) < 1.6 * 1000 / slots


@pytest.mark.parametrize(
    ("change", "soon"),
    [
        ({"generation": 2, "maxReplicas": 7}, True),
        ({"annotations": {"predictive-autoscaler.dev/override": "3"}}, True),
        ({"uid": "another"}, True),
        ({"version": "2"}, False),
        ({"version": "2", "status": {"load": "3"}}, False),  # or our own status would keep us busy
    ],
)
def test_a_resource_is_due_soon_when_what_it_asks_for_has_changed(
    change: dict[str, object], soon: bool
) -> None:
    known = catalog()
    take(known, resource_item())
    own = slot_of("uid-of-web", 5)
    for slot in range(5):
        known.due(slot)
    after = take(known, resource_item(**change))  # type: ignore[arg-type]  # fields by name
    assert after is not None
    others = [slot for slot in range(5) if slot not in (own, slot_of(after.uid, 5))]
    assert [one.key for one in known.due(others[0])] == (["shop/web"] if soon else [])
    assert known.due(others[0]) == []


def test_a_resource_that_is_gone_is_forgotten_and_told_of() -> None:
    known, gone = catalog(), list[str]()
    known.on_gone = gone.append
    take(known, resource_item())
    take(known, None)
    assert (len(known), gone, known.due(0), known.get("shop/web")) == (0, ["shop/web"], [], None)
