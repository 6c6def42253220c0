"""HPA v2 `behavior` as written in a manifest, from a JSON file or by a name.

Fields that are left out get the defaults of the API server. Limits are those of its validation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autoscaler.planning.policy import (
    DEFAULT_SCALE_DOWN,
    DEFAULT_SCALE_UP,
    PolicyType,
    RatePolicy,
    ScalingRules,
    SelectPolicy,
)


@dataclass(frozen=True, slots=True)
class Behavior:
    """Both directions, under the name by which it is shown."""

    name: str
    up: ScalingRules
    down: ScalingRules


CALM = Behavior(
    name="calm",
    up=ScalingRules(
        stabilization_s=60.0,
        select=SelectPolicy.MAX,
        policies=(RatePolicy(PolicyType.PODS, 2, 60.0), RatePolicy(PolicyType.PERCENT, 20, 60.0)),
    ),
    down=ScalingRules(
        stabilization_s=300.0,
        select=SelectPolicy.MAX,
        policies=(RatePolicy(PolicyType.PODS, 4, 60.0), RatePolicy(PolicyType.PERCENT, 10, 60.0)),
    ),
)
"""A careful behavior: one minute of agreement before growing, a fifth more or a tenth less a minute."""

DOCUMENTED = Behavior("documented", DEFAULT_SCALE_UP, DEFAULT_SCALE_DOWN)
"""The documented defaults, written out. Not the same as no behavior at all: scale-up is limited
to 4 pods or 100 % per 15 s of what was there, instead of to twice the present count."""

_NAMED = {behavior.name: behavior for behavior in (CALM, DOCUMENTED)}


def read_behavior(text: str) -> Behavior | None:
    """A named behavior, the contents of a JSON file, or None for 'none'.

    Raises ValueError in one line.
    """
    if text == "none":
        return None
    if text in _NAMED:
        return _NAMED[text]
    try:
        # bytes: json recognises UTF-8 with and without a byte order mark
        content = json.loads(Path(text).read_bytes())
    except OSError as wrong:
        names = ", ".join(["none", *_NAMED])
        raise ValueError(f"cannot be read ({wrong.strerror}); give a JSON file or one of {names}") from wrong
    except ValueError as wrong:
        raise ValueError(f"is not JSON ({wrong})") from wrong
    try:
        form = _Form.model_validate(content)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "behavior"
        raise ValueError(f"{where}: {first['msg']}") from wrong
    return Behavior(
        name=Path(text).stem,
        up=_rules(form.scale_up, DEFAULT_SCALE_UP),
        down=_rules(form.scale_down, DEFAULT_SCALE_DOWN),
    )


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Rate(_Strict):
    type: Literal["Pods", "Percent"]
    value: Annotated[int, Field(gt=0)]
    period_s: Annotated[int, Field(alias="periodSeconds", ge=1, le=1800)]


class _Rules(_Strict):
    window_s: Annotated[int | None, Field(alias="stabilizationWindowSeconds", ge=0, le=3600)] = None
    select: Annotated[Literal["Max", "Min", "Disabled"], Field(alias="selectPolicy")] = "Max"
    policies: Annotated[list[_Rate] | None, Field(min_length=1)] = None


class _Form(_Strict):
    scale_up: Annotated[_Rules, Field(alias="scaleUp")] = _Rules()
    scale_down: Annotated[_Rules, Field(alias="scaleDown")] = _Rules()


def _rules(form: _Rules, default: ScalingRules) -> ScalingRules:
    return ScalingRules(
        stabilization_s=default.stabilization_s if form.window_s is None else float(form.window_s),
        select=SelectPolicy(form.select),
        policies=default.policies
        if form.policies is None
        else tuple(
            RatePolicy(PolicyType(rate.type), rate.value, float(rate.period_s)) for rate in form.policies
        ),
    )
