"""An autoscaler that is to be taken over, whatever its kind: what all kinds have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autoscaler.adoption.remarks import Remark


@dataclass(frozen=True, slots=True)
class CpuSignal:
    """CPU utilisation to keep, in per cent of the request.

    field: where it stands in the autoscaler. container: empty for the whole pod.
    """

    field: str
    target_utilization: int
    container: str = ""


@dataclass(frozen=True, slots=True)
class LoadProposal:
    """A demand that could be forecast.

    field: where it stands in the autoscaler. query: PromQL. per_replica: what one pod is to get of it,
    as a manifest writes it; None where that is not known. check: what a human should look at
    before trusting it.
    """

    field: str
    query: str
    per_replica: int | str | None
    check: str


@dataclass(frozen=True, slots=True)
class QueueProposal:
    """A backlog that was scaled on.

    what: the queue in words. backlog: waiting items per replica that were aimed at. depth: PromQL
    for the waiting items, arrivals: for the items arriving per second; empty where no usual
    exporter is known.
    """

    field: str
    what: str
    backlog: str
    depth: str = ""
    arrivals: str = ""


@dataclass(frozen=True, slots=True)
class Demands:
    """What scaling was based on."""

    cpu: tuple[CpuSignal, ...] = ()
    loads: tuple[LoadProposal, ...] = ()
    queues: tuple[QueueProposal, ...] = ()
    time_zone: str = ""
    remarks: tuple[Remark, ...] = ()

    def __add__(self, other: Demands) -> Demands:
        """Both, in this order; the first time zone counts."""
        return Demands(
            self.cpu + other.cpu,
            self.loads + other.loads,
            self.queues + other.queues,
            self.time_zone or other.time_zone,
            self.remarks + other.remarks,
        )


@dataclass(frozen=True, slots=True)
class Scaler:
    """An autoscaler, read and understood.

    namespace: empty where it is not written. target: apiVersion, kind and name. behavior: as written,
    in the form of HPA v2. paused: it is told to leave the target alone.
    """

    kind: str
    namespace: str
    name: str
    target: dict[str, str]
    min_replicas: int
    max_replicas: int
    behavior: dict[str, Any]
    demands: Demands
    paused: bool = False
    remarks: tuple[Remark, ...] = ()

    @property
    def label(self) -> str:
        """`HorizontalPodAutoscaler shop/checkout`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"
