"""A patch of a spec is applied as RFC 7396 says, and refused where `autoscaler check` would refuse."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from recorded_past import manifest

from autoscaler.api.whatif.manifest import changed, present
from autoscaler.spec import read_text
from autoscaler.spec.variation import SpecRefused, merged

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["0.5", "5m", "auto", "Active", "", "\ud800", "99999999999999999999"])
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    [
        "mode",
        "minReplicas",
        "maxReplicas",
        "load",
        "forecast",
        "signals",
        "behavior",
        "cooldown",
        "outage",
        "zones",
        "pendingCap",
        "manualGrace",
        "spend",
        "events",
        "floor",
        "scaleTargetRef",
        "nonsense",
    ]
)
PATCHES = st.dictionaries(_FIELDS, _JSON, max_size=4)


@pytest.mark.parametrize(
    ("target", "patch", "outcome"),
    [
        # Appendix A of RFC 7396, as far as target and patch are objects.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_the_examples_of_its_rfc_do(target: Any, patch: Any, outcome: Any) -> None:
    assert merged(target, patch) == outcome


def test_an_empty_patch_leaves_the_spec_as_it_is_written() -> None:
    as_is = present(manifest())
    assert changed(as_is, {}).manifest["spec"] == manifest()["spec"]


def test_nothing_that_was_handed_in_is_changed() -> None:
    before = manifest()
    kept = copy.deepcopy(before)
    changed(present(before), {"load": {"perReplica": 7}})
    assert before == kept


@pytest.mark.parametrize(
    ("patch", "field", "message"),
    [
        ({"minReplicas": 99}, "spec.minReplicas", "must not be greater than maxReplicas"),
        ({"maxReplicas": "80"}, "spec.maxReplicas", "remove the quotes"),
        ({"maxReplicas": None}, "spec.maxReplicas", "is required"),
        ({"forecast": {"quantile": 0.95}}, "spec.forecast.quantile", "must be a quantile"),
        ({"forecast": {"quantil": "0.9"}}, "spec.forecast.quantil", 'did you mean "quantile"'),
        ({"forecast": []}, "spec.forecast", "must be a mapping"),
        ({"cooldown": {"scaleDown": "soon"}}, "spec.cooldown.scaleDown", "must be a duration"),
        ({"load": {"query": "up"}}, "spec.load.query", "cannot be tried here"),
        ({"load": {"source": "other"}}, "spec.load.source", "cannot be tried here"),
        ({"scaleTargetRef": {"name": "cart"}}, "spec.scaleTargetRef", "cannot be tried here"),
        ({"mode": "\ud800"}, "patch", "is no plain JSON"),
    ],
)
def test_a_patch_that_cannot_be_tried_is_refused_with_the_field(
    patch: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(SpecRefused) as refused:
        changed(present(manifest()), patch)
    ((path, told),) = refused.value.fields
    assert path == field
    assert message in told


def test_very_many_faults_are_not_all_told() -> None:
    with pytest.raises(SpecRefused) as refused:
        changed(present(manifest()), {f"field{number}": 1 for number in range(5000)})
    assert len(refused.value.fields) == 20


def test_a_spec_that_is_invalid_as_it_stands_is_refused_too() -> None:
    with pytest.raises(SpecRefused, match=r"spec\.maxReplicas: is required"):
        present(manifest(maxReplicas=None))


@given(PATCHES)
def test_any_patch_is_refused_in_plain_words_or_gives_a_manifest_that_checks(patch: dict[str, Any]) -> None:
    as_is = present(manifest())
    try:
        policy = changed(as_is, patch)
    except SpecRefused as refused:
        assert refused.fields
        assert all(path and message for path, message in refused.fields)
        return
    found = read_text(policy.as_yaml, "manifest")
    assert not found.problems
    assert found.resources[0].resource.spec == policy.resource.spec
    assert yaml.safe_load(policy.as_yaml)["metadata"]["name"] == "checkout"
