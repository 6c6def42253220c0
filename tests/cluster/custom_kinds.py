"""Custom kinds of a control plane: ours as it is shipped, and waiting until one is served."""

from __future__ import annotations

from pathlib import Path

from control_plane import ControlPlane
from waiting import wait_until
from workloads import Manifest

CRD = "predictiveautoscalers.predictive-autoscaler.dev"
CRD_FILE = (
    Path(__file__).resolve().parents[2]
    / "operator"
    / "crd"
    / "predictive-autoscaler.dev_predictiveautoscalers.yaml"
)
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def install_ours(plane: ControlPlane) -> None:
    """Apply our CRD and wait until the kind is served."""
    plane.kubectl("apply", "--server-side", "--force-conflicts", "--filename", str(CRD_FILE))
    wait_until_served(plane, CRD)


def wait_until_served(plane: ControlPlane, name: str) -> None:
    """Wait until the CRD `name` is served; `kubectl wait` fails on one that has no conditions yet."""

    def served() -> bool:
        conditions = (crd(plane, name) or {}).get("status", {}).get("conditions") or ()
        return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

    wait_until(served, 30, f"{name} to be served")


def remove(plane: ControlPlane, name: str) -> None:
    """Remove a CRD with all its objects, and wait until it is gone."""
    plane.request("DELETE", f"{CRDS}/{name}")
    wait_until(lambda: crd(plane, name) is None, 30, f"{name} to be gone")


def crd(plane: ControlPlane, name: str) -> Manifest | None:
    """A CRD as it is stored, None where there is none."""
    found = plane.request("GET", f"{CRDS}?fieldSelector=metadata.name%3D{name}")["items"]
    return found[0] if found else None
