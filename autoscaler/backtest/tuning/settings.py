"""Settings of a policy that a search varies, and the policies that come of it.

The quantile is the stated risk, and so the policy's headroom. The scale-down stabilization window is how
long spare replicas are kept. These two are varied where nothing else is asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from autoscaler.signals.errors import InputError
from autoscaler.spec.units import format_quantile
from autoscaler.spec.variation import SpecRefused, WrittenPolicy, merged

LOWEST_QUANTILE, HIGHEST_QUANTILE = 0.5, 0.995
SCALE_DOWN_WINDOWS_S = (60, 300, 900)
_MOST_VARIANTS = 10_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of the spec, such as ("forecast", "quantile"), and the values it is to take."""

    path: tuple[str, ...]
    values: tuple[Any, ...]

    @property
    def name(self) -> str:
        """As it is written on the command line."""
        return ".".join(self.path)

    def patch(self, value: Any) -> dict[str, Any]:
        """A JSON merge patch of the spec that sets it."""
        for key in reversed(self.path):
            value = {key: value}
        return dict(value)


@dataclass(frozen=True, slots=True)
class Variant:
    """One policy to try. chosen: its value of each setting, in their order; empty for the policy as it is."""

    chosen: tuple[Any, ...]
    policy: WrittenPolicy


def quantile_levels(count: int) -> list[str]:
    """Levels whose odds grow by the same factor each: as fine where risk is small as where it is large."""
    low, high = (np.log(level / (1 - level)) for level in (LOWEST_QUANTILE, HIGHEST_QUANTILE))
    levels = 1 / (1 + np.exp(-np.linspace(low, high, count)))
    return [format_quantile(round(float(level), 3)) for level in levels]


def default_settings(quantiles: int) -> list[Setting]:
    """Quantile and scale-down window; see the top of this module."""
    return [
        Setting(("forecast", "quantile"), tuple(quantile_levels(quantiles))),
        Setting(("behavior", "scaleDown", "stabilizationWindowSeconds"), SCALE_DOWN_WINDOWS_S),
    ]


def parse_setting(text: str) -> Setting:
    """`forecast.quantile=0.8,0.95`: a path within spec and values as YAML writes them. Raises InputError."""
    path, equals, values = text.partition("=")
    keys = tuple(key.strip() for key in path.split("."))
    if keys[0] == "spec":
        keys = keys[1:]
    if not equals or not keys or not all(keys):
        raise InputError(f"--vary {text!r}: give a field of spec and its values: forecast.quantile=0.8,0.95")
    try:
        found = [yaml.safe_load(value) for value in values.split(",")]
    except yaml.YAMLError as error:
        raise InputError(f"--vary {text!r}: a value is not YAML; give plain ones such as 0.8,0.95") from error
    if any(isinstance(value, (dict, list)) for value in found):
        raise InputError(f"--vary {text!r}: give plain values such as 0.8,0.95, no lists or mappings")
    # Quantiles are texts in a manifest, so that they stay as they are written.
    written = [str(value) if keys[-1] == "quantile" else value for value in found]
    return Setting(keys, tuple(dict.fromkeys(written)))


def variants(policy: WrittenPolicy, settings: Sequence[Setting]) -> list[Variant]:
    """`policy` as it is, then with every combination of the settings. Raises InputError."""
    combinations = list(itertools.product(*[setting.values for setting in settings]))
    if len(combinations) > _MOST_VARIANTS:
        raise InputError(
            f"{len(combinations):,} policies are too many; vary fewer, at most {_MOST_VARIANTS:,}"
        )
    return [Variant((), policy), *(_variant(policy, settings, chosen) for chosen in combinations)]


def _variant(policy: WrittenPolicy, settings: Sequence[Setting], chosen: tuple[Any, ...]) -> Variant:
    patch: dict[str, Any] = {}
    for setting, value in zip(settings, chosen, strict=True):
        patch = merged(patch, setting.patch(value))
    if "quantile" in patch.get("forecast", {}):
        patch["objective"] = None  # which would find the quantile itself
    try:
        return Variant(chosen, policy.patched(patch))
    except SpecRefused as error:
        values = ", ".join(f"{s.name}={value}" for s, value in zip(settings, chosen, strict=True))
        raise InputError(f"--vary {values}: {error}") from error
