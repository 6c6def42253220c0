"""A manifest with a changed spec: the change applied, checked as the cluster would, and written as YAML."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.spec import PredictiveAutoscaler
from autoscaler.spec.problems import explain, path_text
from autoscaler.spec.yamltext import yaml_text

Manifest = Mapping[str, Any]
"""apiVersion, kind, metadata and spec as they are in the cluster, in plain JSON."""

_MOST_FAULTS = 20
_METADATA = ("name", "namespace", "labels", "annotations")
_OTHER_LOAD = "cannot be tried here: the history is that of the present one; use `autoscaler backtest`"


class SpecRefused(Exception):
    """A spec that cannot be tried. fields: path within the manifest, and what is wrong there."""

    def __init__(self, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in fields))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy to try. manifest: as it is to be applied. resource: the same, read."""

    manifest: Manifest
    resource: PredictiveAutoscaler

    @property
    def as_yaml(self) -> str:
        """The whole manifest, ready to be applied."""
        return yaml_text(self.manifest)


def present(manifest: Manifest) -> Policy:
    """The policy as it stands. Raises SpecRefused when its spec is not valid."""
    written = copy.deepcopy({key: manifest[key] for key in ("apiVersion", "kind", "metadata", "spec")})
    kept = {key: written["metadata"][key] for key in _METADATA if written["metadata"].get(key)}
    # An override is put in force for a while by a person; it is no part of the policy.
    kept.get("annotations", {}).pop(ANNOTATION, None)
    written["metadata"] = {key: value for key, value in kept.items() if value}
    return Policy(written, _read(written))


def changed(policy: Policy, patch: Mapping[str, Any]) -> Policy:
    """`policy` with a JSON merge patch (RFC 7396) applied to its spec.

    Raises SpecRefused when the outcome is not a valid spec, or one for another load.
    """
    try:
        orjson.dumps(patch)
    except orjson.JSONEncodeError as error:
        raise SpecRefused((("patch", f"is no plain JSON: {error}"),)) from error
    written = {**policy.manifest, "spec": merged(policy.manifest["spec"], patch)}
    resource = _read(written)
    before, after = policy.resource.spec, resource.spec
    faults = [
        (field, _OTHER_LOAD)
        for field, differs in (
            ("spec.load.query", after.load.query != before.load.query),
            ("spec.load.source", after.load.source != before.load.source),
            ("spec.scaleTargetRef", after.scale_target_ref != before.scale_target_ref),
        )
        if differs
    ]
    if faults:
        raise SpecRefused(tuple(faults))
    return Policy(written, resource)


def _read(manifest: Manifest) -> PredictiveAutoscaler:
    try:
        return PredictiveAutoscaler.model_validate(manifest)
    except ValidationError as error:
        # Explained one by one, so that a patch with very many faults is not explained at length.
        found = itertools.islice(explain(error, {}), _MOST_FAULTS)
        raise SpecRefused(tuple((path_text(path), message) for path, message in found)) from error


def merged(target: Any, patch: Any) -> Any:
    """`target` with the JSON merge patch `patch` applied (RFC 7396, section 2). Neither is changed."""
    if not isinstance(patch, Mapping):
        return patch
    outcome = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            outcome.pop(key, None)
        else:
            outcome[key] = merged(outcome.get(key), value)
    return outcome
