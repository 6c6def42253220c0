"""What each trigger of a ScaledObject becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import ValidationError

from autoscaler.adoption.hpa_metrics import MEMORY, cores, utilization
from autoscaler.adoption.keda_form import Trigger
from autoscaler.adoption.keda_queues import queue_of, rabbit_arrivals
from autoscaler.adoption.measures import Nature, is_average, nature_of
from autoscaler.adoption.quantity import amount
from autoscaler.adoption.remarks import Remark, kept, lost, no_need
from autoscaler.adoption.scaler import Demands, LoadProposal, QueueProposal
from autoscaler.spec.forecast import ForecastSpec

_CONNECTION = frozenset(
    (
        *("serverAddress", "customHeaders", "unsafeSsl", "authModes", "namespace", "cortexOrgID"),
        *("timeout", "queryParameters", "identityOwner", "awsRegion"),
    )
)
_PROMETHEUS = _CONNECTION | {
    "query",
    "threshold",
    "activationThreshold",
    "ignoreNullValues",
    "metricName",
}


def of_trigger(field: str, trigger: Trigger, *, scales_to_zero: bool) -> Demands:
    """One trigger. field: where it stands; scales_to_zero: whether activation plays a part."""
    read = _READERS.get(trigger.type)
    if read is not None:
        found = read(field, trigger)
    else:
        queue = queue_of(field, trigger)
        found = Demands(queues=(queue,)) if queue is not None else _unknown(field, trigger)
    return found + Demands(remarks=tuple(_around(field, trigger, scales_to_zero)))


def _around(field: str, trigger: Trigger, scales_to_zero: bool) -> Iterator[Remark]:
    """What may stand on triggers of any type."""
    for name, value in trigger.metadata.items():
        if not name.startswith("activation") or amount(value) is None:
            continue
        here = f"{field}.metadata.{name}"
        if scales_to_zero:
            text = (
                f"0 replicas were kept up to {value}; here any load above 0 asks for a replica. "
                "To keep it, multiply the query: (QUERY) * ((QUERY) > bool " + value + ")"
            )
            yield lost(here, text)
        else:
            yield no_need(here, "has an effect only where the least number of replicas is 0")
    if trigger.authentication_ref and trigger.type != "prometheus":
        yield no_need(f"{field}.authenticationRef", "credentials belong to the sources of the operator")
    if trigger.use_cached_metrics:
        yield no_need(f"{field}.useCachedMetrics", "every value is read once for each decision")


def _prometheus(field: str, trigger: Trigger) -> Demands:
    query, threshold = trigger.get("query"), trigger.get("threshold")
    remarks = tuple(_about_prometheus(field, trigger))
    nature = nature_of(query)
    if trigger.metric_type == "Value":
        text = (
            f"compares the query with {threshold} as a whole, which says nothing about what one replica "
            "serves: find that out, and use the query as spec.load if it is demand"
        )
        return Demands(remarks=(lost(field, text), *remarks))
    if nature is Nature.PODS:
        text = (
            "the query seems to measure the pods, not what is asked of them, so it cannot be forecast. "
            "CPU can become a signal of type CPU, a response time one of type Latency"
        )
        return Demands(remarks=(lost(field, text), *remarks))
    if nature is Nature.BACKLOG:
        queue = QueueProposal(field, "what the query counts", f"{threshold} for each replica", query)
        return Demands(queues=(queue,), remarks=remarks)
    check = f"the query was asked at {trigger.get('serverAddress') or 'a Prometheus that KEDA knows'}"
    check += "; unless that is the operator's default source, set spec.load.source to its name there"
    if is_average(query):
        check += ". It averages: what is forecast must not fall when replicas are added, so use a sum"
    elif nature is Nature.UNCLEAR:
        check += ". It must be demand that does not fall when replicas are added, such as arrivals"
    return Demands(loads=(LoadProposal(field, query, amount(threshold), check),), remarks=remarks)


def _about_prometheus(field: str, trigger: Trigger) -> Iterator[Remark]:
    connection = [name for name in trigger.metadata if name in _CONNECTION]
    if trigger.authentication_ref:
        connection.append("authenticationRef")
    if connection:
        text = (
            f"{', '.join(connection)}: a resource only names a source, whose address and credentials the "
            "operator's administrator configured (spec.load.source)"
        )
        yield no_need(f"{field}.metadata", text)
    if trigger.get("ignoreNullValues", "true") != "false":
        text = (
            "KEDA takes an empty answer for 0; here it is unknown and removes nothing. "
            "If no series means no load, end the query with `or vector(0)`"
        )
        yield no_need(f"{field}.metadata.ignoreNullValues", text)
    for name in trigger.metadata:
        if name not in _PROMETHEUS:
            yield lost(f"{field}.metadata.{name}", "is not known here, and not taken over")


def _cpu(field: str, trigger: Trigger) -> Demands:
    aim, value = trigger.metric_type or trigger.get("type"), trigger.get("value")
    if aim == "Utilization" and value.isdecimal() and int(value) > 0:
        return utilization(field, int(value), trigger.get("containerName"))
    return cores(field, value)


def _memory(field: str, trigger: Trigger) -> Demands:
    return Demands(remarks=(lost(field, MEMORY),))


def _cron(field: str, trigger: Trigger) -> Demands:
    zone = trigger.get("timezone")
    text = (
        f"{trigger.get('desiredReplicas')} replicas from {trigger.get('start')} to {trigger.get('end')} "
        f"({zone}): windows that recur every day or week are learnt from the load's history; for the first "
        "weeks raise minReplicas, and give a single occasion to spec.events"
    )
    try:
        ForecastSpec.model_validate({"timeZone": zone})
    except ValidationError:
        return Demands(remarks=(lost(field, text),))
    said = kept(f"{field}.metadata.timezone", f"{zone}, as spec.forecast.timeZone")
    return Demands(time_zone=zone, remarks=(lost(field, text), said))


def _rabbitmq(field: str, trigger: Trigger) -> Demands:
    if trigger.get("mode") == "MessageRate" and trigger.get("queueName"):
        check = "the query is what RabbitMQ's own plugin serves for each queue, if it is told to"
        load = LoadProposal(field, rabbit_arrivals(trigger), amount(trigger.get("value")), check)
        return Demands(loads=(load,))
    queue = queue_of(field, trigger)
    assert queue is not None  # the table has this type
    return Demands(queues=(queue,))


def _unknown(field: str, trigger: Trigger) -> Demands:
    text = (
        f"a trigger of type {trigger.type} has no counterpart: what it measures has to be in Prometheus, "
        "and can then be the load (--load-query) or a signal"
    )
    return Demands(remarks=(lost(field, text),))


_READERS: dict[str, Callable[[str, Trigger], Demands]] = {
    "prometheus": _prometheus,
    "cpu": _cpu,
    "memory": _memory,
    "cron": _cron,
    "rabbitmq": _rabbitmq,
}
