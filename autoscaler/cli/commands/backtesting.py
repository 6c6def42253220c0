"""What is asked of recorded traffic: a ranking of policies, and a search for better ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autoscaler.cli.options import (
    Dask,
    Fleet,
    History,
    Jobs,
    MetricLag,
    ModelFolder,
    PerReplica,
    Price,
    PrometheusUrl,
    Query,
    Quiet,
    Seed,
    Since,
    StartUp,
    StartUpFrom,
    Step,
    TimeZone,
    Traces,
    Until,
    WarmUp,
)


def backtest(
    traces: Traces = None,
    prometheus: PrometheusUrl = "",
    query: Query = "",
    history: History = "",
    step: Step = "",
    policy: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A PredictiveAutoscaler manifest; may be given several times."),
    ] = None,
    baselines: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="hpa,hpa-tuned,keda,phpa,cron,static,oracle or none; settings as in hpa:target=70.",
        ),
    ] = "hpa,hpa-tuned,keda,oracle",
    model: Annotated[
        str, typer.Option(help="Forecasting model of the default policy (see docs/forecasting.md).")
    ] = "auto",
    model_folder: ModelFolder = None,
    per_replica: PerReplica = None,
    fleet: Fleet = None,
    start_up: StartUp = "",
    start_up_from: StartUpFrom = None,
    seed: Seed = 0,
    metric_lag: MetricLag = "0s",
    quantiles: Annotated[
        str, typer.Option(metavar="LIST", help="Also run each policy at these quantiles, as NAME@q0.8.")
    ] = "",
    warm_up: WarmUp = "",
    since: Since = "",
    until: Until = "",
    price: Price = 0.12,
    time_zone: TimeZone = "",
    jobs: Jobs = None,
    dask: Dask = "",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report, one offline page.")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all figures.")] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture.")] = None,
    timeline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write trace,policy,timestamp,load,desired,ready for every step (.csv[.gz])."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Run scaling policies over recorded traffic and rank them by cost and shortage."""
    from autoscaler.backtest.workforce import get_ready

    jobs = get_ready(jobs, dask)
    from autoscaler.cli.backtest import Options
    from autoscaler.cli.backtest import backtest as run

    run(
        Options(
            traces=tuple(traces or ()),
            prometheus=prometheus,
            query=query,
            history=history,
            step=step,
            policies=tuple(policy or ()),
            baselines=baselines,
            model=model,
            model_folder=model_folder,
            per_replica=per_replica,
            fleet=fleet,
            start_up=start_up,
            start_up_from=start_up_from,
            seed=seed,
            metric_lag=metric_lag,
            quantiles=quantiles,
            warm_up=warm_up,
            since=since,
            until=until,
            price=price,
            time_zone=time_zone,
            jobs=jobs,
            dask=dask,
            html=html,
            json=json,
            png=png,
            timeline=timeline,
            quiet=quiet,
        )
    )


def tune(
    traces: Traces = None,
    prometheus: PrometheusUrl = "",
    query: Query = "",
    history: History = "",
    step: Step = "",
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The PredictiveAutoscaler to vary; a default one if left out."),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=LIST",
            help="A field of spec and its values, as in forecast.quantile=0.8,0.95; may be given several "
            "times. Quantile and scale-down window if left out.",
        ),
    ] = None,
    objective: Annotated[
        str,
        typer.Option(
            metavar="LIMIT=MOST",
            help="Choose within unserved=0.1%, minutes-short=30 (a week), cost=1.2 (of need) or "
            "money=50 (a day).",
        ),
    ] = "",
    model: Annotated[str, typer.Option(help="Forecasting model of the default policy.")] = "auto",
    model_folder: ModelFolder = None,
    per_replica: PerReplica = None,
    fleet: Fleet = None,
    start_up: StartUp = "",
    start_up_from: StartUpFrom = None,
    seed: Seed = 0,
    metric_lag: MetricLag = "0s",
    warm_up: WarmUp = "",
    since: Since = "",
    until: Until = "",
    price: Price = 0.12,
    time_zone: TimeZone = "",
    jobs: Jobs = None,
    dask: Dask = "",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a manifest for each policy of the front.")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all that was tried.")] = None,
    png: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a picture of cost against unserved load.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Search for better policies on recorded traffic: the front of cost against shortage, ready to apply.

    Exit codes: 0 done; 1 done, and nothing tried is within the objective; 2 unusable input.
    """
    from autoscaler.backtest.workforce import get_ready

    jobs = get_ready(jobs, dask)
    from autoscaler.cli.tune import Options
    from autoscaler.cli.tune import tune as run

    options = Options(
        traces=tuple(traces or ()),
        prometheus=prometheus,
        query=query,
        history=history,
        step=step,
        policy=policy,
        vary=tuple(vary or ()),
        objective=objective,
        model=model,
        model_folder=model_folder,
        per_replica=per_replica,
        fleet=fleet,
        start_up=start_up,
        start_up_from=start_up_from,
        seed=seed,
        metric_lag=metric_lag,
        warm_up=warm_up,
        since=since,
        until=until,
        price=price,
        time_zone=time_zone,
        jobs=jobs,
        dask=dask,
        out=out,
        json=json,
        png=png,
        quiet=quiet,
    )
    raise typer.Exit(run(options))
