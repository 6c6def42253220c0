"""The operator's own kind, installed into a control plane as a user does."""

from __future__ import annotations

from pathlib import Path

from control_plane import ControlPlane, wait_until

_FILE = (
    Path(__file__).resolve().parents[2]
    / "operator"
    / "crd"
    / "predictive-autoscaler.dev_predictiveautoscalers.yaml"
)
_PATH = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/predictiveautoscalers.predictive-autoscaler.dev"
)


def install(plane: ControlPlane) -> None:
    """Apply the CRD and wait until it is served; nothing changes where it is there already."""
    plane.kubectl("apply", "--server-side", "-f", str(_FILE))
    wait_until(lambda: _established(plane), 20, "the CRD to be established")


def _established(plane: ControlPlane) -> bool:
    # At first the conditions are null, which kubectl wait takes for a mistake.
    conditions = plane.request("GET", _PATH)["status"].get("conditions") or ()
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
