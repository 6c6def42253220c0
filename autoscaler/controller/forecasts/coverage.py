"""How often the load of late stayed within what had been stated of its peak."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_WINDOW_S = 86_400
_MOST = 1440


class Coverage:
    """Judges stated peaks of one workload once their lead time is over, over about the last day."""

    def __init__(self, lead: int, step_s: int) -> None:
        self._lead_s = lead * step_s
        self._stated: dict[int, float] = {}
        self._outcomes = np.zeros(max(1, min(_MOST, _WINDOW_S // step_s)), np.int8)
        self._at = 0
        self.judged = 0

    @property
    def share(self) -> float:
        """Share of the judged peaks that stayed within what was stated; NaN before there is one."""
        return float(self._outcomes.sum()) / self.judged if self.judged else math.nan

    def state(self, made_at_s: int, peak: float) -> None:
        """At `made_at_s` the peak over the lead was stated to be at most `peak`; NaN states nothing."""
        if math.isfinite(peak):
            self._stated[made_at_s] = peak

    def judge(self, now_s: int, lately: NDArray[np.float32]) -> None:
        """The lead that ends at `now_s` is over, and `lately` came, one load per step of it.

        What is not wholly known is not judged.
        """
        made_at_s = now_s - self._lead_s
        stated = self._stated.pop(made_at_s, math.nan)
        if self._stated and min(self._stated) < made_at_s:
            self._stated = {at_s: peak for at_s, peak in self._stated.items() if at_s > made_at_s}
        if math.isfinite(stated) and len(lately) and np.isfinite(lately).all():
            # Loads are kept in single precision, which must not turn equal into above.
            self._outcomes[self._at] = float(lately.max()) <= stated * (1.0 + 1e-6) + 1e-12
            self._at = (self._at + 1) % len(self._outcomes)
            self.judged = min(self.judged + 1, len(self._outcomes))
