"""The state of one workload as the controller keeps it, with nothing wrong until a test changes that."""

from __future__ import annotations

import copy
from typing import Any

from autoscaler.api.shapes.workloads import EXAMPLE

NOON_S = 1_795_780_800.0  # 2026-11-27T12:00:00Z


def state(**parts: Any) -> dict[str, Any]:
    """A healthy workload. A mapping changes fields of that part, anything else replaces the part."""
    made = copy.deepcopy(EXAMPLE)
    made = {key: value for key, value in made.items() if key not in ("problems", "severity")}
    made["forecast"]["peak"] = 900.0
    for name, value in parts.items():
        if isinstance(value, dict) and isinstance(made.get(name), dict):
            made[name] = {**made[name], **value}
        else:
            made[name] = value
    return made
