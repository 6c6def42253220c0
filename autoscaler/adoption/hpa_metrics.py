"""What each metric of a HorizontalPodAutoscaler becomes."""

from __future__ import annotations

from autoscaler.adoption.hpa_form import Aim, HpaSpec, Metric, OfMetric, OfResource
from autoscaler.adoption.measures import Matcher, Nature, nature_of, query_for
from autoscaler.adoption.quantity import amount
from autoscaler.adoption.remarks import lost
from autoscaler.adoption.scaler import CpuSignal, Demands, LoadProposal, QueueProposal
from autoscaler.spec.units import parse_quantity

DEFAULT_CPU = 80
"""Utilisation that the API server fills in where no metric is written."""

MOST_UTILIZATION = 1000

MEMORY = (
    "memory is not taken over: it says what pods hold, not what is asked of them, and adding pods seldom "
    "lowers it. Pods that memory used to bring will be missing: set perReplica or minReplicas accordingly"
)


def of_metrics(spec: HpaSpec, namespace: str) -> Demands:
    """All metrics; where there is none, the default that the API server fills in."""
    if spec.target_cpu is not None:
        return utilization("spec.targetCPUUtilizationPercentage", spec.target_cpu)
    found = Demands()
    for index, metric in enumerate(spec.metrics):
        found += _demand(f"spec.metrics[{index}]", metric, spec, namespace)
    if not spec.metrics:
        found += Demands(cpu=(CpuSignal("spec.metrics (none, so the cluster's default)", DEFAULT_CPU),))
    return found


def utilization(field: str, target: int, container: str = "") -> Demands:
    """A target in per cent of the CPU request."""
    if target > MOST_UTILIZATION:
        text = f"a target of {target} % is above the {MOST_UTILIZATION} % that a CPU signal may have"
        return Demands(remarks=(lost(field, text),))
    signal = CpuSignal(field, target, container)
    if not container:
        return Demands(cpu=(signal,))
    text = f"counted container {container} alone; a CPU signal without a query counts whole pods"
    return Demands(cpu=(signal,), remarks=(lost(field, text),))


def cores(field: str, written: str) -> Demands:
    """A target in CPU cores for each pod, which only the request turns into a percentage."""
    try:
        example = f"; with a request of 1, that is {100 * parse_quantity(written):.0f}"
    except ValueError:
        example = ""
    text = (
        f"a target of {written} CPU for each pod is not taken over, because a CPU signal has its target "
        "in per cent of the request: add {type: CPU, targetUtilization: P} to spec.signals, "
        f"where P = 100 × {written} / CPU request of a pod{example}"
    )
    return Demands(remarks=(lost(field, text),))


def _demand(field: str, metric: Metric, spec: HpaSpec, namespace: str) -> Demands:
    content = metric.content
    if isinstance(content, OfResource):
        return _resource(field, content)
    return _custom(field, metric, content, spec, namespace)


def _resource(field: str, resource: OfResource) -> Demands:
    aim = resource.target
    if resource.name == "memory":
        return Demands(remarks=(lost(field, MEMORY),))
    if resource.name != "cpu":
        return Demands(remarks=(lost(field, f"there is no signal for the resource {resource.name}"),))
    if aim.average_utilization is not None and aim.type == "Utilization":
        return utilization(field, aim.average_utilization, resource.container)
    return cores(field, aim.average_value or aim.value)


def _custom(field: str, metric: Metric, content: OfMetric, spec: HpaSpec, namespace: str) -> Demands:
    name, aim = content.metric.name, content.target
    nature = nature_of(name)
    if nature is Nature.PODS:
        text = (
            f"{name} seems to measure the pods, not what is asked of them, so it cannot be forecast. "
            "A response time can become a signal of type Latency"
        )
        return Demands(remarks=(lost(field, text),))
    query = query_for(name, _matchers(metric, content, spec, namespace))
    if nature is Nature.BACKLOG:
        return Demands(queues=(QueueProposal(field, name, _aimed(aim), depth=query),))
    if aim.type != "AverageValue":
        text = (
            f"{name} is compared with {aim.value or aim.average_utilization} as a whole, which says nothing "
            "about what one replica serves: find that out, and use the metric as spec.load"
        )
        return Demands(remarks=(lost(field, text),))
    check = f"the query is guessed from the metric's name, {name}, as an adapter serves it"
    if content.metric.selector.match_expressions:
        check += "; its matchExpressions are not in it"
    if not query:
        check = f"{name} is no metric of Prometheus: write the query that gives the same"
    return Demands(loads=(LoadProposal(field, query, amount(aim.average_value), check),))


def _aimed(aim: Aim) -> str:
    return f"{aim.average_value} for each replica" if aim.type == "AverageValue" else f"{aim.value} in all"


def _matchers(metric: Metric, content: OfMetric, spec: HpaSpec, namespace: str) -> list[Matcher]:
    """The labels that an adapter would look for."""
    found = []
    if metric.type != "External" and namespace:
        found.append(Matcher("namespace", namespace))
    if metric.type == "Pods":
        found.append(Matcher("pod", f"{spec.scale_target_ref.name}-.*", pattern=True))
    described = content.described_object
    if metric.type == "Object" and described is not None:
        found.append(Matcher(described.kind.lower(), described.name))
    labels = content.metric.selector.match_labels
    return found + [Matcher(label, value) for label, value in labels.items()]
