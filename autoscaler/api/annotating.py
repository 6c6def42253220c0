"""Overrides in a cluster: one annotation of the resource, written with the service's own rights."""

from __future__ import annotations

import anyio.to_thread

from autoscaler.api.parts import OverrideRefused
from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterError, NotFound
from autoscaler.spec.resource import GROUP, VERSION

_PATIENCE_S = 5.0


class Annotations:
    """`Overrides` by patching PredictiveAutoscalers. Whether the caller may is decided before."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def put(self, workload: str, text: str | None) -> None:
        """Set or remove the annotation; see `parts.Overrides`."""
        await anyio.to_thread.run_sync(self._patch, workload, text)

    def _patch(self, workload: str, text: str | None) -> None:
        namespace, _, name = workload.partition("/")
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/predictiveautoscalers/{name}"
        body = {"metadata": {"annotations": {ANNOTATION: text}}}
        try:
            self._cluster.patch(path, body, "merge", timeout_s=_PATIENCE_S)
        except NotFound as error:
            raise OverrideRefused(f"there is no PredictiveAutoscaler {workload} in the cluster") from error
        except ClusterError as error:
            # What the API server says may name more than the caller is to see.
            raise OverrideRefused(
                f"the API server did not take the change ({error.reason or error.status})"
            ) from error
