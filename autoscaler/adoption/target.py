"""What an autoscaler scales, as a `scaleTargetRef` of ours."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from autoscaler.adoption.form import Form
from autoscaler.adoption.remarks import Remark, fill_in, kept
from autoscaler.spec.problems import explain, path_text
from autoscaler.spec.resource import TargetRef

_APPS = "apps/v1"
_REMOVED = frozenset({"extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"})
"""Served by no cluster since Kubernetes 1.16; the controller looked only at the group's kinds."""

_OF_KIND = {"Deployment": _APPS, "StatefulSet": _APPS, "ReplicaSet": _APPS, "ReplicationController": "v1"}


class Target(Form):
    """`scaleTargetRef` as other autoscalers write it."""

    api_version: str = ""
    kind: str = ""
    name: str
    env_source_container_name: str = ""

    def faults(self) -> Iterator[tuple[str, str]]:
        """What our own `scaleTargetRef` would not take."""
        written = {"apiVersion": self.api_version or None, "kind": self.kind or "Any", "name": self.name}
        try:
            TargetRef.model_validate(written)
        except ValidationError as error:
            yield from ((path_text(path), message) for path, message in explain(error, {}))


def target_of(written: Target, default_kind: str = "") -> tuple[dict[str, str], list[Remark]]:
    """apiVersion, kind and name, and what is to be said about them."""
    kind = written.kind or default_kind
    version = written.api_version
    remarks = []
    if version in _REMOVED:
        remarks.append(
            kept("spec.scaleTargetRef.apiVersion", f"{_APPS}, since {version} is no longer served")
        )
        version = _APPS
    elif not version:
        version = _OF_KIND.get(kind, _APPS)
        if kind not in _OF_KIND:
            text = f"not written in the source: confirm that {kind} is in {version}"
            remarks.append(fill_in("spec.scaleTargetRef.apiVersion", text))
    found = {"apiVersion": version, "kind": kind, "name": written.name}
    return found, [kept("spec.scaleTargetRef", f"{kind} {written.name} ({version})"), *remarks]
