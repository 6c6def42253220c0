"""The policy that a what-if starts from, and what may be changed of it for a trial on its own past."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import orjson

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.spec.variation import Manifest, SpecRefused, WrittenPolicy

_METADATA = ("name", "namespace", "labels", "annotations")
_OTHER_LOAD = "cannot be tried here: the history is that of the present one; use `autoscaler backtest`"


def present(manifest: Manifest) -> WrittenPolicy:
    """The policy as it stands. Raises SpecRefused when its spec is not valid."""
    written = copy.deepcopy({key: manifest[key] for key in ("apiVersion", "kind", "metadata", "spec")})
    kept = {key: written["metadata"][key] for key in _METADATA if written["metadata"].get(key)}
    # An override is put in force for a while by a person; it is no part of the policy.
    kept.get("annotations", {}).pop(ANNOTATION, None)
    written["metadata"] = {key: value for key, value in kept.items() if value}
    return WrittenPolicy.read(written)


def changed(policy: WrittenPolicy, patch: Mapping[str, Any]) -> WrittenPolicy:
    """`policy` with a JSON merge patch (RFC 7396) applied to its spec.

    Raises SpecRefused when the outcome is not a valid spec, or one for another load.
    """
    try:
        orjson.dumps(patch)
    except orjson.JSONEncodeError as error:
        raise SpecRefused((("patch", f"is no plain JSON: {error}"),)) from error
    varied = policy.patched(patch)
    before, after = policy.resource.spec, varied.resource.spec
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
    return varied
