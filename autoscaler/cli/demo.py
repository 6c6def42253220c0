"""`autoscaler demo`: the main job on the traces that ship with the package."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import typer
from rich.console import Console

from autoscaler.cli.backtest import Options, backtest
from autoscaler.cli.live import on_a_terminal, serve

_TRACES = ("ms_mongo_machine_01_1min.csv.gz", "ms_mongo_app_04_1min.csv.gz")


def demo(report: Path) -> None:
    """Backtest the default policy against its rivals on two recorded traces; write the report.

    On a terminal it ends with the question whether to go on in the browser.
    """
    console = Console()
    console.print(
        "Two services recorded minute by minute over 14 and 11 days; "
        "a replica takes 5 minutes to start. Who scales best?"
    )
    with as_file(files("autoscaler.backtest") / "samples") as folder:
        options = Options(
            traces=tuple(folder / name for name in _TRACES),
            baselines="hpa,hpa-tuned,keda,oracle",
            quantiles="0.5,0.8,0.98",
            jobs=2,
            html=report,
        )
        backtest(options)
    # Not folded, so that the path can be copied.
    console.print(f"Report with charts and every decision: [bold]{report.resolve()}[/bold]", soft_wrap=True)
    offer(console)


def offer(console: Console) -> None:
    """Ask whether to go on in the browser, or without a terminal say how."""
    if not on_a_terminal():
        console.print("Live in the browser, on the same traffic: [bold]autoscaler demo --serve[/bold]")
    elif _wanted():
        serve()


def _wanted() -> bool:
    try:
        return typer.confirm("Look at it live in the browser?", default=False)
    except typer.Abort:
        return False  # Ctrl-C or Ctrl-D: what was asked for has been done
