"""Puts minimums back that no resource keeps raised any more, whoever raised them and however long ago.

What was there before is noted on the autoscaler itself, so neither a finalizer on the resource
nor a memory of ours is needed: whoever leads finds the note and puts the minimum back.
"""

from __future__ import annotations

import structlog

from autoscaler.controller.acting.dials import FLOORS, ORIGINAL, RAISED_BY, original_minimum
from autoscaler.controller.acting.rivals import Rivals, Scaler
from autoscaler.controller.acting.targets import target_of
from autoscaler.controller.acting.writing import Leading
from autoscaler.controller.catalog import Catalog
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.discovery import Discovery, UnknownTarget
from autoscaler.controller.cluster.errors import ClusterError

_LOG = structlog.get_logger(__name__)
_KEEP = ("Active", "ScaleOutOnly", "Paused")
_TIMEOUT_S = 5.0


def abandoned(rivals: Rivals, catalog: Catalog) -> list[Scaler]:
    """Autoscalers whose minimum was raised for a resource that is gone, or no longer raises it, or for
    another target than they have now.

    A resource whose spec cannot be read, and was not since this process began, keeps what it raised.
    """
    workloads = catalog.all()
    kept = {
        (
            workload.spec.floor.kind,
            workload.spec.floor.name,
            target_of(workload.namespace, workload.spec.scale_target_ref),
        )
        for workload in workloads
        if workload.spec is not None and workload.spec.floor is not None and workload.spec.mode in _KEEP
    }
    unread = {(workload.namespace, workload.name) for workload in workloads if workload.spec is None}
    return [
        s
        for s in rivals.raised()
        if (s.kind, s.name, s.target) not in kept and (s.namespace, s.raised[RAISED_BY]) not in unread
    ]


def put_back(cluster: Cluster, discovery: Discovery, scaler: Scaler, leading: Leading) -> None:
    """Give the autoscaler the minimum it had. A failure is logged; it is tried again later."""
    version, minimum, _, least, _ = FLOORS[scaler.kind]
    try:
        path = discovery.object_path(version, scaler.kind, scaler.namespace, scaler.name)
        found = cluster.get(path, timeout_s=_TIMEOUT_S)
        metadata = found["metadata"]
        now = int(found.get("spec", {}).get(minimum, least))
        before = original_minimum(metadata.get("annotations") or {}, now)
        body = {
            "metadata": {
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
                "annotations": {ORIGINAL: None, RAISED_BY: None},
            },
            "spec": {minimum: before},
        }
        if leading.holds(_TIMEOUT_S):
            cluster.patch(path, body, timeout_s=_TIMEOUT_S)
            _LOG.info("minimum put back", scaler=str(scaler), namespace=scaler.namespace, minimum=before)
    except (ClusterError, UnknownTarget) as error:
        _LOG.warning("minimum not put back", scaler=str(scaler), namespace=scaler.namespace, error=str(error))
