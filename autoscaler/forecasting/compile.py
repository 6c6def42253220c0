"""From the resource a user wrote to the settings in plain numbers that models work from."""

from __future__ import annotations

from autoscaler.forecasting.forecaster import Change, ForecastSettings, Interval, Repeat
from autoscaler.spec import PredictiveAutoscaler


def compile_settings(
    resource: PredictiveAutoscaler, horizon: int, lead: int | None = None
) -> ForecastSettings:
    """What a valid resource asks of its forecast. horizon, lead: as in ForecastSettings, in steps.

    An event that is expected to be like an earlier one is no ordinary load: it is left out like a load test.
    """
    spec, events = resource.spec.forecast, resource.spec.events
    repeats = tuple(
        Repeat(event.name, event.start_s, event.end_s, event.like.start_s, event.like.factor)
        for event in events
        if event.like is not None
    )
    left_out = [Interval(span.start_s, span.end_s, span.reason) for span in spec.exclude]
    left_out += [Interval(repeat.start_s, repeat.end_s, repeat.name) for repeat in repeats]
    return ForecastSettings(
        horizon=horizon,
        seasons_s=tuple(int(season) for season in spec.seasons_s),
        time_zone=spec.time_zone,
        holidays=spec.holidays or "",
        excluded=tuple(left_out),
        events=tuple(
            Interval(event.start_s, event.end_s, event.name) for event in events if event.like is None
        ),
        repeats=repeats,
        changes=tuple(Change(change.at_s, change.factor) for change in spec.changes),
        quantile=spec.risk,
        lead=lead,
    )
