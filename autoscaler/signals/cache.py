"""Keeps what was read of each query, so that the next read asks only for what is new.

The last minutes are always asked for again, since late samples still change them. What a server did
not answer completely is not kept. With a folder, histories survive a restart.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoscaler.series import Floats, Series, State
from autoscaler.signals.errors import InputError
from autoscaler.signals.history import History

_FORMAT = 1
_LOG = logging.getLogger(__name__)

ReadRange = Callable[[str, int, int, int], History]
"""Query, first step, last step, step length, all in seconds."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Completely answered steps of one query, and the labels of its series."""

    start_s: int
    step_s: int
    values: Floats
    labels: Mapping[str, str] | None

    @property
    def end_s(self) -> int:
        """The step after the last one kept."""
        return self.start_s + self.step_s * len(self.values)


class HistoryCache:
    """Reads ranges through `read_range`, asking only for what it has not kept.

    identity: tells servers and tenants apart that share a folder; must hold no secret. folder: where
    to keep histories on disk, or None. overlap_s: how far back steps are asked for again.

    Raises InputError when the folder cannot be made.
    """

    def __init__(
        self, read_range: ReadRange, *, identity: str = "", folder: Path | None = None, overlap_s: int = 600
    ) -> None:
        self._read_range = read_range
        self._identity = identity
        self._overlap_s = overlap_s
        self._kept: dict[tuple[str, int], _Kept] = {}
        self._folder = folder
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise InputError(
                    f"{folder}: cannot be made ({error.strerror}); choose another folder"
                ) from error

    def read(self, query: str, start_s: int, end_s: int, step_s: int) -> History:
        """Steps from `start_s` to `end_s`, both rounded down to whole multiples of `step_s`.

        As `read_range`, except that steps before the overlap come from what was kept.
        """
        if step_s < 1:
            raise InputError(f"Prometheus: a step of {step_s} s cannot be read; ask for at least 1 s")
        start_s, end_s = start_s - start_s % step_s, end_s - end_s % step_s
        key = (query, step_s)
        kept = self._kept.get(key) or self._load(key)
        resume_s = self._resume_s(kept, start_s, end_s)
        if kept is None or resume_s is None:
            history = self._read_range(query, start_s, end_s, step_s)
        else:
            history = self._extended(kept, query, start_s, resume_s, end_s)
        self._keep(key, history)
        return history

    def forget(self, query: str, step_s: int) -> None:
        """Drop what was kept of a query that is no longer needed."""
        self._kept.pop((query, step_s), None)
        if self._folder is not None:
            self._path(self._folder, (query, step_s)).unlink(missing_ok=True)

    def _resume_s(self, kept: _Kept | None, start_s: int, end_s: int) -> int | None:
        """First step to ask for; None when what was kept is of no use."""
        if kept is None or kept.start_s > start_s or kept.end_s <= start_s:
            return None
        resume_s = min(kept.end_s, end_s + kept.step_s) - self._overlap_s
        resume_s -= resume_s % kept.step_s
        return resume_s if resume_s > start_s else None

    def _extended(self, kept: _Kept, query: str, start_s: int, resume_s: int, end_s: int) -> History:
        new = self._read_range(query, resume_s, end_s, kept.step_s)
        if kept.labels is not None and new.labels is not None and kept.labels != new.labels:
            # Another series than before: whether both exist at once only the whole range can tell.
            return self._read_range(query, start_s, end_s, kept.step_s)
        first = (start_s - kept.start_s) // kept.step_s
        last = (resume_s - kept.start_s) // kept.step_s
        old = kept.values[first:last]
        values = np.concatenate([old, new.series.values])
        answered = np.concatenate([np.ones(len(old), dtype=bool), new.answered])
        state, detail = new.state, new.detail
        if state in (State.EMPTY, State.NOT_A_NUMBER) and np.isfinite(old).any():
            state, detail = State.VALUE, ""
        series = Series(query, start_s, kept.step_s, values)
        return History(series, state, detail, answered, new.labels if new.labels is not None else kept.labels)

    def _keep(self, key: tuple[str, int], history: History) -> None:
        whole = len(history.answered) if history.answered.all() else int(np.argmin(history.answered))
        if not whole or history.state is State.SEVERAL_SERIES:
            return
        series = history.series
        kept = _Kept(series.start_s, series.step_s, series.values[:whole], history.labels)
        self._kept[key] = kept
        if self._folder is not None:
            self._save(self._path(self._folder, key), key, kept)

    def _path(self, folder: Path, key: tuple[str, int]) -> Path:
        return folder / f"{hashlib.sha256(self._text(key).encode()).hexdigest()}.npz"

    def _text(self, key: tuple[str, int]) -> str:
        return json.dumps([_FORMAT, self._identity, *key])

    def _save(self, path: Path, key: tuple[str, int], kept: _Kept) -> None:
        """Write beside, then rename: a reader sees the old file or the new one. Failing costs only time."""
        try:
            handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as file:
                    np.savez(
                        file,
                        key=self._text(key),
                        labels=json.dumps(None if kept.labels is None else dict(kept.labels)),
                        start_s=kept.start_s,
                        values=kept.values,
                    )
                Path(temporary).replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError as error:
            _LOG.warning("history is not kept on disk: %s", error)

    def _load(self, key: tuple[str, int]) -> _Kept | None:
        """What is on disk for `key`; a file that is damaged or of another kind counts as none."""
        if self._folder is None:
            return None
        path = self._path(self._folder, key)
        try:
            with np.load(path, allow_pickle=False) as stored:
                if str(stored["key"]) != self._text(key):
                    return None
                values = np.asarray(stored["values"], dtype=np.float64)
                start_s, labels = int(stored["start_s"]), json.loads(str(stored["labels"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            _LOG.warning("%s: kept history is unreadable and read anew (%s)", path.name, type(error).__name__)
            return None
        if values.ndim != 1 or not len(values) or np.isinf(values).any() or start_s % key[1]:
            return None
        return _Kept(start_s, key[1], values, labels)
