"""The store as an administrator sets it: where it is, how long it keeps things, how large it may grow."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from autoscaler.settings_file import Section
from autoscaler.spec.units import Duration, Quantity, format_duration
from autoscaler.store.pruning import Retention

_DAY_S = 86_400.0
_LONGEST_S = 9999 * _DAY_S
_LEAST_BYTES = 64 * 2**20


def _within_reason(seconds: float) -> float:
    if not _DAY_S <= seconds <= _LONGEST_S:
        raise ValueError(f"must be between {format_duration(_DAY_S)} and {format_duration(_LONGEST_S)}")
    return seconds


def _of_some_size(size: float) -> float:
    if size < _LEAST_BYTES:
        raise ValueError("must be at least 64Mi: with less, today's decisions would go already")
    return size


_Age = Annotated[Duration, AfterValidator(_within_reason)]


class Ages(Section):
    """How long rows are kept; what each key is about is in docs/store.md."""

    decisions_s: _Age = Field("30d", validate_default=True)
    observations_s: _Age = Field("14d", validate_default=True)
    hours_s: _Age = Field("400d", validate_default=True)
    forecasts_s: _Age = Field("7d", validate_default=True)
    audit_s: _Age = Field("400d", validate_default=True)
    states_s: _Age = Field("7d", validate_default=True)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.hours_s < self.observations_s:
            raise ValueError("hours must be at least observations, which become hours when they are too old")
        return self


class StoreSettings(Section):
    """url: as `Store.open` takes it. max_bytes: of tables and indexes."""

    url: str
    max_bytes: Annotated[Quantity, AfterValidator(_of_some_size)] = Field("1536Mi", validate_default=True)
    retention: Ages = Ages()

    def limits(self) -> Retention:
        """What is forgotten, and when."""
        return Retention(max_bytes=int(self.max_bytes), **dict(self.retention))
