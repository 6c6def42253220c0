"""`autoscaler forecast`: history in, a fan of quantiles out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from autoscaler.backtest.report.writing import check_writable, write_bytes
from autoscaler.cli import forecast_view
from autoscaler.cli.arguments import duration_s, quantiles
from autoscaler.cli.history import read_histories
from autoscaler.cli.shared_model import shared_model
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.registry import NAMES, forecaster
from autoscaler.series import Batch, Forecast, Series
from autoscaler.signals.errors import InputError

_MOST_STEPS = 20_160
_SLOW_FIT_DEADLINE_S = 300.0


@dataclass(frozen=True, slots=True)
class Options:
    """The command line as given; see `autoscaler.cli.app` for what each option means."""

    trace: Path | None = None
    prometheus: str = ""
    query: str = ""
    history: str = "28d"
    step: str = "1m"
    model: str = "auto"
    model_folder: Path | None = None
    horizon: str = "1h"
    quantiles: str = "0.05,0.25,0.5,0.75,0.95"
    seasons: str = "24h,7d"
    holidays: str = ""
    until: str = ""
    time_zone: str = ""
    html: Path | None = None
    png: Path | None = None
    csv: Path | None = None
    json: Path | None = None
    quiet: bool = False


def forecast(options: Options) -> Forecast:
    """Run the command."""
    for path in (options.html, options.png, options.csv, options.json):
        if path is not None:
            check_writable(path)
    if options.model not in NAMES:
        raise InputError(f"--model {options.model!r} is unknown; choose one of {', '.join(NAMES)}")
    model_for = shared_model(options.model_folder)
    (series,) = read_histories(
        () if options.trace is None else (options.trace,),
        prometheus=options.prometheus,
        query=options.query,
        history=options.history,
        step=options.step,
        time_zone=options.time_zone,
        until=options.until,
    )
    series = _kept(series, duration_s("--history", options.history))
    history = Batch.of(series)
    model = forecaster(options.model, _SLOW_FIT_DEADLINE_S, model_for=model_for)
    predictor = model.fit(history, _settings(options, series))
    made = predictor.predict(history, np.zeros(1, np.int64))
    _write(series, made, options)
    if not options.quiet:
        console = Console()
        console.print(forecast_view.terminal_view(series, made, console.width))
    return made


def _settings(options: Options, series: Series) -> ForecastSettings:
    horizon = math.ceil(duration_s("--horizon", options.horizon) / series.step_s)
    if horizon > _MOST_STEPS:
        raise InputError(
            f"--horizon {options.horizon} is {horizon:,} steps; at most {_MOST_STEPS:,} can be drawn"
        )
    levels = quantiles("--quantiles", options.quantiles)
    if not levels:
        raise InputError("--quantiles is empty; give levels such as 0.05,0.5,0.95")
    seasons = (duration_s("--seasons", piece.strip()) for piece in options.seasons.split(","))
    return ForecastSettings(
        horizon=horizon,
        levels=levels,
        seasons_s=tuple(sorted(int(season) for season in seasons)),
        time_zone=options.time_zone or "UTC",
        holidays=options.holidays,
    )


def _kept(series: Series, history_s: float) -> Series:
    steps = max(2, int(history_s // series.step_s))
    return series if len(series) <= steps else series.between(len(series) - steps, len(series))


def _write(series: Series, made: Forecast, options: Options) -> None:
    if options.csv is not None:
        write_bytes(options.csv, forecast_view.csv_text(made).encode())
    if options.json is not None:
        write_bytes(options.json, forecast_view.json_bytes(series, made))
    if options.html is not None:
        write_bytes(options.html, forecast_view.html_page(series, made).encode())
    if options.png is not None:
        write_bytes(options.png, forecast_view.png_bytes(series, made))
