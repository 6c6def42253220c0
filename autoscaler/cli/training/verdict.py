"""Whether a new model is better than the one in force, and the table that says so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from autoscaler.backtest.yardstick import geometric_mean
from autoscaler.forecasting.peaks.model_comparison import LEADS_S

_NO_PART_ABOVE = 1.02
"""A model that is better as a whole must not be this much worse at one of its lead times."""
_MOST_COUNTED = 2.0
"""A load that hardly ever moves can give any ratio; more than twice as good or bad counts as twice."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """ratios: by load, then by part of the model: loss of the new one over that of the one in force."""

    ratios: Mapping[str, Mapping[str, float]]

    @property
    def by_part(self) -> dict[str, float]:
        """Geometric means over the loads, none of which decides alone; NaN where none could be compared."""
        bounded = [{part: _bounded(one[part]) for part in LEADS_S} for one in self.ratios.values()]
        return {part: geometric_mean([one[part] for one in bounded]) for part in LEADS_S}

    @property
    def whole(self) -> float:
        """Geometric mean over everything that could be compared; NaN where nothing could."""
        return geometric_mean(list(self.by_part.values()))

    @property
    def better(self) -> bool:
        """Whether it pays to put the new one in force."""
        worst = max((ratio for ratio in self.by_part.values() if math.isfinite(ratio)), default=math.nan)
        return self.whole < 1.0 and worst <= _NO_PART_ABOVE

    def table(self) -> Table:
        """Per load and as a whole."""
        table = Table(title="Loss on held-out load, new model over the one in force; below 1 is better")
        table.add_column("load", overflow="fold")
        for part, lead_s in LEADS_S.items():
            table.add_column(f"{part} ({lead_s // 60} min)", justify="right")
        for name, ratios in self.ratios.items():
            table.add_row(Text(name), *_figures(list(ratios.values())))
        table.add_section()
        table.add_row("geometric mean", *_figures(list(self.by_part.values())))
        return table


def _bounded(ratio: float) -> float:
    return min(max(ratio, 1.0 / _MOST_COUNTED), _MOST_COUNTED) if math.isfinite(ratio) else math.nan


def _figures(ratios: Sequence[float]) -> list[str]:
    return [f"{ratio:.3f}" if math.isfinite(ratio) else "-" for ratio in ratios]
