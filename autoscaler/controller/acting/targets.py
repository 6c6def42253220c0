"""What an autoscaler scales, told so that references to it can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoscaler.spec.resource import TargetRef

Target = tuple[str, str, str, str]
"""Namespace, API group, kind and name."""

_LEFT_OUT = {"HorizontalPodAutoscaler": ("", ""), "ScaledObject": ("apps/v1", "Deployment")}
"""API version and kind of what a kind of autoscaler scales where it does not say."""


def target_of(namespace: str, target: TargetRef) -> Target:
    """What a resource's reference names; versions of one group are one target."""
    return (namespace, _group(target.api_version), target.kind, target.name)


def scaled_by(scaler: str, namespace: str, spec: Mapping[str, Any]) -> Target:
    """What another autoscaler scales. scaler: its kind. spec: as the API server sends it."""
    target = spec.get("scaleTargetRef", {})
    version, kind = _LEFT_OUT[scaler]
    group = _group(target.get("apiVersion") or version)
    return (namespace, group, target.get("kind") or kind, target.get("name", ""))


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]
