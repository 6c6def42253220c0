"""What runs until it is stopped, and what belongs to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autoscaler.api.access.verbs import Verb
from autoscaler.cli.options import Context, Kubeconfig


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


def run(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The operator's configuration.")],
    kubeconfig: Kubeconfig = None,
    context: Context = "",
) -> None:
    """Run the operator: watch PredictiveAutoscalers, decide, and scale. Ends at SIGTERM."""
    from autoscaler.cli.run import run as run_operator

    run_operator(config, kubeconfig, context)


def serve(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The service's configuration.")],
    kubeconfig: Kubeconfig = None,
    context: Context = "",
) -> None:
    """Serve the REST API and the web page on the store that the operator writes. Ends at SIGTERM."""
    from autoscaler.cli.serve import serve as serve_until_stopped

    serve_until_stopped(config, kubeconfig, context)


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
