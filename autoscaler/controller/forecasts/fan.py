"""One workload's newest forecast, and what it still says as it grows old."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from autoscaler.controller.forecasts.request import lead_steps
from autoscaler.forecasting.known.occasions import at_least, raised
from autoscaler.forecasting.worth import limited
from autoscaler.planning.curve import Curve
from autoscaler.planning.observation import Outlook
from autoscaler.series import Floats, Grade

_LONGEST_GRACE_S = 15.0
_GRACE_SHARE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """Quantiles of the load to come, as made when one step had just been seen.

    made_at_s: epoch seconds of the newest grid instant whose load was known; with a query such as
    `rate(...[1m])` that load describes the minute before it. Step h, from 0, of the fan is the
    grid instant `(h + 1) * step_s` later.
    lead: steps ahead that the model was tuned for. levels: [level], ascending.
    values: [step, level], load at each step. peaks: [step, level], maximum load up to each step.
    expected: [step + 1], median load of the step made_at_s and of those after it, each as forecast at
    least `lead` steps before, so that it does not follow a collapse; NaN where none was made.
    coverage: share of the peaks over the lead that stayed within the stated quantile lately, NaN
    before any could be judged; judged: how many were. limit: the most that decisions may ask for because of
    it, as a load, NaN for nothing at all; doubt: why there is a limit, in words. relation: what is taken from
    the tier in front, or why nothing is; empty for a workload that follows none.
    known: [step], load that known occasions bring at least, NaN where none does; empty where none is near.
    It is no part of values and peaks, and neither limit nor headroom holds for it. lacking: what could
    not be read of occasions to come, in words. curve: what an objective is kept by; None without one, and
    before there is a day of forecasts.
    A fan of grade NONE is all NaN.
    """

    made_at_s: float
    step_s: int
    lead: int
    levels: Floats
    values: Floats
    peaks: Floats
    expected: Floats
    model: str
    grade: Grade
    note: str
    coverage: float = math.nan
    judged: int = 0
    limit: float = math.inf
    doubt: str = ""
    relation: str = ""
    known: Floats = field(default_factory=lambda: np.empty(0))
    lacking: str = ""
    curve: Curve | None = None

    @property
    def horizon(self) -> int:
        """Steps that the fan reaches ahead."""
        return int(self.peaks.shape[0])

    def outlook(self, now_s: float, lead_time_s: float, quantile: float, headroom: float = 1.0) -> Outlook:
        """What the fan says for a decision at `now_s`, epoch seconds.

        While fresh, the `quantile` of the peak over the lead time, times `headroom`; once later steps should
        have been seen, over as many steps more. NaN, with a note, where that is past the horizon or is not
        followed.
        """
        age_s = max(0.0, now_s - self.made_at_s)
        steps = lead_steps(lead_time_s, self.step_s) + self._steps_missed(age_s)
        present = int(age_s // self.step_s)
        expected = float(self.expected[present]) if present < len(self.expected) else math.nan
        if steps > self.horizon:
            note = (
                f"the newest forecast is {age_s:.0f} s old and reaches {self.horizon * self.step_s} s ahead: "
                "too short for the lead time"
            )
            return Outlook(math.nan, expected, age_s, self.model, note)
        peak = limited(headroom * self.peak(steps, quantile), self.limit)
        if len(self.known):
            peak = at_least(peak, float(np.fmax.reduce(self.known[:steps])))
        note = "; ".join(filter(None, (self.relation, self.note)))
        return Outlook(peak, expected, age_s, self.model, self.doubt or note)

    def shown(self) -> tuple[Floats, Floats]:
        """`values` and `peaks` with what known occasions bring, as people are shown them."""
        return raised(self.values, self.peaks, self.known) if len(self.known) else (self.values, self.peaks)

    def peak(self, steps: int, quantile: float) -> float:
        """The model's quantile of the peak over so many steps, whether or not it is followed.

        Linear between levels; beyond the outermost ones nothing is extrapolated.
        """
        at = self.peaks[steps - 1]
        position = float(np.interp(quantile, self.levels, np.arange(len(self.levels))))
        low = int(position)
        high = min(low + 1, len(self.levels) - 1)
        return float(at[low] + (position - low) * (at[high] - at[low]))

    def _steps_missed(self, age_s: float) -> int:
        """Steps that are over and should have been seen; the newest is given some seconds to arrive."""
        grace_s = min(_LONGEST_GRACE_S, self.step_s / _GRACE_SHARE)
        return max(0, int((age_s - grace_s) // self.step_s))


def as_expected_earlier(before: Floats, steps: int, lead: int, median: Floats) -> Floats:
    """`Fan.expected` after `steps` more steps, [horizon + 1].

    before: the one until then. median: [horizon], of the forecast now made, which counts from `lead`
    steps ahead; nearer steps keep what was expected of them before.
    """
    expected = np.full(len(median) + 1, np.nan)
    kept = before[steps : steps + lead]
    expected[: len(kept)] = kept
    expected[lead:] = median[lead - 1 :]
    return expected
