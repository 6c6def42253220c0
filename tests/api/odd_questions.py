"""Questions that do to the worker what real ones must not be able to do to the service."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autoscaler.api.whatif.history import Unanswerable
from autoscaler.api.whatif.trial import Advance, Foresights


@dataclass(frozen=True)
class Echo:
    value: Any = None

    def answer(self, foresights: Foresights, advance: Advance) -> dict[str, Any]:
        advance(0.5, "half way")
        return {"value": self.value, "process": os.getpid(), "nice": os.nice(0)}


@dataclass(frozen=True)
class Sleep:
    """Says that it began, by a file, and then sleeps until it is ended."""

    began: Path
    ignore_signals: bool = False

    def answer(self, foresights: Foresights, advance: Advance) -> dict[str, Any]:
        if self.ignore_signals:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})
        advance(0.25, "sleeping")
        self.began.write_text(str(os.getpid()))
        time.sleep(3600)
        return {}


@dataclass(frozen=True)
class Refuse:
    def answer(self, foresights: Foresights, advance: Advance) -> dict[str, Any]:
        raise Unanswerable("there is nothing to tell")


@dataclass(frozen=True)
class Fail:
    def answer(self, foresights: Foresights, advance: Advance) -> dict[str, Any]:
        raise KeyError("a secret that must not get out")


@dataclass(frozen=True)
class Crash:
    def answer(self, foresights: Foresights, advance: Advance) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGSEGV)
        return {}


@dataclass(frozen=True)
class Leave:
    def answer(self, foresights: Foresights, advance: Advance) -> dict[str, Any]:
        os._exit(3)


@dataclass(frozen=True)
class Devour:
    mib: int

    def answer(self, foresights: Foresights, advance: Advance) -> dict[str, Any]:
        return {"sum": float(np.ones(self.mib << 17).sum())}
