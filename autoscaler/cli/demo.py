"""`autoscaler demo`: the main job on the traces that ship with the package."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from rich.console import Console

from autoscaler.cli.backtest import Options, backtest

_TRACES = ("ms_mongo_machine_01_1min.csv.gz", "ms_mongo_app_04_1min.csv.gz")


def demo(report: Path) -> None:
    """Backtest the default policy against its rivals on two recorded traces; write the report."""
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
