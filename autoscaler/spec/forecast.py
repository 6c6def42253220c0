"""How the load is forecast, and with which risk."""

from __future__ import annotations

import zoneinfo
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from autoscaler.spec.rules import (
    Model,
    Rule,
    absent,
    as_milliseconds,
    between,
    defaulted,
    milliseconds,
    positive,
)
from autoscaler.spec.units import Duration, Quantile, Quantity, Time, parse_duration

ZONE_PATTERN = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"
_SEASON = ("1m", "370d")
JUDGED_AT = 0.95
"""The quantile where none is given, at which forecasts are judged whatever an objective makes of them."""


def _known_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError('must be an IANA time zone that exists, such as "Europe/Berlin"') from error
    return name


def known_country(code: str) -> str:
    """An ISO 3166 country whose public holidays are known; raises ValueError for any other."""
    # Loaded when used: it takes longer than all else that a resource needs.
    import holidays

    try:
        holidays.country_holidays(code, years=2000)
    except NotImplementedError as error:
        raise ValueError("must be a country whose public holidays are known, such as DE") from error
    return code


def _whole_step(forecast: Any) -> bool:
    return bool(forecast.step_s == int(forecast.step_s))


def _seasons_in_bounds(forecast: Any) -> bool:
    shortest, longest = (parse_duration(bound) for bound in _SEASON)
    return all(shortest <= season <= longest for season in forecast.seasons_s)


class Exclusion(Model):
    """A span of history that says nothing about the future."""

    start_s: Time = Field(description="Beginning of the span.")
    end_s: Time = Field(description="End of the span, not included.")
    reason: Annotated[str, Field(max_length=256)] = Field("", description="Why it is left out; for people.")
    rules = (
        Rule(
            "start must be before end", "self.start < self.end", lambda span: span.start_s < span.end_s, "end"
        ),
    )


class Change(Model):
    """A change of the load's level that is known, such as one of prices or of what is switched over."""

    at_s: Time = Field(description="When it happens, or happened.")
    factor: Quantity = Field(
        description='What the load is multiplied by from then on: "0.8" for a fifth less.'
    )
    reason: Annotated[str, Field(max_length=256)] = Field("", description="What changes; for people.")
    rules = (positive("factor", number=True),)


class ForecastSpec(Model):
    """How the load is forecast. Everything has a default."""

    model: Literal[
        "auto",
        "learned",
        "ridge",
        "seasonal-naive",
        "holt-winters",
        "stl",
        "prophet",
        "fourier",
        "trend",
        "none",
    ] = Field("auto", description="Forecasting model. auto picks per workload; none scales on signals alone.")
    history_s: Duration = defaulted("28d", "How much history is read.")
    step_s: Duration = defaulted("1m", "Resolution of history, forecast and decisions.")
    lead_time_s: Duration = defaulted("180s", "Time from asking for a pod until it is ready.")
    quantile: Quantile | None = Field(
        None,
        description="Quantile of the peak load within the lead time to provide for; the stated risk. "
        f'A text such as "{JUDGED_AT}", or an integer percent. Left out: "{JUDGED_AT}", or with an objective '
        "the one that keeps it.",
    )
    time_zone: Annotated[
        str, Field(min_length=1, max_length=64, pattern=ZONE_PATTERN), AfterValidator(_known_zone)
    ] = defaulted("UTC", "IANA time zone in whose local time the seasons repeat.")
    holidays: Annotated[
        str, Field(min_length=2, max_length=2, pattern=r"^[A-Z]{2}$"), AfterValidator(known_country)
    ] = absent(
        "ISO 3166 country, such as DE, whose public holidays differ from other days. Left out: none.",
    )
    seasons_s: Annotated[tuple[Duration, ...], Field(min_length=1, max_length=4)] = defaulted(
        ("24h", "7d"), "Periods after which the load repeats itself."
    )
    refit_s: Duration = defaulted("6h", "How often the model is fitted anew.")
    exclude: Annotated[tuple[Exclusion, ...], Field(max_length=64)] = defaulted(
        (), "Spans of history to leave out of fitting, such as outages and load tests."
    )
    changes: Annotated[tuple[Change, ...], Field(max_length=16)] = defaulted(
        (), "Lasting changes of the load's level that are known, past and to come."
    )
    rules = (
        between("history", "history_s", "10m", "400d"),
        between("step", "step_s", "1s", "1h"),
        Rule(
            "step must be whole seconds",
            f"{as_milliseconds('self.step')} % 1000 == 0",
            _whole_step,
            "step",
        ),
        Rule(
            "history must not be shorter than step",
            f"{as_milliseconds('self.history')} >= {as_milliseconds('self.step')}",
            lambda forecast: forecast.history_s >= forecast.step_s,
            "history",
        ),
        between("leadTime", "lead_time_s", "0s", "1d"),
        Rule(
            "quantile must be more than zero",
            "!has(self.quantile) || type(self.quantile) == int || self.quantile.matches('[1-9]')",
            lambda forecast: forecast.risk > 0.0,
            "quantile",
        ),
        Rule(
            f"every season must be between {_SEASON[0]} and {_SEASON[1]}",
            f"self.seasons.all(s, {as_milliseconds('s')} >= {milliseconds(_SEASON[0])} && "
            f"{as_milliseconds('s')} <= {milliseconds(_SEASON[1])})",
            _seasons_in_bounds,
            "seasons",
        ),
        between("refit", "refit_s", "1m", "30d"),
    )

    @property
    def risk(self) -> float:
        """The quantile that is stated; where an objective finds it, the one that forecasts are judged at."""
        return JUDGED_AT if self.quantile is None else self.quantile
