"""The PredictiveAutoscaler resource: typed models, units, manifests, and the CRD made from them."""

from autoscaler.spec.manifest import (
    Located,
    ManifestError,
    Manifests,
    Problem,
    Skipped,
    read_manifests,
    read_text,
    require,
)
from autoscaler.spec.resource import API_VERSION, GROUP, KIND, VERSION, PredictiveAutoscaler, Spec
from autoscaler.spec.schema import custom_resource_definition

__all__ = [
    "API_VERSION",
    "GROUP",
    "KIND",
    "VERSION",
    "Located",
    "ManifestError",
    "Manifests",
    "PredictiveAutoscaler",
    "Problem",
    "Skipped",
    "Spec",
    "custom_resource_definition",
    "read_manifests",
    "read_text",
    "require",
]
