"""A `Scaler` as a PredictiveAutoscaler manifest, with what a human has to know about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from autoscaler.adoption.remarks import Outcome, Remark, fill_in, kept, lost, no_need, printable
from autoscaler.adoption.scaler import CpuSignal, LoadProposal, QueueProposal, Scaler
from autoscaler.spec.resource import API_VERSION, KIND
from autoscaler.spec.yamltree import Path

_LONGEST_QUERY = 4096
_MOST_SIGNALS = 16
_LABEL_LENGTH = 63

_QUERY = ("spec", "load", "query")
_PER_REPLICA = ("spec", "load", "perReplica")

_ORDER = {outcome: place for place, outcome in enumerate(Outcome)}
"""What a human has to see comes last, where a terminal ends."""

_NO_QUERY = (
    "PromQL giving the demand as one series, such as requests per second; never CPU per pod, "
    "nor anything else that falls when replicas are added"
)
_NO_PER_REPLICA = "how much of the load one ready pod serves within its objective, in the unit of the query"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user adds to what the autoscaler knows.

    load_query, per_replica: the load to forecast, None where the autoscaler has to tell. mode: None for
    Recommend, or Paused where the autoscaler is. floor: keep the autoscaler and raise its minimum.
    """

    load_query: str | None = None
    per_replica: int | str | None = None
    mode: str | None = None
    floor: bool = False


@dataclass(frozen=True, slots=True)
class Adoption:
    """The result for one autoscaler.

    manifest: as plain data; None stands where a human has to fill in. comments: lines above
    the field at a path. signal_hints: lines where further signals would stand.
    """

    scaler: Scaler
    manifest: dict[str, Any]
    remarks: tuple[Remark, ...]
    comments: dict[Path, str] = field(default_factory=dict)
    signal_hints: tuple[str, ...] = ()

    @property
    def needs_human(self) -> bool:
        """Whether anything is lost or has to be filled in."""
        return any(remark.needs_human for remark in self.remarks)


def compose(scaler: Scaler, wanted: Wanted) -> Adoption:
    """The manifest for one autoscaler, named like it and in its namespace."""
    query, per_replica, about_load = _load(scaler, wanted)
    signals = [] if wanted.floor else _signals(scaler.demands.cpu)
    spec: dict[str, Any] = {"scaleTargetRef": scaler.target}
    if wanted.floor:
        spec["floor"] = {"kind": scaler.kind, "name": scaler.name}
    spec["mode"], about_mode = _mode(scaler, wanted)
    spec |= {"minReplicas": scaler.min_replicas, "maxReplicas": scaler.max_replicas}
    spec["load"] = {"query": query, "perReplica": per_replica}
    if scaler.demands.time_zone:
        spec["forecast"] = {"timeZone": scaler.demands.time_zone}
    if signals:
        spec["signals"] = signals
    if scaler.behavior:
        spec["behavior"] = scaler.behavior
    metadata = {"name": scaler.name} | ({"namespace": scaler.namespace} if scaler.namespace else {})
    manifest = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}
    queues = () if wanted.floor else scaler.demands.queues
    remarks = [*scaler.remarks, *_about_cpu(scaler, wanted), *scaler.demands.remarks]
    remarks += map(_about_queue, scaler.demands.queues)
    if wanted.floor:
        remarks = list(dict.fromkeys(_staying(remark, scaler) for remark in remarks))
    remarks += [*about_mode, *about_load]
    return Adoption(
        scaler=scaler,
        manifest=manifest,
        remarks=tuple(sorted(remarks, key=lambda remark: _ORDER[remark.outcome])),
        comments=_comments(about_load),
        signal_hints=tuple(_hints(queues, first=not signals)),
    )


def _load(scaler: Scaler, wanted: Wanted) -> tuple[str | None, int | str | None, list[Remark]]:
    """Query and amount for each replica, None where nobody knows, and what is to be said about them."""
    proposals = scaler.demands.loads
    first = proposals[0] if proposals else None
    remarks = list(_about_others(proposals[1:]))
    query, per_replica = wanted.load_query, wanted.per_replica
    if query is not None:
        if first is not None:
            remarks.append(no_need(first.field, "--load-query says what the load is"))
    elif first is not None and 0 < len(first.query) <= _LONGEST_QUERY:
        query = first.query
        remarks.append(fill_in(_text(_QUERY), f"from {first.field}. Check: {first.check}"))
    else:
        remarks.append(fill_in(_text(_QUERY), _missing_query(scaler, first)))
    if per_replica is None and first is not None and first.per_replica is not None:
        per_replica = first.per_replica
        remarks.append(_about_amount(first, other_query=wanted.load_query is not None))
    elif per_replica is None:
        remarks.append(fill_in(_text(_PER_REPLICA), _NO_PER_REPLICA))
    elif first is not None and first.per_replica not in (None, per_replica):
        text = f"its {first.per_replica} for each replica gives way to --per-replica"
        remarks.append(no_need(first.field, text))
    return query, per_replica, remarks


def _about_amount(proposal: LoadProposal, *, other_query: bool) -> Remark:
    text = f"{proposal.per_replica} for each replica, as spec.load.perReplica"
    if other_query:
        return fill_in(_text(_PER_REPLICA), f"{text}. Check: the unit of --load-query has to be the same")
    return kept(proposal.field, text)


def _missing_query(scaler: Scaler, first: LoadProposal | None) -> str:
    if first is not None and len(first.query) > _LONGEST_QUERY:
        return f"the query of {first.field} has more than {_LONGEST_QUERY} characters: shorten it"
    if first is not None:
        return f"{first.check}. It has to be {_NO_QUERY}"
    arrivals = next((queue.arrivals for queue in scaler.demands.queues if queue.arrivals), "")
    return f"{_NO_QUERY}. For the queue perhaps {arrivals}" if arrivals else _NO_QUERY


def _about_others(proposals: tuple[LoadProposal, ...]) -> Iterator[Remark]:
    for proposal in proposals:
        text = (
            "only one load is forecast, and the first one was taken: "
            f"combine them in one query if this one matters ({proposal.query or proposal.check})"
        )
        yield lost(proposal.field, text)


def _mode(scaler: Scaler, wanted: Wanted) -> tuple[str, list[Remark]]:
    if wanted.mode is None:
        return ("Paused" if scaler.paused else "Recommend"), []
    if scaler.paused and wanted.mode != "Paused":
        text = f"the autoscaler is paused, and --mode {wanted.mode} was asked for"
        return wanted.mode, [lost("metadata.annotations", text)]
    return wanted.mode, []


def _about_cpu(scaler: Scaler, wanted: Wanted) -> Iterator[Remark]:
    for signal in scaler.demands.cpu:
        text = f"CPU at {signal.target_utilization} % of the request, as a signal of type CPU"
        yield no_need(signal.field, text) if wanted.floor else kept(signal.field, text)


def _signals(cpu: tuple[CpuSignal, ...]) -> list[dict[str, Any]]:
    """Signals with the names that keep them apart."""
    signals: list[dict[str, Any]] = []
    for index, signal in enumerate(cpu[:_MOST_SIGNALS]):
        name = f"cpu-{signal.container}"[:_LABEL_LENGTH].rstrip("-") if signal.container else "cpu"
        if any(name == other["name"] for other in signals):
            name = f"cpu-{index + 1}"
        signals.append({"type": "CPU", "name": name, "targetUtilization": signal.target_utilization})
    return signals


def _about_queue(queue: QueueProposal) -> Remark:
    kept_at = f", kept at {queue.backlog}," if queue.backlog else ""
    text = (
        f"{queue.what}{kept_at} is a backlog and no demand: forecast the arrivals as spec.load, and add a "
        "signal of type QueueDepth, as proposed in the manifest's comments"
    )
    return lost(queue.field, text)


def _hints(queues: tuple[QueueProposal, ...], *, first: bool) -> Iterator[str]:
    """A commented signal for each queue, to be uncommented once its figures are known."""
    for queue in queues:
        yield f"fill in: for {queue.field}, a signal such as this one, with your own figures"
        if first:
            yield "signals:"
            first = False
        quoted = "'" + printable(queue.depth or "PROMQL").replace("'", "''") + "'"
        yield "  - type: QueueDepth"
        yield f"    query: {quoted}"
        yield "    drainWithin: 60s"
        yield "    perReplica: 1 # items one pod takes out of the queue per second"


def _staying(remark: Remark, scaler: Scaler) -> Remark:
    """With a floor, what is not taken over goes on in the autoscaler itself."""
    if remark.outcome in (Outcome.LOST, Outcome.NO_NEED):
        return replace(remark, outcome=Outcome.STAYS, text=f"goes on in {scaler.label}")
    return remark


def _comments(about_load: list[Remark]) -> dict[Path, str]:
    places = {_text(path): path for path in (_QUERY, _PER_REPLICA)}
    return {
        places[remark.field]: f"fill in: {remark.text}"
        for remark in about_load
        if remark.outcome is Outcome.FILL_IN
    }


def _text(path: Path) -> str:
    return ".".join(map(str, path))
