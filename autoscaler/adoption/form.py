"""Manifests of other autoscalers as typed forms that remember what they did not read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from autoscaler.adoption.remarks import Remark, no_need
from autoscaler.spec.behavior import Behavior
from autoscaler.spec.names import Subdomain
from autoscaler.spec.problems import explain
from autoscaler.spec.resource import GROUP
from autoscaler.spec.rules import BROKEN_RULES
from autoscaler.spec.signals import LABEL_PATTERN
from autoscaler.spec.units import format_quantity
from autoscaler.spec.yamltree import Path

MOST = 2_147_483_647

ORIGINAL_MINIMUM = f"{GROUP}/original-minimum"
"""Where the operator notes the minimum of an autoscaler whose floor it raises."""


class Form(BaseModel):
    """Part of a manifest: strict about what it reads, keeping what it does not."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        return {k: v for k, v in data.items() if v is not None} if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _sound(self) -> Self:
        broken = list(self.faults())
        if broken:
            text = "; ".join(message for _, message in broken)
            raise PydanticCustomError(BROKEN_RULES, "{text}", {"text": text, "broken": broken})
        return self

    def faults(self) -> Iterable[tuple[str, str]]:
        """(field, what is wrong) for what no field can say alone."""
        return ()


def unread(form: Form, path: Path = ()) -> Iterator[Path]:
    """Path of every field below `form` that is not read."""
    yield from ((*path, name) for name in form.model_extra or {})
    for name, field in type(form).model_fields.items():
        value = getattr(form, name)
        here = (*path, field.alias or name)
        if isinstance(value, Form):
            yield from unread(value, here)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, Form):
                    yield from unread(item, (*here, index))


def _as_text(value: Any) -> Any:
    """Numbers and truth values as their texts, as people write them without quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _sound_behavior(value: Any) -> Any:
    """The behavior as written, without nulls and with its tolerances as texts."""
    value = _without_nulls(value)
    if isinstance(value, dict):
        for rules in value.values():
            tolerance = rules.get("tolerance") if isinstance(rules, dict) else None
            if isinstance(tolerance, float) and tolerance >= 0:
                rules["tolerance"] = format_quantity(tolerance)
    try:
        Behavior.model_validate(value)
    except ValidationError as error:
        # The words of our own resource, whose behavior has the same form.
        broken = [(".".join(map(str, path)), message) for path, message in explain(error, {})]
        text = "; ".join(message for _, message in broken)
        raise PydanticCustomError(BROKEN_RULES, "{text}", {"text": text, "broken": broken}) from error
    return value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


Text = Annotated[str, BeforeValidator(_as_text)]
"""A text, or what people write without quotes although it should be one."""

LeastReplicas = Annotated[int, Strict(), Field(ge=0, le=MOST)]
MostReplicas = Annotated[int, Strict(), Field(ge=1, le=MOST)]
BehaviorAsWritten = Annotated[dict[str, Any], BeforeValidator(_sound_behavior)]


class Metadata(Form):
    """The parts of ObjectMeta that matter here."""

    name: Subdomain
    namespace: Annotated[str, Field(max_length=63, pattern=LABEL_PATTERN)] = ""
    labels: dict[str, Text] = Field(default_factory=dict)
    annotations: dict[str, Text] = Field(default_factory=dict)
    owner_references: tuple[dict[str, Any], ...] = ()

    def said(self) -> Iterator[Remark]:
        """What is to be said about the rest of the metadata."""
        if self.labels:
            yield no_need("metadata.labels", "tools find their objects by them, and this is another object")

    def minimum(self, now: int) -> int:
        """The least number of replicas as people wrote it, should the operator have raised it to `now`."""
        noted = self.annotations.get(ORIGINAL_MINIMUM, "")
        return min(int(noted), now) if noted.isascii() and noted.isdigit() and len(noted) < 11 else now


def replicas_in_order(low: int, high: int, names: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """A fault if the least number of replicas is above the most."""
    if low > high:
        yield names[0], f"{low} must not be greater than {names[1]}, which is {high}"
