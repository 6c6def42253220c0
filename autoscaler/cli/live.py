"""`autoscaler demo --serve`: the traces that ship with the package, played live behind the web page."""

from __future__ import annotations

import sys

from rich.console import Console

from autoscaler.cli.arguments import duration_s, positive
from autoscaler.demo.players import PlayEnded
from autoscaler.demo.show import PortRefused, Show, show
from autoscaler.log import Log, log_to_stderr
from autoscaler.signals.errors import InputError

_UNWATCHED_S = 60.0
"""How long it is served where there is no terminal to end it from."""


def serve(port: int = 8080, speed: float = 60.0, past: str = "2d", ends_after: str = "") -> None:
    """Play the same traffic live and serve the page. Raises InputError for what cannot be used."""
    positive("--speed", speed)
    past_s = duration_s("--past", past)
    for_s = duration_s("--for", ends_after) if ends_after else None
    if for_s is None and not on_a_terminal():
        for_s = _UNWATCHED_S
    log_to_stderr(Log(level="warning", format="console"))
    console = Console()
    console.print(f"Playing the last {past} of eleven services, decided by the operator's own code …")
    until = "Ctrl-C ends it." if for_s is None else f"It ends by itself after {for_s:g} s."

    def opened(address: str) -> None:
        console.print(f"Open [bold]{address}[/bold] in a browser on this machine.", soft_wrap=True)
        console.print(f"{speed:g} s pass in each second. {until}")

    try:
        show(Show(port, speed, int(past_s), for_s), opened)
    except PortRefused as error:
        raise InputError(f"{error}; give another --port") from error
    except PlayEnded as error:
        raise InputError("a process of the demonstration has ended; what it said is above") from error
    console.print("Ended; nothing is left behind.")


def on_a_terminal() -> bool:
    """Whether somebody can answer and press Ctrl-C."""
    return sys.stdin.isatty() and sys.stdout.isatty()
