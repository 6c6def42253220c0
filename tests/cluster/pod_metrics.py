"""What pods use, served as metrics-server serves it, but with numbers that a test writes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from control_plane import ControlPlane
from waiting import wait_until
from workloads import Manifest

_GROUP, _VERSION = "metrics.k8s.io", "v1beta1"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_CRD: Manifest = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": f"pods.{_GROUP}",
        # The API server asks for this in every group below k8s.io.
        "annotations": {"api-approved.kubernetes.io": "unapproved, test only"},
    },
    "spec": {
        "group": _GROUP,
        "scope": "Namespaced",
        "names": {"plural": "pods", "singular": "pod", "kind": "PodMetrics", "listKind": "PodMetricsList"},
        "versions": [
            {
                "name": _VERSION,
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


class PodMetrics:
    """The resource metrics API of a control plane, as objects that a test writes."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def install(self) -> None:
        """Serve `metrics.k8s.io/v1beta1` pods; nothing has been reported yet."""
        self._plane.request("POST", _CRDS, _CRD)
        wait_until(self._established, 20, "the resource metrics API")

    def remove(self) -> None:
        """Take the API away, with all that was reported."""
        self._plane.request("DELETE", f"{_CRDS}/pods.{_GROUP}")
        wait_until(lambda: not self._crd(), 20, "the resource metrics API to be gone")

    def report(self, namespace: str, cpu: Mapping[str, str], memory: str = "64Mi") -> None:
        """Say how much CPU each pod uses (a quantity, by name) now, over the last second, and memory."""
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        pods = self._plane.request("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
        for pod in pods:
            name = pod["metadata"]["name"]
            if name in cpu:
                usage = {"cpu": cpu[name], "memory": memory}
                self._write(namespace, name, pod["metadata"].get("labels", {}), usage, now)

    def report_each(self, namespace: str, app: str, cpu: str, memory: str = "64Mi") -> None:
        """Say that every pod of a workload of `ControlPlane.deployment` uses `cpu` and `memory`."""
        path = f"/api/v1/namespaces/{namespace}/pods?labelSelector=app%3D{app}"
        pods = self._plane.request("GET", path)["items"]
        self.report(namespace, {pod["metadata"]["name"]: cpu for pod in pods}, memory)

    def forget_gone(self, namespace: str) -> None:
        """Report nothing any more of pods that are gone, as metrics-server does."""
        reported = f"/apis/{_GROUP}/{_VERSION}/namespaces/{namespace}/pods"
        names = [
            {item["metadata"]["name"] for item in self._plane.request("GET", path)["items"]}
            for path in (reported, f"/api/v1/namespaces/{namespace}/pods")
        ]
        for name in names[0] - names[1]:
            self._plane.request("DELETE", f"{reported}/{name}")

    def _write(
        self, namespace: str, name: str, labels: Mapping[str, str], usage: Mapping[str, str], now: str
    ) -> None:
        body = {
            "apiVersion": f"{_GROUP}/{_VERSION}",
            "kind": "PodMetrics",
            "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
            "timestamp": now,
            "window": "1s",
            "containers": [{"name": "app", "usage": dict(usage)}],
        }
        path = f"/apis/{_GROUP}/{_VERSION}/namespaces/{namespace}/pods/{name}?fieldManager=test&force=true"
        self._plane.request("PATCH", path, body, "application/apply-patch+yaml")

    def _crd(self) -> Manifest | None:
        found = self._plane.request("GET", f"{_CRDS}?fieldSelector=metadata.name%3Dpods.{_GROUP}")["items"]
        return found[0] if found else None

    def _established(self) -> bool:
        # A new one has conditions that are null.
        conditions = (self._crd() or {}).get("status", {}).get("conditions") or ()
        return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
