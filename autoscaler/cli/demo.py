"""`autoscaler demo`: the main job on the traces that ship with the package, and its page on them, live."""

from __future__ import annotations

import sys
from importlib.resources import as_file, files
from pathlib import Path

import typer
from rich.console import Console

from autoscaler.cli.arguments import duration_s, positive
from autoscaler.cli.backtest import Options, backtest
from autoscaler.signals.errors import InputError

_TRACES = ("ms_mongo_machine_01_1min.csv.gz", "ms_mongo_app_04_1min.csv.gz")
_UNWATCHED_S = 60.0
"""How long it is served where there is no terminal to end it from."""


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
    if not _on_a_terminal():
        console.print("Live in the browser, on the same traffic: [bold]autoscaler demo --serve[/bold]")
    elif _wanted():
        serve()


def serve(port: int = 8080, speed: float = 60.0, past: str = "2d", ends_after: str = "") -> None:
    """Play the same traffic live and serve the page. Raises InputError for what cannot be used."""
    # Only this command needs the service, which takes a second to load.
    from autoscaler.demo.players import PlayEnded
    from autoscaler.demo.show import Show, show
    from autoscaler.log import Log, log_to_stderr

    positive("--speed", speed)
    past_s = duration_s("--past", past)
    for_s = duration_s("--for", ends_after) if ends_after else None
    if for_s is None and not _on_a_terminal():
        for_s = _UNWATCHED_S
    log_to_stderr(Log(level="warning", format="console"))
    console = Console()
    console.print(f"Playing the last {past} of a dozen services, decided by the operator's own code …")
    until = "Ctrl-C ends it." if for_s is None else f"It ends by itself after {for_s:g} s."

    def opened(address: str) -> None:
        console.print(f"Open [bold]{address}[/bold] in a browser on this machine.", soft_wrap=True)
        console.print(f"{speed:g} s pass in each second. {until}")

    try:
        show(Show(port, speed, int(past_s), for_s), opened)
    except ValueError as error:
        raise InputError(f"{error}; give another --port") from error
    except PlayEnded as error:
        raise InputError("a process of the demonstration has ended; what it said is above") from error
    console.print("Ended; nothing is left behind.")


def _wanted() -> bool:
    try:
        return typer.confirm("Look at it live in the browser?", default=False)
    except typer.Abort:
        return False  # Ctrl-C or Ctrl-D: what was asked for has been done


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
