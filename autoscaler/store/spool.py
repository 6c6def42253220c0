"""Rows that wait to be written: in order, within a limit, and with the least missed dropped first.

Not safe for several threads by itself: `Journal` holds its lock around every call.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autoscaler.store.encoding import EncodedRow, Kind

_PERISHABLE = frozenset({Kind.OBSERVATION, Kind.FORECAST})


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """How much may wait: rows, and bytes of memory they take."""

    rows: int = 100_000
    bytes: int = 128 * 1024**2


@dataclass(slots=True, eq=False)
class Ticket:
    """What became of a batch. waiting: rows not yet written; lost: whether any never will be."""

    waiting: int
    lost: bool = False

    @property
    def written(self) -> bool:
        """Whether every row is in the store."""
        return self.waiting == 0 and not self.lost


@dataclass(frozen=True, slots=True, eq=False)
class WaitingRow:
    """A row and the batch it came with. number: ascending in the order of arrival."""

    number: int
    row: EncodedRow
    ticket: Ticket
    since_s: float


@dataclass(slots=True)
class Spool:
    """Three queues, by what may be dropped: observations and forecasts first, then what was decided or done.

    A row that replaces another takes its place at the end, so those stay as few as there are workloads.
    """

    limits: SpoolLimits
    dropped: int = 0
    bytes: int = 0
    _last: int = 0
    _lasting: deque[WaitingRow] = dataclasses.field(default_factory=deque)
    _perishable: deque[WaitingRow] = dataclasses.field(default_factory=deque)
    _newest: dict[str, WaitingRow] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._lasting) + len(self._perishable) + len(self._newest)

    @property
    def oldest_s(self) -> float | None:
        """When the first of the waiting rows came."""
        head = self._head()
        return None if head is None else head.since_s

    def put(self, rows: Sequence[EncodedRow], now_s: float) -> Ticket:
        """Add a batch at the end, and drop what is too much."""
        ticket = Ticket(len(rows))
        for row in rows:
            self._last += 1
            self._append(WaitingRow(self._last, row, ticket, now_s))
        self._limit()
        return ticket

    def take(self, most: int) -> list[WaitingRow]:
        """Remove and return up to so many rows, oldest first, for `settle` or `put_back`."""
        taken: list[WaitingRow] = []
        while len(taken) < most and (head := self._head()) is not None:
            self._remove(head)
            taken.append(head)
        return taken

    def put_back(self, taken: Sequence[WaitingRow]) -> None:
        """Return rows that were taken to the front, less those that were replaced meanwhile."""
        newest: dict[str, WaitingRow] = {}
        for waiting in reversed(taken):
            key = waiting.row.replaces
            if key in self._newest or key in newest:
                settle([waiting])
                continue
            self.bytes += waiting.row.bytes
            if key:
                newest[key] = waiting
            else:
                self._queue(waiting).appendleft(waiting)
        if newest:
            self._newest = {key: newest[key] for key in reversed(newest)} | self._newest
        self._limit()

    def lose(self, waiting: WaitingRow) -> None:
        """Count a row that was taken and never will be written."""
        self.dropped += 1
        waiting.ticket.lost = True
        settle([waiting])

    def _append(self, waiting: WaitingRow) -> None:
        key = waiting.row.replaces
        self.bytes += waiting.row.bytes
        if not key:
            self._queue(waiting).append(waiting)
            return
        replaced = self._newest.pop(key, None)
        if replaced is not None:
            self.bytes -= replaced.row.bytes
            settle([replaced])
        self._newest[key] = waiting

    def _queue(self, waiting: WaitingRow) -> deque[WaitingRow]:
        return self._perishable if waiting.row.kind in _PERISHABLE else self._lasting

    def _head(self) -> WaitingRow | None:
        heads = [queue[0] for queue in (self._lasting, self._perishable) if queue]
        if self._newest:
            heads.append(next(iter(self._newest.values())))
        return min(heads, key=_number, default=None)

    def _remove(self, head: WaitingRow) -> None:
        if head.row.replaces:
            del self._newest[head.row.replaces]
        else:
            self._queue(head).popleft()
        self.bytes -= head.row.bytes

    def _limit(self) -> None:
        while len(self) > self.limits.rows or self.bytes > self.limits.bytes:
            if self._perishable:
                victim = self._perishable[0]
            elif self._lasting:
                victim = self._lasting[0]
            else:
                victim = next(iter(self._newest.values()))
            self._remove(victim)
            self.lose(victim)


def settle(taken: Iterable[WaitingRow]) -> None:
    """Tell the batches of these rows that the rows wait no longer."""
    for waiting in taken:
        waiting.ticket.waiting -= 1


def _number(waiting: WaitingRow) -> int:
    return waiting.number
