"""What the API server's refusals mean for one workload: a reason code, and what to do in words."""

from __future__ import annotations

from autoscaler.controller.acting.dials import ScalesSomethingElse
from autoscaler.controller.cluster.discovery import NotScalable, UnknownTarget
from autoscaler.controller.cluster.errors import (
    ClusterError,
    Conflict,
    Forbidden,
    NotFound,
    TooManyRequests,
    Unauthorized,
)
from autoscaler.controller.outcome import Fault
from autoscaler.spec.resource import Spec


def fault_of(error: ClusterError | UnknownTarget, spec: Spec | None) -> Fault:
    """The fault that `error` is for a workload with `spec`."""
    target = (
        f"{spec.scale_target_ref.kind} {spec.scale_target_ref.name}" if spec is not None else "the target"
    )
    match error:
        case NotScalable():
            return Fault("TargetNotScalable", str(error))
        case UnknownTarget():
            return Fault("TargetKindUnknown", str(error))
        case ScalesSomethingElse():
            return Fault("FloorElsewhere", f"{error}; correct spec.floor or spec.scaleTargetRef")
        case NotFound():
            floored = spec is not None and spec.floor is not None
            unless = ", or no autoscaler as in spec.floor" if floored else ""
            return Fault("TargetNotFound", f"there is no {target} in this namespace{unless}")
        case Forbidden():
            return Fault("NoPermission", f"the operator may not scale {target}: {error}")
        case Unauthorized():
            return Fault(
                "NotAuthenticated", f"the API server does not accept the operator's credentials: {error}"
            )
        case Conflict():
            return Fault(
                "TargetKeepsChanging",
                f"{target} changed at every attempt to scale it; tried again on schedule",
            )
        case TooManyRequests():
            return Fault("Throttled", "the API server asked us to slow down; tried again on schedule")
        case _:
            return Fault("ApiServerUnavailable", f"the API server did not answer as it should: {error}")
