"""A policy as it is written, and variations of it: a change applied, checked as the cluster would."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from autoscaler.spec.problems import explain, path_text
from autoscaler.spec.resource import PredictiveAutoscaler
from autoscaler.spec.yamltext import yaml_text

Manifest = Mapping[str, Any]
"""apiVersion, kind, metadata and spec as they are in the cluster, in plain JSON."""

_MOST_FAULTS = 20


class SpecRefused(Exception):
    """A spec that cannot be tried. fields: path within the manifest, and what is wrong there."""

    def __init__(self, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in fields))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class WrittenPolicy:
    """A policy to try. manifest: as it is to be applied. resource: the same, read."""

    manifest: Manifest
    resource: PredictiveAutoscaler

    @staticmethod
    def read(manifest: Manifest) -> WrittenPolicy:
        """Raises SpecRefused when it is not valid."""
        try:
            return WrittenPolicy(manifest, PredictiveAutoscaler.model_validate(manifest))
        except ValidationError as error:
            # Explained one by one, so that one with very many faults is not explained at length.
            found = itertools.islice(explain(error, {}), _MOST_FAULTS)
            raise SpecRefused(tuple((path_text(path), message) for path, message in found)) from error

    @property
    def as_yaml(self) -> str:
        """The whole manifest, ready to be applied."""
        return yaml_text(self.manifest)

    def patched(self, patch: Mapping[str, Any]) -> WrittenPolicy:
        """With a JSON merge patch (RFC 7396) applied to its spec. Raises SpecRefused."""
        return WrittenPolicy.read({**self.manifest, "spec": merged(self.manifest["spec"], patch)})


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
