"""What all shapes have in common: camelCase names, and what times and money look like.

Shapes describe what is answered, for the OpenAPI document, and check what is sent. Answers are built
without them, since that is many times faster; tests hold every answer against its shape.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

Moment = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$",
        json_schema_extra={"format": "date-time"},
    ),
]
"""RFC 3339 in UTC."""

Money = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$")]
"""An amount as decimal text, in the currency that prices are given in."""

Identifier = Annotated[str, Field(pattern="^[0-9a-hjkmnp-tv-z]{13}$", examples=["01j9zk4x8v2tq"])]
"""13 characters that sort by time."""


def _as_whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_as_whole)
"""For a strict integer of a body: in JSON, 12.0 is 12."""

Item = TypeVar("Item")


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class Shape(BaseModel):
    """One object of an answer or a body. Every field is there; what is not known is null."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class ListMetadata(Shape):
    """Where a list goes on."""

    continue_: str = Field(
        alias="continue", description="Give it as `continue` for the next page; empty at the end."
    )
    remaining_item_count: int | SkipJsonSchema[None] = Field(
        default=None,
        ge=0,
        description="Items after this page; left out where counting them would cost too much.",
        json_schema_extra=_without_default,
    )


class ListOf(Shape, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    metadata: ListMetadata


Plain = dict[str, Any]
"""An object whose keys are not fixed."""
