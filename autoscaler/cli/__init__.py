"""The command line: parse, call, render. Every failure is one line on stderr and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from typer import TyperException

from autoscaler.cli.app import app
from autoscaler.cli.exits import INTERRUPTED, UNUSABLE
from autoscaler.interrupts import noticing
from autoscaler.signals.errors import InputError


def main() -> None:
    """Entry point of the `autoscaler` command."""
    # The matrices are small: threads of the linear algebra only get in each other's way. Read
    # when numpy is first loaded, which no command has done yet.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with noticing(signal.SIGINT) as interrupts:
        try:
            # Outside standalone mode Typer hands over its errors, and Ctrl-C as an exit code.
            code = app(standalone_mode=False, prog_name="autoscaler")
        except BaseException as error:
            if interrupts.noticed:
                code = INTERRUPTED
            elif isinstance(error, InputError):
                _fail(str(error), UNUSABLE)
            elif isinstance(error, TyperException):
                _fail(_usage(error), UNUSABLE)
            else:
                raise
    if code == INTERRUPTED:
        _fail("interrupted; no file is left half written", INTERRUPTED)
    sys.exit(code)


def _usage(error: TyperException) -> str:
    """What is wrong with the command line, and where to look it up, in one line."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "autoscaler"
    what = error.format_message().rstrip(".") or "no command given"
    return f"{what}; see {command} --help"


def _fail(line: str, code: int) -> NoReturn:
    print(f"autoscaler: {line}", file=sys.stderr)
    sys.exit(code)
