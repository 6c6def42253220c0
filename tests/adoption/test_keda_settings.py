"""What becomes of a ScaledObject's settings beside its triggers."""

from __future__ import annotations

import json

import pytest
from adopting import CPU, LOAD, SCALED_OBJECT, adopted, checked, problems, told, with_triggers

from autoscaler.adoption import Outcome, Wanted

BEHAVIOR = "spec.advanced.horizontalPodAutoscalerConfig.behavior"


def _annotated(**annotations: str) -> str:
    notes = ", ".join(f"autoscaling.keda.sh/{k.replace('_', '-')}: '{v}'" for k, v in annotations.items())
    text = with_triggers(CPU, "minReplicaCount: 1")
    return text.replace("namespace: shop}", f"namespace: shop, annotations: {{{notes}}}}}")


def test_defaults_are_those_of_keda() -> None:
    spec = adopted(with_triggers(CPU)).manifest["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    assert (spec["minReplicas"], spec["maxReplicas"], spec["mode"]) == (0, 100, "Recommend")


def test_another_kind_of_target_is_kept() -> None:
    rollout = "{apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: web, envSourceContainerName: app}"
    adoption = adopted(with_triggers(CPU).replace("{name: web}", rollout))
    target = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web"}
    assert adoption.manifest["spec"]["scaleTargetRef"] == target
    assert "spec.scaleTargetRef.envSourceContainerName" in told(adoption, Outcome.NO_NEED)


@pytest.mark.parametrize(
    ("line", "field", "said"),
    [
        ("idleReplicaCount: 0", "spec.idleReplicaCount", "minReplicas always holds"),
        ("fallback: {failureThreshold: 3, replicas: 6}", "spec.fallback", "6 replicas while a trigger fails"),
        (
            "advanced: {restoreToOriginalReplicaCount: true}",
            "spec.advanced.restoreToOriginalReplicaCount",
            "set this to false before you delete it",
        ),
        ("paceOfChange: {fast: true}", "spec.paceOfChange", "is not known here"),
        ("advanced: {sideDoor: 1}", "spec.advanced.sideDoor", "is not known here"),
    ],
)
def test_what_cannot_be_carried_over_is_named_with_what_it_means(line: str, field: str, said: str) -> None:
    text = with_triggers(CPU, f"minReplicaCount: 1\n{line}\n")
    lost = told(adopted(text, LOAD), Outcome.LOST)
    assert list(lost) == [field]
    assert said in lost[field]


@pytest.mark.parametrize(
    "line",
    [
        "pollingInterval: 15",
        "initialCooldownPeriod: 60",
        "cooldownPeriod: 600",
        "advanced: {restoreToOriginalReplicaCount: false}",
        "advanced: {horizontalPodAutoscalerConfig: {name: web-hpa}}",
        "fallback: null",
    ],
)
def test_what_nobody_misses_needs_no_human(line: str) -> None:
    assert not adopted(with_triggers(CPU, f"minReplicaCount: 1\n{line}\n"), LOAD).needs_human


@pytest.mark.parametrize(
    ("cooldown_s", "window", "lost"),
    [
        pytest.param(300, "", False, id="as long as the default window"),
        pytest.param(301, "", True, id="longer"),
        pytest.param(600, "stabilizationWindowSeconds: 600", False, id="as long as the window written"),
        pytest.param(None, "stabilizationWindowSeconds: 0", True, id="the default of 300 s, and no window"),
    ],
)
def test_the_cooldown_before_zero_is_lost_where_the_window_is_shorter(
    cooldown_s: int | None, window: str, lost: bool
) -> None:
    cooldown = "" if cooldown_s is None else f"cooldownPeriod: {cooldown_s}\n"
    behavior = f"advanced: {{horizontalPodAutoscalerConfig: {{behavior: {{scaleDown: {{{window}}}}}}}}}\n"
    adoption = adopted(with_triggers(CPU, cooldown + behavior), LOAD)
    assert ("spec.cooldownPeriod" in told(adoption, Outcome.LOST)) is lost
    assert "cooldown" not in adoption.manifest["spec"]


def test_behavior_is_taken_over_as_written() -> None:
    rates = [{"type": "Pods", "value": 1, "periodSeconds": 60}]
    behavior = json.dumps({"scaleDown": {"stabilizationWindowSeconds": 60, "policies": rates}})
    text = with_triggers(CPU, f"advanced: {{horizontalPodAutoscalerConfig: {{behavior: {behavior}}}}}")
    adoption = adopted(text, LOAD)
    rules = {"stabilizationWindowSeconds": 60, "policies": rates}
    assert adoption.manifest["spec"]["behavior"] == {"scaleDown": rules}
    assert told(adoption, Outcome.KEPT)[BEHAVIOR] == "as written"


@pytest.mark.parametrize(
    ("annotations", "mode", "behavior"),
    [
        ({"paused": "true"}, "Paused", {}),
        ({"paused": "false"}, "Recommend", {}),
        ({"paused_replicas": "4"}, "Paused", {}),
        ({"paused_scale_in": "true"}, "Recommend", {"scaleDown": {"selectPolicy": "Disabled"}}),
        ({"paused_scale_out": "true"}, "Recommend", {"scaleUp": {"selectPolicy": "Disabled"}}),
    ],
)
def test_pauses_are_taken_over(annotations: dict[str, str], mode: str, behavior: object) -> None:
    adoption = adopted(_annotated(**annotations), LOAD)
    assert adoption.manifest["spec"]["mode"] == mode
    assert adoption.manifest["spec"].get("behavior", {}) == behavior
    assert checked(adoption).problems == []


def test_a_mode_that_was_asked_for_beats_the_pause_and_says_so() -> None:
    adoption = adopted(_annotated(paused="true"), Wanted("sum(up)", 1, mode="Active"))
    assert adoption.manifest["spec"]["mode"] == "Active"
    assert "--mode Active was asked for" in told(adoption, Outcome.LOST)["metadata.annotations"]


def test_forced_activation_is_lost() -> None:
    adoption = adopted(_annotated(force_activation="true"), LOAD)
    assert "set minReplicas to 1" in "".join(told(adoption, Outcome.LOST).values())


def test_a_floor_leaves_to_keda_what_it_does_and_needs_only_the_load() -> None:
    redis = "  - {type: redis, metadata: {listName: jobs}}\n"
    text = with_triggers(CPU + redis, "fallback: {replicas: 6}\nidleReplicaCount: 0\n")
    adoption = adopted(text, Wanted("sum(up)", 1, floor=True))
    spec = adoption.manifest["spec"]
    assert spec["floor"] == {"kind": "ScaledObject", "name": "web"}
    assert "signals" not in spec
    assert not adoption.needs_human
    stays = told(adoption, Outcome.STAYS)
    assert stays["spec.fallback"] == "goes on in ScaledObject shop/web"
    assert {"spec.idleReplicaCount", "spec.triggers[0]", "spec.triggers[1]"} <= set(stays)
    assert checked(adoption).problems == []


def test_the_minimum_that_the_operator_raised_is_not_taken_for_the_users() -> None:
    text = with_triggers(CPU, "minReplicaCount: 17").replace(
        "namespace: shop}", "namespace: shop, annotations: {predictive-autoscaler.dev/original-minimum: '3'}}"
    )
    assert adopted(text).manifest["spec"]["minReplicas"] == 3


def test_without_triggers_it_is_no_scaled_object() -> None:
    said = problems(SCALED_OBJECT + "  triggers: []\n")
    assert said == ["f.yaml:6: spec.triggers: must have at least 1 entry: add one, or leave the field out"]
