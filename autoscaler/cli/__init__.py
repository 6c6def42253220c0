"""The command line: parse, call, render. Every failure is one line on stderr and an exit code."""

from __future__ import annotations

import sys

from autoscaler.cli.app import app
from autoscaler.cli.exits import INTERRUPTED, UNUSABLE
from autoscaler.signals.errors import InputError


def main() -> None:
    """Entry point of the `autoscaler` command."""
    try:
        app()
    except InputError as error:
        print(f"autoscaler: {error}", file=sys.stderr)
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        print("autoscaler: interrupted; nothing was written", file=sys.stderr)
        sys.exit(INTERRUPTED)
