"""Models whose rules are written once and hold twice: in Python here, as CEL in the cluster.

A rule relates fields to each other, or bounds one whose text a schema cannot compare. The
CustomResourceDefinition takes its rules and their messages from the same `Rule` objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from autoscaler.spec.units import parse_duration

BROKEN_RULES = "broken_rules"
"""Type of the validation error whose context lists (field, message) of each broken rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One claim about a valid object, with one message for both places it is checked in.

    message: what must hold, in plain words. cel: the claim in the Common Expression Language,
    where `self` is the object. holds: the same claim about the typed model. field: name in
    the manifest of the field that a failure is reported at; empty for the object itself.
    """

    message: str
    cel: str
    holds: Callable[[Any], bool]
    field: str = ""


def _alias(name: str) -> str:
    """`lead_time_s` in Python is `leadTime` in a manifest, whose texts carry their own unit."""
    return to_camel(name.removesuffix("_s"))


class Model(BaseModel):
    """Part of the resource: immutable, strict about unknown fields, camelCase outside."""

    model_config = ConfigDict(
        alias_generator=_alias,
        populate_by_name=True,
        frozen=True,
        extra="forbid",
        validate_default=True,
        allow_inf_nan=False,
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        """As in the cluster, which prunes nulls before it fills in defaults; not of unknown fields."""
        if not isinstance(data, dict):
            return data
        known = {field.alias for field in cls.model_fields.values()}
        return {key: value for key, value in data.items() if value is not None or key not in known}

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        broken = [(rule.field, rule.message) for rule in self.rules if not rule.holds(self)]
        if broken:
            text = "; ".join(message for _, message in broken)
            raise PydanticCustomError(BROKEN_RULES, "{text}", {"text": text, "broken": broken})
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The model's schema with its rules as the cluster checks them."""
        schema = handler.resolve_ref_schema(handler(core))
        if cls.rules:
            schema["x-kubernetes-validations"] = list(_validations(cls.rules))
        return schema


def defaulted(written: object, description: str, schema: dict[str, Any] | None = None) -> Any:
    """A field that may be left out, with its default as a manifest would write it.

    schema: what else its schema says. Returns Any because the default is a text or mapping and
    the field's type is what validation makes of it.
    """
    return Field(default=written, description=description, json_schema_extra=schema)


def absent(description: str) -> Any:
    """A text that may be left out and is then empty, which a text that is written must not be."""
    return Field(default="", validate_default=False, description=description)


def _validations(rules: tuple[Rule, ...]) -> Iterator[dict[str, str]]:
    for rule in rules:
        validation = {"rule": rule.cel, "message": rule.message}
        if rule.field:
            validation["fieldPath"] = f".{rule.field}"
        yield validation


def positive(
    field: str, name: str = "", *, optional: bool = False, number: bool = False, word: str = ""
) -> Rule:
    """The amount in `field` (attribute `name` of the model) is more than zero.

    Works on the text: no unit has digits of its own and signs and exponents are not allowed, so
    an amount is zero exactly if all its digits are. optional: the field may be absent.
    number: it may also be written as an integer. word: text that stands for an amount yet to be found.
    """
    attribute = name or field
    matches = f"self.{field}.matches('{f'[1-9]|{word}' if word else '[1-9]'}')"
    if number:
        matches = f"(type(self.{field}) == int ? self.{field} > 0 : {matches})"

    def holds(model: Any) -> bool:
        value = getattr(model, attribute)
        return value is None or value > 0

    return Rule(
        f"{field} must be more than zero",
        f"!has(self.{field}) || {matches}" if optional else matches,
        holds,
        field,
    )


def between(field: str, name: str, low: str, high: str, *, optional: bool = False) -> Rule:
    """The duration in `field` (attribute `name` of the model) lies within `low` and `high`.

    optional: the field may be absent.
    """
    shortest, longest = parse_duration(low), parse_duration(high)
    span = as_milliseconds(f"self.{field}")

    def holds(model: Any) -> bool:
        value = getattr(model, name)
        return value is None or bool(shortest <= value <= longest)

    inside = f"{span} >= {milliseconds(low)} && {span} <= {milliseconds(high)}"
    return Rule(
        f"{field} must be between {low} and {high}",
        f"!has(self.{field}) || ({inside})" if optional else inside,
        holds,
        field,
    )


def as_milliseconds(text: str) -> str:
    """CEL for the milliseconds of the duration written in `text`; CEL itself reads only up to hours."""
    number = f"int({text}.substring(0, {text}.size() - 1))"
    return (
        f"({text}.endsWith('d') ? {number} * 86400000 : "
        f"{text}.endsWith('w') ? {number} * 604800000 : duration({text}).getMilliseconds())"
    )


def milliseconds(text: str) -> int:
    """Milliseconds of the duration `text`, for a constant in CEL."""
    return round(parse_duration(text) * 1000)
