"""What is asked of models: a forecast of one load, and a shared model of many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autoscaler.cli.options import (
    Context,
    History,
    Kubeconfig,
    ModelFolder,
    PrometheusUrl,
    Query,
    Quiet,
    Since,
    Step,
    TimeZone,
    Traces,
    Until,
)


def forecast(
    trace: Annotated[Path | None, typer.Argument(metavar="FILE", help="Recorded load.")] = None,
    prometheus: PrometheusUrl = "",
    query: Query = "",
    history: Annotated[
        str,
        typer.Option(
            metavar="DURATION",
            help="How far back to look: what is read from Prometheus, or the end of FILE.",
            show_default="28d",
        ),
    ] = "",
    step: Step = "",
    model: Annotated[str, typer.Option(help="Forecasting model (see docs/forecasting.md).")] = "auto",
    model_folder: ModelFolder = None,
    horizon: Annotated[str, typer.Option(metavar="DURATION", help="How far ahead.")] = "1h",
    quantiles: Annotated[
        str, typer.Option(metavar="LIST", help="Quantile levels.")
    ] = "0.05,0.25,0.5,0.75,0.95",
    seasons: Annotated[str, typer.Option(metavar="LIST", help="Season lengths.")] = "24h,7d",
    holidays: Annotated[
        str, typer.Option(metavar="COUNTRY", help="ISO country whose public holidays matter.")
    ] = "",
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A PredictiveAutoscaler manifest: seasons, holidays, time zone, changes, exclusions and "
            "events are taken from it.",
        ),
    ] = None,
    until: Annotated[str, typer.Option(metavar="TIME", help="Forecast as of this time (RFC 3339).")] = "",
    follows: Annotated[
        str, typer.Option(metavar="COLUMN", help="Column of FILE with the load of the tier in front.")
    ] = "",
    time_zone: TimeZone = "",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a plot, one offline page.")] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write timestamp and quantiles.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the forecast as JSON.")] = None,
    quiet: Quiet = False,
) -> None:
    """Forecast a load: history in, a fan of quantiles out."""
    from autoscaler.cli.forecast import Options
    from autoscaler.cli.forecast import forecast as run

    run(
        Options(
            trace=trace,
            prometheus=prometheus,
            query=query,
            history=history,
            step=step,
            model=model,
            model_folder=model_folder,
            horizon=horizon,
            quantiles=quantiles,
            seasons=seasons,
            holidays=holidays,
            policy=policy,
            until=until,
            follows=follows,
            time_zone=time_zone,
            html=html,
            png=png,
            csv=csv,
            json=json,
            quiet=quiet,
        )
    )


def train(
    traces: Traces = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the model; it is replaced there whole.")
    ] = None,
    prometheus: PrometheusUrl = "",
    query: Annotated[
        list[str] | None,
        typer.Option(help="PromQL whose result is a load; may be given several times.", metavar="PROMQL"),
    ] = None,
    history: History = "",
    step: Step = "",
    since: Since = "",
    until: Until = "",
    time_zone: TimeZone = "",
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The operator's configuration: learn from the load of every resource it handles, "
            "into its forecasts.modelFolder unless --out says otherwise.",
        ),
    ] = None,
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    if_better: Annotated[
        bool, typer.Option("--if-better", help="Leave the folder as it is where the new model is no better.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Chooses what each tree is shown.")] = 7,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    quiet: Quiet = False,
) -> None:
    """Train the shared model of the coming peak on loads of your own (see docs/forecasting-learned.md).

    Each load's newest week, or third, is held out and the new model compared there with the one in force.

    Exit codes: 0 done, also where --if-better kept the old model; 2 nothing usable to learn from, or no
    folder to write to.
    """
    from autoscaler.cli.train import Options, training
    from autoscaler.cli.training.loads import Question

    options = Options(
        traces=tuple(traces or ()),
        out=out,
        prometheus=prometheus,
        queries=tuple(query or ()),
        question=Question(history, step, time_zone, since, until),
        config=config,
        kubeconfig=kubeconfig,
        context=context,
        if_better=if_better,
        seed=seed,
        jobs=jobs,
        quiet=quiet,
    )
    training(options)
