"""What one workload knows of the tier in front of it: the relation, the record of forecasts by it, and
whether they are better than the workload's own."""

from __future__ import annotations

import math
import zlib

import numpy as np

from autoscaler.controller.forecasts.recent import Recent
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.promises import Promises, read_at
from autoscaler.forecasting.related.evidence import Evidence
from autoscaler.forecasting.related.relation import (
    NOT_STEADY,
    RENEWED_S,
    Follows,
    Relation,
    learn_relation,
    learned_from,
)
from autoscaler.series import Floats

_COMPARED = "forecasts by it are still being compared with the workload's own"


class Follower:
    """One workload's following of one front. words: what is done about it now, and why."""

    def __init__(
        self, key: str, follows: Follows, settings: ForecastSettings, lead: int, step_s: int
    ) -> None:
        self.follows = follows
        self.words = f"does not follow {follows.front}: nothing has been compared yet"
        self.rehearsed = False
        self._quantile = settings.quantile
        self._levels = np.array(sorted(settings.levels))
        self._lead, self._step_s = lead, step_s
        self._relation: Relation | str = ""
        self._renewed = -1
        # Relations are learned anew at different minutes of the hour, so that they do not all fall together.
        self._offset_s = zlib.crc32(key.encode()) % RENEWED_S
        self._begin()

    def _begin(self) -> None:
        self._promises = Promises(self._levels, self._lead, self._step_s)
        self._evidence = Evidence(self._quantile, self._lead, self._step_s)

    def relation(self, own: Recent, front: Recent) -> Relation | str:
        """The relation of the two loads, which end together, or in words why there is none."""
        hour = (own.end_s + self._offset_s) // RENEWED_S
        if hour != self._renewed:
            self._renewed = hour
            steps = learned_from(self._step_s)
            mine, theirs = whole(own, steps), whole(front, steps)
            self._relation = learn_relation(
                mine, theirs, self._step_s, self._lead, self._levels, self.follows
            )
        return self._relation

    def judge(self, at_s: int, came: float) -> None:
        """The lead that ends at `at_s` is over, and this was its peak; NaN where that is not known."""
        self._promises.judge(at_s, came)
        self._evidence.judge(at_s, came)

    def refuse(self, why: str) -> None:
        """There is no forecast by the front, and this is why."""
        self.words = f"does not follow {self.follows.front}: {why}"

    def places(self, now_s: int) -> Floats:
        """Where to read each level of a forecast by the front, by the record of those."""
        return self._promises.places(now_s)

    def takes(self, made_at_s: int, own: Floats, other: Floats, read: Floats) -> bool:
        """Whether the forecast by the front is to be told in place of the workload's own.

        All of the peak over the lead, [level]. own: as it is told. other: by the relation; read: the same,
        as the record says that it is to be read. NaN where the relation does not hold.
        """
        if not np.isfinite(other).all():
            self.refuse(NOT_STEADY)
            return False
        self._promises.state(made_at_s, other)
        self._evidence.state(made_at_s, self._at_quantile(own), self._at_quantile(read))
        if not self._evidence.pays:
            self.refuse(self._against())
            return False
        self.words = self._for()
        return True

    def rehearse(self, made_at_s: list[int], own: Floats, other: Floats, came: list[float]) -> None:
        """Begin the record with earlier moments, oldest first.

        own, other: [moment, level], quantiles of the peak over the lead. came: that peak.
        """
        self._begin()
        self.rehearsed = True
        for at_s, mine, theirs, peak in zip(made_at_s, own, other, came, strict=True):
            if not np.isfinite(theirs).all():
                continue
            read = read_at(theirs[np.newaxis], self._levels, self._promises.places(at_s)[np.newaxis])
            self._promises.state(at_s, theirs)
            self._evidence.state(at_s, self._at_quantile(mine), self._at_quantile(read[0]))
            self.judge(at_s + self._lead * self._step_s, peak)

    def _at_quantile(self, quantiles: Floats) -> float:
        return float(np.interp(self._quantile, self._levels, quantiles))

    def _against(self) -> str:
        if not self._evidence.judged:
            return _COMPARED
        return f"forecasts by it lately left {self._evidence.ratio:.2f} of the loss of the workload's own"

    def _for(self) -> str:
        relation = self._relation
        assert isinstance(relation, Relation)  # or nothing would have been offered
        how = f"by {relation.lag * self._step_s} s at a ratio of {relation.ratio:.3g}"
        loss = f"{self._evidence.ratio:.2f} of the loss that the workload's own forecasts left lately"
        return f"follows {self.follows.front} {how}, with {loss}"


def whole(recent: Recent, steps: int) -> Floats:
    """The newest `steps` loads, [time], as far as they are kept; NaN before."""
    kept = recent.newest(steps).astype(np.float64)
    return np.concatenate([np.full(steps - len(kept), math.nan), kept])
