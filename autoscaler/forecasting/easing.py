"""Peaks that come down more slowly than they go up, where what is given up is long in coming back.

Ready within a lead time is only what was asked for all through it, so every dip of the forecast takes away
what the forecasts around it want; and forecasts made a minute apart differ by chance. Plans hold the
highest wish of five minutes anyhow. For what a lead has beyond that, a peak lower than those modelled
shortly before is stated half-way between it and the highest of them. The record (`promises`) then reads it
as any other. Measured in docs/research-log.md.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from autoscaler.series import Floats
from autoscaler.trailing import trailing

_HELD_S = 300
_SHARE = 0.5


def _steps(lead: int, step_s: int) -> int:
    """Over how many steps the highest counts, the present one among them."""
    return max(1, (lead * step_s - _HELD_S) // step_s)


def eased(stated: Floats, lead: int, step_s: int) -> Floats:
    """Quantiles of the peak over `lead` steps as they are to be stated, [time, level].

    stated: [time, level], as modelled one step after the other; NaN where there was no forecast.
    """
    highest = trailing(np.fmax, stated.T, _steps(lead, step_s)).T
    return stated + _SHARE * (highest - stated)


class Easing:
    """The same for one workload, forecast by forecast. Keeps what was modelled for as long as it counts."""

    def __init__(self, lead: int, step_s: int) -> None:
        self._lead, self._step_s = lead, step_s
        self._counts_s = _steps(lead, step_s) * step_s
        ahead_s = step_s * np.arange(1, lead + 1, dtype=np.float64)
        self._part = np.clip((ahead_s - _HELD_S) / max(lead * step_s - _HELD_S, 1), 0.0, 1.0)
        self._modelled: deque[tuple[int, Floats]] = deque()

    def eased(self, made_at_s: int, peaks: Floats) -> Floats:
        """Peaks made at `made_at_s` as they are to be stated, [horizon, level].

        peaks: as modelled, rising with the horizon. Up to five minutes ahead nothing is changed, and more
        the nearer a step is to the lead.
        """
        over_lead = peaks[self._lead - 1]
        if self._counts_s == self._step_s or not np.isfinite(over_lead).all():
            return peaks
        kept = self._modelled
        while kept and not made_at_s - self._counts_s < kept[0][0] < made_at_s:
            kept.popleft()
        kept.append((made_at_s, over_lead.copy()))
        more = _SHARE * (np.max([one for _, one in kept], axis=0) - over_lead)
        part = np.append(self._part, np.ones(len(peaks) - self._lead))
        # Each level is raised by its own fall; between now and the lead they must not cross.
        return np.maximum.accumulate(peaks + part[:, np.newaxis] * more, axis=1)
