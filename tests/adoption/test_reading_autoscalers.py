"""Which objects of a file are taken over, and what is said of the others."""

from __future__ import annotations

import textwrap

import pytest
from adopting import CPU, HPA, SCALED_OBJECT, problems, told, with_triggers

from autoscaler.adoption import Outcome, Wanted, adopt, autoscaler_of, autoscalers_in, written
from autoscaler.spec import read_text


def _without(text: str, line: str) -> str:
    assert line in text
    return text.replace(line, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            _without(HPA, "  maxReplicas: 10\n"),
            "f.yaml:4: spec.maxReplicas: is required: add it",
            id="no maximum",
        ),
        pytest.param(
            HPA.replace("minReplicas: 2", "minReplicas: 20"),
            "f.yaml:6: spec.minReplicas: 20 must not be greater than maxReplicas, which is 10",
            id="bounds the wrong way round",
        ),
        pytest.param(
            HPA.replace("maxReplicas: 10", "maxReplicas: '10'"),
            'f.yaml:7: spec.maxReplicas: must be a whole number, but "10" is a text: remove the quotes',
            id="a number in quotes",
        ),
        pytest.param(
            HPA.replace("kind: Deployment, ", ""),
            "f.yaml:5: spec.scaleTargetRef.kind: is required: add it",
            id="no kind of target",
        ),
        pytest.param(
            HPA.replace("kind: Deployment", "kind: deployment"),
            "f.yaml:5: spec.scaleTargetRef.kind: must be a kind such as Deployment, which begins with a "
            'capital letter, not "deployment"',
            id="a kind in lower case",
        ),
        pytest.param(
            HPA + "  metrics: [{type: Pods}]\n",
            "f.yaml:8: spec.metrics[0].pods: is required with type Pods: add it",
            id="a metric without its content",
        ),
        pytest.param(
            HPA + "  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization}}}]\n",
            "f.yaml:8: spec.metrics[0].resource.target.averageUtilization: is required with type "
            "Utilization: add it",
            id="a target without its amount",
        ),
        pytest.param(
            HPA + "  behavior: {scaleDown: {stabilizationWindowSeconds: 4000}}\n",
            "f.yaml:8: spec.behavior.scaleDown.stabilizationWindowSeconds: must be at most 3600, not 4000",
            id="a window out of bounds",
        ),
        pytest.param(
            HPA.replace("autoscaling/v2", "autoscaling/v2beta1"),
            "f.yaml:1: apiVersion: must be autoscaling/v2 or autoscaling/v2beta2 or autoscaling/v1, not "
            "autoscaling/v2beta1: export it in such a version",
            id="an old version",
        ),
        pytest.param(
            SCALED_OBJECT,
            "f.yaml:4: spec.triggers: is required: add it",
            id="a ScaledObject without triggers",
        ),
        pytest.param("a: [\n", "f.yaml:2: not YAML", id="no YAML"),
        pytest.param("- 1\n", "f.yaml:1: must be an object with apiVersion", id="no object"),
        pytest.param(
            "kind: List\nitems: [7]\n", "f.yaml:2: items[0]: must be an object", id="no object in a list"
        ),
        pytest.param(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n",
            "f.yaml:1: metadata: is required",
            id="nothing but a kind",
        ),
    ],
)
def test_a_fault_has_its_line_its_field_and_a_remedy(text: str, said: str) -> None:
    assert problems(text)[0].startswith(said)


def test_other_kinds_are_passed_over_with_their_reason() -> None:
    read = autoscalers_in("kind: Service\n---\nkind: ScaledJob\n---\n" + HPA, "f.yaml")
    assert [(other.line, other.why) for other in read.passed_over] == [
        (1, "skipped, Service is no HorizontalPodAutoscaler and no ScaledObject"),
        (3, "skipped, a ScaledJob starts jobs and has no replicas to scale"),
    ]
    assert [found.scaler.name for found in read.found] == ["web"]


@pytest.mark.parametrize(
    "metadata",
    [
        "{name: keda-hpa-web, labels: {scaledobject.keda.sh/name: web}}",
        "{name: keda-hpa-web, ownerReferences: [{kind: ScaledObject, name: web}]}",
    ],
)
def test_what_keda_made_itself_is_passed_over(metadata: str) -> None:
    read = autoscalers_in(HPA.replace("{name: web, namespace: shop}", metadata), "f.yaml")
    assert read.found == []
    assert read.passed_over[0].why.endswith("from ScaledObject web: import that one")


def test_lists_are_opened() -> None:
    items = "".join(textwrap.indent(text, "    ").replace("    ", "  - ", 1) for text in (HPA, HPA))
    read = autoscalers_in(f"kind: List\nitems:\n{items}", "f.yaml")
    assert [(found.line, found.scaler.name) for found in read.found] == [(3, "web"), (10, "web")]


def test_an_object_of_the_api_server_needs_no_lines() -> None:
    value = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}}
    read = autoscaler_of(value, "hpa/web")
    assert [str(problem) for problem in read.problems] == ["hpa/web: spec: is required: add it"]


def test_two_of_one_name_or_one_target_are_told_apart_from_two_that_can_live_together() -> None:
    other = with_triggers(CPU)
    stranger = HPA.replace("shop", "elsewhere")
    read = autoscalers_in("---\n".join((HPA, other, stranger)), "f.yaml")
    first, second, third = adopt([found.scaler for found in read.found], Wanted("sum(up)", 1))
    lost = told(second, Outcome.LOST)
    assert "has the same name" in lost["metadata.name"]
    assert "scales the same target" in lost["spec.scaleTargetRef"]
    assert not first.needs_human
    assert not third.needs_human
    assert len(read_text(written([first, second, third]), "out.yaml").resources) == 3


def test_a_manifest_with_nothing_filled_in_is_refused_for_exactly_that() -> None:
    read = autoscalers_in(HPA, "f.yaml")
    text = written(adopt([found.scaler for found in read.found], Wanted()))
    told_by_check = [str(problem) for problem in read_text(text, "out.yaml").problems]
    assert [line.split(": ", 1)[1] for line in told_by_check] == [
        "spec.load.query: is required: add it",
        "spec.load.perReplica: is required: add it",
    ]
    assert text.count("# fill in:") == 2


def test_labels_are_left_to_the_tools_that_set_them() -> None:
    read = autoscalers_in(HPA.replace("shop}", "shop, labels: {app: web}}"), "f.yaml")
    (adoption,) = adopt([found.scaler for found in read.found], Wanted())
    assert "labels" not in adoption.manifest["metadata"]
    assert "metadata.labels" in told(adoption, Outcome.NO_NEED)


def test_no_line_ends_in_blanks_and_the_namespace_is_left_out_where_it_was() -> None:
    read = autoscalers_in(HPA.replace(", namespace: shop", ""), "f.yaml")
    text = written(adopt([found.scaler for found in read.found], Wanted()))
    assert "namespace" not in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
