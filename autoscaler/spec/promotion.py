"""A resource with its shadow's differences in place of its own: what promoting the shadow means."""

from __future__ import annotations

from typing import Any

from autoscaler.spec.variation import Manifest, WrittenPolicy, merged


def promoted(manifest: Manifest) -> WrittenPolicy | None:
    """`manifest` with its shadow's policy merged into its spec, and no shadow; None where it has none.

    Raises SpecRefused where that is no valid resource.
    """
    spec = manifest["spec"]
    shadow = spec.get("shadow")
    if not shadow:
        return None
    own = {field: value for field, value in spec.items() if field != "shadow"}
    return WrittenPolicy.read({**manifest, "spec": merged(own, _without_nulls(shadow["policy"]))})


def _without_nulls(written: Any) -> Any:
    """A null means what leaving the field out does, as in the cluster, and nothing is taken away by it."""
    if not isinstance(written, dict):
        return written
    return {field: _without_nulls(value) for field, value in written.items() if value is not None}
