"""The command line: all commands in the order in which `--help` lists them."""

from __future__ import annotations

from typing import Annotated

import typer

from autoscaler import __version__
from autoscaler.cli.commands.backtesting import backtest, tune
from autoscaler.cli.commands.forecasting import forecast, train
from autoscaler.cli.commands.manifests import check, crd, import_, promote
from autoscaler.cli.commands.running import demo, replay, run, serve, token

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


_WITH_RECORDED_TRAFFIC = (backtest, tune, forecast, train)
_WITH_MANIFESTS = (check, crd, promote, import_)
_RUNNING = (demo, run, serve, replay, token)
for _command in (*_WITH_RECORDED_TRAFFIC, *_WITH_MANIFESTS, *_RUNNING):
    # import is a word of Python's own.
    app.command(_command.__name__.rstrip("_"))(_command)
