"""The operator's own kind, installed into a control plane as a user does."""

from __future__ import annotations

from pathlib import Path

from control_plane import ControlPlane

_FILE = (
    Path(__file__).resolve().parents[2]
    / "operator"
    / "crd"
    / "predictive-autoscaler.dev_predictiveautoscalers.yaml"
)


def install(plane: ControlPlane) -> None:
    """Apply the CRD and wait until it is served; nothing changes where it is there already."""
    plane.kubectl("apply", "--server-side", "-f", str(_FILE))
    plane.kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(_FILE))
