"""What forecasts may cost a workload within any day, whatever is thought of them.

Whether forecasts are worth their cost shows in a day of them, so it shows late: one that has gone bad costs
for hours before it loses its trust. What it costs until then is bounded by an account: of the last 24 hours,
what was asked for beyond the present load may not be more than a share of the present load. Once that is
spent, the present load alone counts, until what was spent a day ago is past.

In units of the load times steps; what has asked for replicas keeps them for some minutes, and is charged for
all of them.
"""

from __future__ import annotations

import math
from array import array
from collections import deque

from autoscaler.forecasting.forecaster import DAY_S

_CELL_S = 600
_CELLS = DAY_S // _CELL_S + 1
"""A whole day, and the cell that has just begun."""
_BORROWED_S = DAY_S // 4
"""A workload that is younger than this may spend what so long a time allows at its present load."""
_AT_ONCE = 0.25
"""Of what is left; lest one forecast without sense leave nothing for the rest of the day."""


class Allowance:
    """The account of one workload. held: steps that what was asked for is kept for."""

    def __init__(self, held: int, step_s: int) -> None:
        self._held, self._step_s = held, step_s
        self._loads, self._asked = _Highest(held), _Highest(held)
        self._present, self._extra = _DayTotal(), _DayTotal()
        self._charged: int | None = None

    def note(self, step: int, load: float) -> None:
        """The load of a step; NaN where unknown. Steps come in order, each once."""
        self._loads.add(step, load)
        present = self.present
        cell = step * self._step_s // _CELL_S
        self._present.add(cell, 0.0 if math.isnan(present) else present)
        self._extra.add(cell, 0.0)

    @property
    def present(self) -> float:
        """What replicas are kept for without a forecast; NaN where no load of late is known."""
        return self._loads.highest

    def granted(self, share: float) -> float:
        """What may be asked for beyond the present load now, if a day may cost this share of it; infinite
        while the present load is unknown, of which it is a share."""
        present = self.present
        if math.isnan(present):
            return math.inf
        basis = max(self._present.total, present * _BORROWED_S / self._step_s)
        left = max(share * basis - self._extra.total, 0.0)
        return _AT_ONCE * left / self._held

    def spend(self, step: int, asked: float) -> None:
        """So much is asked for at the step noted last; NaN for nothing. Counts once a step."""
        if step == self._charged:
            return
        self._charged = step
        self._asked.add(step, asked)
        extra = self._asked.highest - self.present
        if extra > 0.0:
            self._extra.add(step * self._step_s // _CELL_S, extra)


class _DayTotal:
    """The sum of what was added in the last day."""

    def __init__(self) -> None:
        self._cells = array("d", [0.0]) * _CELLS
        self._earlier = self._latest = 0.0
        self._cell = 0

    def add(self, cell: int, amount: float) -> None:
        """Something more in the cell that was added to last, or in a later one."""
        if cell != self._cell:
            self._turn_to(cell)
        self._latest += amount

    @property
    def total(self) -> float:
        return self._earlier + self._latest

    def _turn_to(self, cell: int) -> None:
        self._cells[self._cell % _CELLS] = self._latest
        for turned in range(max(self._cell, cell - _CELLS) + 1, cell + 1):
            self._cells[turned % _CELLS] = 0.0
        self._earlier, self._latest = math.fsum(self._cells), 0.0
        self._cell = cell


class _Highest:
    """The largest of the values that were added in the last `width` steps."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._falling: deque[tuple[int, float]] = deque()

    def add(self, step: int, value: float) -> None:
        """The value of a step, not before the one added last; NaN for none."""
        while self._falling and self._falling[0][0] <= step - self._width:
            self._falling.popleft()
        if math.isnan(value):
            return
        while self._falling and self._falling[-1][1] <= value:
            self._falling.pop()
        self._falling.append((step, value))

    @property
    def highest(self) -> float:
        """NaN where none is known."""
        return self._falling[0][1] if self._falling else math.nan
