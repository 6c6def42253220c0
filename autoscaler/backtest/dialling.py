"""The dial of a policy with an objective, turned step by step in a run as the operator turns it.

What a curve is drawn from is noted as it arrives, so nothing that is still to come can be in it.
"""

from __future__ import annotations

import numpy as np

from autoscaler.backtest.foresight import Foresight
from autoscaler.backtest.result import DialTrack
from autoscaler.backtest.scaler import Moment
from autoscaler.planning.curve import LADDER, RENEWED_S, Curve, Stated, Terms, curve_of, replayed_steps
from autoscaler.planning.objective import Dial, Observed, dialled, turned
from autoscaler.planning.policy import ObjectivePolicy, Policy
from autoscaler.series import Floats, Reading


class Dialling:
    """Serves one run."""

    def __init__(self, policy: Policy, objective: ObjectivePolicy, foresight: Foresight) -> None:
        self._policy = policy
        self._objective = objective
        self._foresight = foresight
        self._terms = Terms.of(policy)
        self._step_s = int(policy.step_s)
        self._loads = np.full(len(foresight.peaks), np.nan)
        self._limits = np.full(len(foresight.peaks), np.nan)
        self._rungs: list[int] = []
        self._peaks: dict[int, list[float]] = {}
        self._policies: dict[int, Policy] = {}
        self._renewed = -1
        self._curve: Curve | None = None

    def turn(self, dial: Dial | None, moment: Moment, load: Reading, seen: int, limit: float) -> Dial:
        """The dial for the decision of this moment. seen: newest step that is known; limit: on its
        forecast."""
        self._loads[seen], self._limits[seen] = moment.load, limit
        if moment.now_s // RENEWED_S != self._renewed:
            self._renewed = int(moment.now_s // RENEWED_S)
            self._curve = self._drawn(seen, moment.now_s)
        observed = Observed(
            now_s=moment.now_s,
            load=load,
            ready=moment.ready,
            asked=moment.asked,
            per_replica=self._policy.load_per_replica,
            longest_s=2.0 * self._step_s,
        )
        dial = turned(self._objective, dial, observed, self._curve)
        self._rungs.append(dial.rung)
        return dial

    def policy(self, dial: Dial) -> Policy:
        """The policy with what the dial says."""
        if dial.rung not in self._policies:
            self._policies[dial.rung] = dialled(self._policy, dial)
        return self._policies[dial.rung]

    def peak(self, dial: Dial, seen: int) -> float:
        """The forecast made at step `seen` as the dial reads it."""
        if dial.rung not in self._peaks:
            place = LADDER[dial.rung]
            read = place.headroom * self._foresight.at_quantile(place.quantile)
            self._peaks[dial.rung] = read.tolist()
        return self._peaks[dial.rung][seen]

    def track(self) -> DialTrack:
        """Where the dial stood after each step, and the curve it was last chosen from."""
        return DialTrack(self._objective, np.array(self._rungs, np.int64), self._curve)

    def _drawn(self, seen: int, now_s: float) -> Curve | None:
        first = max(0, seen + 1 - replayed_steps(self._step_s))
        part = slice(first, seen + 1)
        peaks: Floats = self._foresight.peaks[part]
        stated = Stated(
            self._loads[part], peaks, self._limits[part], self._foresight.levels, self._step_s, now_s
        )
        return curve_of(stated, self._terms)
