"""KEDA's ScaledObject as the API server serves it where KEDA is installed, and nobody who acts on it."""

from __future__ import annotations

from control_plane import ControlPlane
from custom_kinds import CRDS, remove, wait_until_served
from workloads import Manifest

_NAME = "scaledobjects.keda.sh"
_CRD: Manifest = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": _NAME},
    "spec": {
        "group": "keda.sh",
        "scope": "Namespaced",
        "names": {
            "plural": "scaledobjects",
            "singular": "scaledobject",
            "kind": "ScaledObject",
            "listKind": "ScaledObjectList",
        },
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


def install_scaled_objects(plane: ControlPlane) -> None:
    """Serve `keda.sh/v1alpha1` ScaledObjects."""
    plane.request("POST", CRDS, _CRD)
    wait_until_served(plane, _NAME)


def remove_scaled_objects(plane: ControlPlane) -> None:
    """Serve them no more."""
    remove(plane, _NAME)


def scaled_object(plane: ControlPlane, namespace: str, name: str, target: str, least: int) -> None:
    """Create one for the Deployment `target`."""
    body = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": name},
        "spec": {"scaleTargetRef": {"name": target}, "minReplicaCount": least, "maxReplicaCount": 50},
    }
    plane.request("POST", f"/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects", body)


def minimum(plane: ControlPlane, namespace: str, name: str) -> int:
    """Its `minReplicaCount`."""
    found = plane.request("GET", f"/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects/{name}")
    count: int = found["spec"]["minReplicaCount"]
    return count
