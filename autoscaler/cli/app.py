"""All commands and their options. What a command does lives in a module of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from autoscaler import __version__
from autoscaler.api.access.verbs import Verb
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

app = typer.Typer(
    name="autoscaler",
    help="Scale Kubernetes workloads before the load arrives, and backtest scaling policies.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"autoscaler {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Scale Kubernetes workloads before the load arrives, and backtest scaling policies.

    Exit codes: 0 done; 1 done and the answer is no (check found problems); 2 the command line or
    its input cannot be used, said in one line on stderr; 130 interrupted.
    """


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
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
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="How to reach the cluster from outside of it.")
    ] = None,
    context: Annotated[str, typer.Option(help="Context of the kubeconfig.")] = "",
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


@app.command()
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Manifests; - reads standard input.")
    ],
) -> None:
    """Validate manifests as the cluster would: file, line, field, what is wrong, what to do."""
    from autoscaler.cli.check import check as run

    raise typer.Exit(run(files))


@app.command()
def crd() -> None:
    """Print the CustomResourceDefinition."""
    from autoscaler.cli.crd import crd as run

    run()


@app.command()
def promote(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|NAMESPACE/NAME",
            help="A manifest, - for standard input, which is printed anew; or a resource in the cluster, "
            "which is changed.",
        ),
    ],
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="How to reach the cluster; as kubectl if left out.")
    ] = None,
    context: Annotated[str, typer.Option(help="Context in the kubeconfig.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
) -> None:
    """Put a shadow's policy in the place of the spec's own and remove the shadow; stderr tells the diff."""
    from autoscaler.cli.promoting import Options, promoting

    promoting(Options(source, kubeconfig, context, dry_run))


@app.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|KIND/NAME",
            help="YAML with HorizontalPodAutoscalers or ScaledObjects, - for standard input; or one in the "
            "cluster: hpa/NAME, scaledobject/NAME.",
        ),
    ],
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Namespace in the cluster; the context's if left out.")
    ] = "",
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="How to reach the cluster; as kubectl if left out.")
    ] = None,
    context: Annotated[str, typer.Option(help="Context in the kubeconfig.")] = "",
    load_query: Annotated[
        str | None, typer.Option(metavar="PROMQL", help="The demand to forecast, which an HPA does not know.")
    ] = None,
    per_replica: Annotated[
        str | None, typer.Option(metavar="N", help="Load that one ready replica serves, in the query's unit.")
    ] = None,
    mode: Annotated[
        Literal["Recommend", "ScaleOutOnly", "Active", "Paused"] | None,
        typer.Option(
            help="Mode in the manifest; Recommend, or Paused where the autoscaler is.", show_default=False
        ),
    ] = None,
    floor: Annotated[
        bool,
        typer.Option("--floor", help="Keep the autoscaler and only raise its minimum ahead of the load."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the manifest there, not to standard output.")
    ] = None,
) -> None:
    """Turn an HPA or a KEDA ScaledObject into a PredictiveAutoscaler manifest, and say what is lost.

    Exit codes: 0 all carried over; 1 written, but something needs a human; 2 unusable input.
    """
    from autoscaler.cli.importing import Options, importing

    options = Options(
        source=source,
        namespace=namespace,
        kubeconfig=kubeconfig,
        context=context,
        load_query=load_query,
        per_replica=per_replica,
        mode=mode,
        floor=floor,
        output=output,
    )
    raise typer.Exit(importing(options))


@app.command()
def demo(
    report: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the report.")] = Path(
        "demo-report.html"
    ),
    serve: Annotated[
        bool, typer.Option("--serve", help="Instead: play the same traffic live and serve the web page.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1 to serve at; 0 takes any.")
    ] = 8080,
    speed: Annotated[
        float, typer.Option(min=1, max=600, help="Seconds that pass in each second while it is served.")
    ] = 60,
    past: Annotated[
        str, typer.Option(metavar="DURATION", help="How much is played before it is served.")
    ] = "2d",
    ends_after: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="DURATION",
            help="Stop serving after it; until Ctrl-C, or after 60s without a terminal.",
        ),
    ] = "",
) -> None:
    """Backtest the default policy against its rivals on two recorded traces that ship with the package."""
    if serve:
        from autoscaler.cli.live import serve as serve_live

        serve_live(port, speed, past, ends_after)
    else:
        from autoscaler.cli.demo import demo as run

        run(report)


@app.command()
def run(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The operator's configuration.")],
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="How to reach the cluster from outside of it.")
    ] = None,
    context: Annotated[str, typer.Option(help="Context of the kubeconfig.")] = "",
) -> None:
    """Run the operator: watch PredictiveAutoscalers, decide, and scale. Ends at SIGTERM."""
    from autoscaler.cli.run import run as run_operator

    run_operator(config, kubeconfig, context)


@app.command()
def serve(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The service's configuration.")],
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="How to reach the cluster from outside of it.")
    ] = None,
    context: Annotated[str, typer.Option(help="Context of the kubeconfig.")] = "",
) -> None:
    """Serve the REST API and the web page on the store that the operator writes. Ends at SIGTERM."""
    from autoscaler.cli.serve import serve as serve_until_stopped

    serve_until_stopped(config, kubeconfig, context)


@app.command()
def replay(
    decision: Annotated[str, typer.Argument(metavar="ID", help="Identifier of a stored decision.")],
    store: Annotated[
        str, typer.Option(metavar="URL", help="The operator's store, as its configuration names it.")
    ],
) -> None:
    """Decide again what was decided, from the same inputs, and say what differs.

    Exit codes: 0 the same; 1 something differs; 2 no such decision, or no such store.
    """
    from autoscaler.cli.replay import replay as run

    raise typer.Exit(run(decision, store))


@app.command()
def token(
    name: Annotated[str, typer.Option(help="Whom it is for, as the audit names them.")],
    verb: Annotated[
        list[Verb] | None, typer.Option(help="What it allows; may be given several times; read if left out.")
    ] = None,
    namespace: Annotated[
        list[str] | None, typer.Option(help='Where; may be given several times; "*" for all.')
    ] = None,
) -> None:
    """Make a token for the service, and its line for the file of tokens (see docs/api-access.md)."""
    from autoscaler.cli.token import token as make

    make(name, verb or [Verb.READ], namespace or [])
