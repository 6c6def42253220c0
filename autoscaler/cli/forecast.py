"""`autoscaler forecast`: history in, a fan of quantiles out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from autoscaler.backtest.report.writing import check_outputs, together, write_bytes
from autoscaler.cli import forecast_view
from autoscaler.cli.arguments import duration_s, quantiles
from autoscaler.cli.conditions import read_policies
from autoscaler.cli.history import HISTORY, read_histories
from autoscaler.cli.shared_model import shared_model
from autoscaler.forecasting.compile import compile_settings
from autoscaler.forecasting.forecaster import Forecaster, ForecastSettings
from autoscaler.forecasting.known.occasions import Occasion, in_words, known_load, raised
from autoscaler.forecasting.registry import NAMES, forecaster
from autoscaler.forecasting.related.following import followed, reach
from autoscaler.forecasting.related.relation import FOLLOWS, NOT_STEADY, Follows, learn_relation, usable
from autoscaler.series import Batch, Forecast, Series
from autoscaler.signals.errors import InputError
from autoscaler.spec import PredictiveAutoscaler
from autoscaler.spec.forecast import known_country

_MOST_STEPS = 20_160
_SLOW_FIT_DEADLINE_S = 300.0


@dataclass(frozen=True, slots=True)
class Options:
    """The command line as given; see `autoscaler.cli.commands` for what each option means."""

    trace: Path | None = None
    prometheus: str = ""
    query: str = ""
    history: str = ""
    step: str = ""
    model: str = "auto"
    model_folder: Path | None = None
    horizon: str = "1h"
    quantiles: str = "0.05,0.25,0.5,0.75,0.95"
    seasons: str = "24h,7d"
    holidays: str = ""
    policy: Path | None = None
    until: str = ""
    follows: str = ""
    time_zone: str = ""
    html: Path | None = None
    png: Path | None = None
    csv: Path | None = None
    json: Path | None = None
    quiet: bool = False


def forecast(options: Options) -> Forecast:
    """Run the command."""
    _check_outputs(options)
    if options.model not in NAMES:
        raise InputError(f"--model {options.model!r} is unknown; choose one of {', '.join(NAMES)}")
    model_for = shared_model(options.model_folder)
    (series,) = read_histories(
        () if options.trace is None else (options.trace,),
        prometheus=options.prometheus,
        query=options.query,
        history=options.history if options.prometheus else "",
        step=options.step,
        time_zone=options.time_zone,
        until=options.until,
        wanted=(options.follows,) if options.follows else (),
    )
    settings = _settings(options, series)
    occasions = [Occasion.of(repeat, series) for repeat in settings.repeats]
    series = _kept(series, duration_s("--history", options.history or HISTORY))
    history = Batch.of(series)
    model = forecaster(options.model, _SLOW_FIT_DEADLINE_S, model_for=model_for)
    predictor = model.fit(history, settings)
    made = predictor.predict(history, np.zeros(1, np.int64))
    if options.follows:
        made = _following(series, made, model, settings, options)
    made = _raised(made, occasions)
    _write(series, made, options)
    if not options.quiet:
        console = Console()
        console.print(forecast_view.terminal_view(series, made, console.width))
    return made


def _check_outputs(options: Options) -> None:
    outputs = {"--html": options.html, "--png": options.png, "--csv": options.csv, "--json": options.json}
    check_outputs(outputs, [path for path in (options.trace, options.policy) if path is not None])


def _following(
    series: Series, own: Forecast, model: Forecaster, settings: ForecastSettings, options: Options
) -> Forecast:
    """The forecast by the tier in front, whose load is a column of the trace; says so where it cannot be."""
    column = series.columns.get(options.follows)
    if column is None:
        raise InputError(
            f"--follows {options.follows}: {series.name} has no such column; record the load of the tier in "
            "front in a column of that name"
        )
    ahead = replace(series, values=usable(column), columns={})
    follows = Follows(options.follows)
    relation = learn_relation(
        series.values, ahead.values, series.step_s, settings.horizon, own.levels, follows
    )
    if isinstance(relation, str):
        return replace(own, notes=(f"does not follow {options.follows}: {relation}; {own.notes[0]}",))
    history = Batch.of(ahead)
    front = model.fit(history, settings).predict(history, np.zeros(1, np.int64))
    width = reach(follows.max_lag_s, series.step_s)
    mine, theirs = (Batch.rolling(one, len(one) - 1, len(one), width).values for one in (series, ahead))
    peaks = followed([relation], mine, theirs, front.peaks, own.levels, series.step_s)
    if not np.isfinite(peaks).all():
        return replace(own, notes=(f"does not follow {options.follows}: {NOT_STEADY}; {own.notes[0]}",))
    values = followed([relation], mine, theirs, front.values, own.levels, series.step_s, single=True)
    note = f"{options.follows} {relation.lag * series.step_s} s later at a ratio of {relation.ratio:.3g}"
    return replace(own, values=np.minimum(values, peaks), peaks=peaks, models=(FOLLOWS,), notes=(note,))


def _settings(options: Options, series: Series) -> ForecastSettings:
    horizon = math.ceil(duration_s("--horizon", options.horizon) / series.step_s)
    if horizon > _MOST_STEPS:
        raise InputError(
            f"--horizon {options.horizon} is {horizon:,} steps; at most {_MOST_STEPS:,} can be drawn"
        )
    levels = quantiles("--quantiles", options.quantiles)
    if not levels:
        raise InputError("--quantiles is empty; give levels such as 0.05,0.5,0.95")
    if options.policy is not None:
        return replace(compile_settings(_only_policy(options.policy), horizon), levels=levels)
    if options.holidays:
        try:
            known_country(options.holidays)
        except ValueError as error:
            raise InputError(f"--holidays {options.holidays!r} {error}") from error
    seasons = (duration_s("--seasons", piece.strip()) for piece in options.seasons.split(","))
    return ForecastSettings(
        horizon=horizon,
        levels=levels,
        seasons_s=tuple(sorted(int(season) for season in seasons)),
        time_zone=options.time_zone or "UTC",
        holidays=options.holidays,
    )


def _only_policy(path: Path) -> PredictiveAutoscaler:
    located = read_policies(path)
    if len(located) != 1:
        raise InputError(f"{path}: holds {len(located)} policies; name a file with the one to forecast for")
    return located[0].resource


def _raised(made: Forecast, occasions: list[Occasion]) -> Forecast:
    """The forecast of one workload with what is known of occasions, and what is not."""
    times_s = made.made_at_s[0] + made.step_s * np.arange(1, made.horizon + 1, dtype=np.int64)
    values, peaks = raised(made.values[0], made.peaks[0], known_load(occasions, times_s))
    near = [one for one in occasions if one.repeat.start_s <= times_s[-1] and times_s[0] < one.repeat.end_s]
    notes = (made.notes[0], *(one.lacking or in_words(one.repeat) for one in near))
    told = "; ".join(note for note in notes if note)
    return replace(made, values=values[np.newaxis], peaks=peaks[np.newaxis], notes=(told,))


def _kept(series: Series, history_s: float) -> Series:
    steps = max(2, int(history_s // series.step_s))
    return series if len(series) <= steps else series.between(len(series) - steps, len(series))


def _write(series: Series, made: Forecast, options: Options) -> None:
    with together() as opening:
        if options.csv is not None:
            write_bytes(options.csv, forecast_view.csv_text(made).encode(), opening)
        if options.json is not None:
            write_bytes(options.json, forecast_view.json_bytes(series, made), opening)
        if options.html is not None:
            write_bytes(options.html, forecast_view.html_page(series, made).encode(), opening)
        if options.png is not None:
            write_bytes(options.png, forecast_view.png_bytes(series, made), opening)
