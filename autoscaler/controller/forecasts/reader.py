"""What the forecasting process needs of a source of load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from autoscaler.series import Floats, Reading, State
from autoscaler.signals.cache import HistoryCache
from autoscaler.signals.errors import InputError
from autoscaler.signals.history import History
from autoscaler.signals.instant import InstantQuery
from autoscaler.signals.settings import ConnectionSettings


class Reader(Protocol):
    """Reads one source, for one thread at a time; `Prometheus` is one."""

    @property
    def identity(self) -> str:
        """Tells sources apart that share a folder of histories."""
        ...

    def read_range(self, query: str, start_s: int, end_s: int, step_s: int) -> History:
        """As `Prometheus.read_range`."""
        ...

    def read_now(self, queries: Sequence[InstantQuery], now_s: float) -> list[Reading]:
        """As `Prometheus.read_now`."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


OpenReader = Callable[[ConnectionSettings], Reader]
"""Opens a source; raises InputError where its settings cannot work. Has to be picklable."""


class Unreadable(Exception):
    """A history that cannot be used, in one line."""


def read_load(
    reader: Reader, folder: Path | None, query: str, start_s: int, end_s: int, step_s: int, kept_as: str = ""
) -> tuple[Floats, str]:
    """The load from `start_s` to `end_s`, both included, and what is to be said of it, if anything.

    What the source did not answer completely, or is negative, is unknown: NaN. With a folder, what
    was read before is not asked for again. kept_as: tells spans apart that are kept there side by side.
    Raises Unreadable, and InputError for a useless folder.
    """
    if folder is None:
        history = reader.read_range(query, start_s, end_s, step_s)
    else:
        # A cache of its own for every read: one that lived on would hold all histories in memory.
        cache = HistoryCache(reader.read_range, identity=reader.identity + kept_as, folder=folder)
        history = cache.read(query, start_s, end_s, step_s)
    if history.state in (State.FAILED, State.SEVERAL_SERIES):
        raise Unreadable(history.detail)
    values = history.series.values
    if history.state is State.PARTIAL and not history.answered.any():
        raise Unreadable(history.detail)
    with np.errstate(invalid="ignore"):
        usable: Floats = np.where(history.answered & (values >= 0), values, np.nan)
    return usable, "" if history.state is State.VALUE else history.detail


def forget_load(reader: Reader, folder: Path | None, query: str, step_s: int, kept_as: str = "") -> None:
    """Remove what is kept in the folder of a query that nobody asks for any more."""
    if folder is None:
        return
    try:
        cache = HistoryCache(reader.read_range, identity=reader.identity + kept_as, folder=folder)
        cache.forget(query, step_s)
    except (InputError, OSError):
        # A file that cannot be removed is no reason to stop forecasting the others.
        return
