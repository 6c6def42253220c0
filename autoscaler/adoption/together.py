"""Several autoscalers at once, and where their manifests would get in each other's way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autoscaler.adoption.compose import Adoption, Wanted, compose
from autoscaler.adoption.remarks import Remark, lost
from autoscaler.adoption.scaler import Scaler


def adopt(scalers: Sequence[Scaler], wanted: Wanted) -> list[Adoption]:
    """A manifest for each; clashes between them are remarks of the later one."""
    return [_beside(compose(scaler, wanted), scalers[:index]) for index, scaler in enumerate(scalers)]


def _beside(adoption: Adoption, earlier: Sequence[Scaler]) -> Adoption:
    remarks: list[Remark] = []
    own = adoption.scaler
    for other in earlier:
        if other.namespace != own.namespace:
            continue
        if other.name == own.name:
            text = f"the manifest for {other.label} has the same name: rename one, or it replaces the other"
            remarks.append(lost("metadata.name", text))
        if _target(other) == _target(own):
            text = f"{other.label} scales the same target: only one manifest may, so leave one out"
            remarks.append(lost("spec.scaleTargetRef", text))
    return replace(adoption, remarks=(*adoption.remarks, *remarks))


def _target(scaler: Scaler) -> tuple[str, str, str]:
    """What is scaled, whatever the version of its group."""
    group = scaler.target["apiVersion"].rpartition("/")[0]
    return group, scaler.target["kind"], scaler.target["name"]
