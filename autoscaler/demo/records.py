"""What the operator keeps of every step, gathered and written together: days are played in seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.telling.ledger import StoreLedger
from autoscaler.store.rows import DaySpend, ManifestKept, MemoryKept, Row, StateKept
from autoscaler.store.store import Store


class Records:
    """The operator's own ledger on a store. For one thread. What is gathered lasts only once it is written.

    fan: the newest forecast of a workload. lasting_only: see `StoreLedger`.
    """

    def __init__(self, store: Store, fan: Callable[[str], Fan | None], lasting_only: bool = False) -> None:
        self._store = store
        self._gathered = _Gathered()
        self.ledger = StoreLedger(self._gathered, fan, lasting_only)

    def write(self) -> None:
        """Write all that is gathered in one transaction. Raises StoreError when the store cannot be used."""
        self._store.write(self._gathered.take())


class _Gathered:
    """Implements the ledger's `Journal`. Of what the store keeps only the newest, so does this."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._newest: dict[tuple[object, ...], Row] = {}
        self._memories: dict[str, MemoryKept] = {}

    def commit(self, batch: Sequence[Row], patience_s: float) -> bool:
        for row in batch:
            match row:
                case MemoryKept():
                    self._memories[row.workload] = row
                    self._newest[MemoryKept, row.workload] = row
                case StateKept() | ManifestKept():
                    self._newest[type(row), row.workload] = row
                case DaySpend():
                    self._newest[DaySpend, row.workload, row.day] = row
                case _:
                    self._rows.append(row)
        return True

    def memory(self, workload: str) -> MemoryKept | None:
        return self._memories.get(workload)

    def reload(self, patience_s: float) -> bool:
        return True  # nobody else writes

    def take(self) -> list[Row]:
        rows = [*self._rows, *self._newest.values()]
        self._rows.clear()
        self._newest.clear()
        return rows
