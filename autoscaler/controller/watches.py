"""Everything the operator keeps a copy of, each path watched once per namespace it may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autoscaler.controller.acting.rivals import Rivals, parse_hpa, parse_scaled_object
from autoscaler.controller.catalog import Catalog
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.reflector import Reflector
from autoscaler.controller.evaluation import Blind
from autoscaler.controller.observing.pods import PodIndex, parse_pod
from autoscaler.spec.resource import GROUP, VERSION

_SILENT_S = 180.0
"""After this long without a word the copy counts as unknown; a live watch is never silent for so long."""

_AWAITED = "not listed yet"
_ALL = ""
_ByNamespace = dict[str, Reflector[Any]]
"""A list for each namespace, or one under `_ALL` for the whole cluster."""


class Watches:
    """Resources, pods and other autoscalers, as the cluster holds them."""

    def __init__(
        self, cluster: Cluster, namespaces: Sequence[str], catalog: Catalog, pods: PodIndex, rivals: Rivals
    ) -> None:
        def watch(
            group: str,
            plural: str,
            parse: Callable[[dict[str, Any]], Any],
            change: Callable[[str, Any, Any], None],
            optional: bool = False,
        ) -> _ByNamespace:
            paths = {one: f"{group}/namespaces/{one}/{plural}" for one in namespaces}
            return {
                one: Reflector(cluster, path, parse, name=plural, optional=optional, on_change=change)
                for one, path in (paths or {_ALL: f"{group}/{plural}"}).items()
            }

        self._workloads = watch(
            f"/apis/{GROUP}/{VERSION}", "predictiveautoscalers", catalog.parse, catalog.change
        )
        self._pods = watch("/api/v1", "pods", parse_pod, pods.change)
        self._hpas = watch(
            "/apis/autoscaling/v2", "horizontalpodautoscalers", parse_hpa, rivals.change_scaler
        )
        self._scaled_objects = watch(
            "/apis/keda.sh/v1alpha1",
            "scaledobjects",
            parse_scaled_object,
            rivals.change_scaler,
            optional=True,
        )

    def start(self) -> None:
        """Begin to read."""
        for reflector in self._all():
            reflector.start()

    def stop(self) -> None:
        """End."""
        for reflector in self._all():
            reflector.stop()

    def settled(self) -> bool:
        """Whether every list has been read, or why not is known."""
        return all(reflector.synced or reflector.failure for reflector in self._all())

    def blind(self, namespace: str) -> Blind:
        """What of one of the namespaces cannot be seen now."""
        pods, hpas, scaled_objects = (
            lists.get(namespace) or lists[_ALL] for lists in (self._pods, self._hpas, self._scaled_objects)
        )
        # Most clusters have no KEDA; a list that does not exist holds no rivals.
        rivals = _unseen(hpas) or ("" if scaled_objects.absent else _unseen(scaled_objects))
        return Blind(_unseen(pods), rivals)

    def sees_resources(self, namespace: str) -> bool:
        """Whether the resources of a namespace are known, so that one that is not among them is gone."""
        workloads = self._workloads.get(namespace) or self._workloads.get(_ALL)
        return workloads is not None and not _unseen(workloads)

    def problem(self) -> str:
        """Why the operator is not ready; empty when every list was answered and some namespace is seen whole.

        What cannot be seen of the others is told in their resources' conditions. Not being ready would
        take down every replica alike, and help none of them.
        """
        unseen = self._unseen()
        if self.settled() and len(unseen) < len(self._workloads):
            return ""
        return next(iter(unseen.values()), _AWAITED)

    def namespaces_unseen(self) -> int:
        """Of how many of the watched namespaces something cannot be seen; the whole cluster counts as one."""
        return len(self._unseen())

    def _unseen(self) -> dict[str, str]:
        """What cannot be seen, by namespace."""
        found: dict[str, str] = {}
        for namespace, workloads in self._workloads.items():
            blind = self.blind(namespace)
            problem = _unseen(workloads) or blind.pods or blind.rivals
            if problem:
                found[namespace] = problem
        return found

    def _all(self) -> list[Reflector[Any]]:
        lists = (self._workloads, self._pods, self._hpas, self._scaled_objects)
        return [reflector for by_namespace in lists for reflector in by_namespace.values()]


def _unseen(reflector: Reflector[Any]) -> str:
    if not reflector.synced:
        return reflector.failure or _AWAITED
    if reflector.silent_s > _SILENT_S:
        return reflector.failure or f"nothing heard for {reflector.silent_s:.0f} s"
    return ""
