"""Overrides in a cluster: one annotation of the resource, written with the service's own rights."""

from __future__ import annotations

import re
from typing import Literal

import anyio.to_thread

from autoscaler.api.parts import OverrideRefused
from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterError, Invalid, Json, NotFound, Unavailable
from autoscaler.spec.resource import GROUP, VERSION

_PATIENCE_S = 5.0
_POINTER = f"/metadata/annotations/{ANNOTATION.replace('/', '~1')}"
"""The annotation in a JSON patch."""

_REASON = re.compile(r"[A-Z][A-Za-z]{1,39}")
"""A reason as Kubernetes has them, such as `Forbidden`. What is anything else may be anything."""


class Annotations:
    """`Overrides` by patching PredictiveAutoscalers. Whether the caller may is decided before."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def put(self, workload: str, text: str) -> None:
        """Set the annotation; see `parts.Overrides`."""
        body = {"metadata": {"annotations": {ANNOTATION: text}}}
        await anyio.to_thread.run_sync(self._patch, workload, body, "merge")

    async def remove(self, workload: str, text: str) -> bool:
        """Remove the annotation if it is `text`; see `parts.Overrides`."""
        # One patch that tests and removes: in between nobody can set another.
        body = [{"op": "test", "path": _POINTER, "value": text}, {"op": "remove", "path": _POINTER}]
        return await anyio.to_thread.run_sync(self._patch, workload, body, "json")

    def _patch(self, workload: str, body: Json | list[Json], content: Literal["merge", "json"]) -> bool:
        """Whether it was taken: a JSON patch is not, where its test fails."""
        namespace, _, name = workload.partition("/")
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/predictiveautoscalers/{name}"
        try:
            self._cluster.patch(path, body, content, timeout_s=_PATIENCE_S)
        except NotFound as error:
            raise OverrideRefused(f"there is no PredictiveAutoscaler {workload} in the cluster") from error
        except ClusterError as error:
            if isinstance(error, Invalid) and content == "json":
                return False
            if isinstance(error, Unavailable) and error.outcome_unknown:
                raise OverrideRefused(
                    "the API server gave no usable answer; look at the workload whether the change was made"
                ) from error
            # What the API server says may name more than the caller is to see.
            otherwise = f"HTTP {error.status}" if error.status else "no answer"
            why = error.reason if _REASON.fullmatch(error.reason) else otherwise
            raise OverrideRefused(f"the API server did not take the change ({why})") from error
        return True
