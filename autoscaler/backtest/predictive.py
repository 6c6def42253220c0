"""Our own policy as a policy under test: the production `decide` fed from the simulation."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from autoscaler.backtest.dialling import Dialling
from autoscaler.backtest.foresight import Foresight
from autoscaler.backtest.result import DialTrack, Explained, GuardTotal
from autoscaler.backtest.scaler import Moment
from autoscaler.forecasting.known.occasions import at_least
from autoscaler.forecasting.worth import Trial, limited
from autoscaler.planning.capacity import replicas_for
from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.decision import Decision
from autoscaler.planning.explain import explain
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy, SignalPolicy, SignalType
from autoscaler.series import Floats, Reading, Series, State

_MOST_EXPLAINED = 5000
"""Decisions kept with their sentence; a report with more is not read."""


class PredictiveScaler:
    """Runs `decide` at every step and keeps what a report wants to show.

    recorded: columns of the trace by signal name; a signal without one is simulated (CPU from
    utilisation, queue depth from the backlog, latency from the response time, errors as none).
    """

    def __init__(
        self, name: str, policy: Policy, foresight: Foresight, recorded: Mapping[str, Floats], lag_steps: int
    ) -> None:
        self.name = name
        self._policy = policy
        self._foresight = foresight
        self._peaks = foresight.at_quantile(policy.quantile).tolist()
        self._expected = foresight.expected.tolist()
        self._known = foresight.known.tolist()
        self._recorded = {name: column.tolist() for name, column in recorded.items()}
        self._lag_steps = lag_steps
        self._step_s = int(policy.step_s)
        self._trial = Trial(policy.quantile, foresight.lead_steps, self._step_s)
        told = np.where(foresight.untold, np.nan, 1.0)
        self._judged = (told * foresight.at_quantile(self._trial.judged)).tolist()
        self._wanted = (told * self._peaks).tolist()
        self._dialling = None if policy.objective is None else Dialling(policy, policy.objective, foresight)
        self._memory = Memory()
        self._changed: list[tuple[int, Decision]] = []
        self._guards: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])

    def start(self, first_load: float) -> int:
        """What the first load needs, within the bounds."""
        needed = replicas_for(first_load, self._policy.load_per_replica)
        return min(max(needed, self._policy.min_replicas, 1), self._policy.max_replicas)

    def decide(self, moment: Moment) -> int:
        """One decision of the production code."""
        seen = max(0, moment.index - self._lag_steps)
        observation = Observation(
            now_s=moment.now_s,
            load=_reading(moment.load),
            current=moment.asked,
            ready=moment.ready,
            signals=tuple([self._signal(signal, moment, seen) for signal in self._policy.signals]),
        )
        policy, memory, outlook = self._prepared(moment, observation.load, seen)
        decision = decide(policy, observation, outlook, memory)
        self._memory = accepted(decision.memory, moment.now_s, moment.asked, decision.replicas)
        self._note(moment, decision)
        return decision.replicas

    def explained(self) -> tuple[Explained, ...]:
        """Every change of the count with its sentence, evenly thinned where there are very many."""
        stride = max(1, math.ceil(len(self._changed) / _MOST_EXPLAINED))
        return tuple(
            Explained(
                index=index,
                before=decision.observation.current,
                after=decision.replicas,
                sentence=explain(decision),
                reasons=tuple(change.reason.value for change in decision.changes),
            )
            for index, decision in self._changed[::stride]
        )

    def guard_totals(self, step_s: float) -> tuple[GuardTotal, ...]:
        """What each guard did over the whole run."""
        hours = step_s / 3600.0
        return tuple(
            GuardTotal(reason, int(times), added * hours, removed * hours)
            for reason, (times, added, removed) in sorted(self._guards.items(), key=lambda row: -row[1][0])
        )

    def dial_track(self) -> DialTrack | None:
        """What the dial did; None of a policy without an objective."""
        return None if self._dialling is None else self._dialling.track()

    def _prepared(self, moment: Moment, load: Reading, seen: int) -> tuple[Policy, Memory, Outlook]:
        """Policy and memory with the dial turned, and what is forecast, as far as the forecasts of late were
        worth what they cost, and what is known of occasions."""
        peak = self._peaks[seen]
        at_s = int(moment.now_s) - self._lag_steps * self._step_s
        self._trial.note(at_s, moment.load, self._judged[seen], self._wanted[seen])
        limit, policy, memory, words = self._trial.limit(peak), self._policy, self._memory, ""
        if self._dialling is not None:
            dial = self._dialling.turn(memory.dial, moment, load, seen, limit)
            policy, memory = self._dialling.policy(dial), replace(memory, dial=dial)
            peak, words = self._dialling.peak(dial, seen), str(dial.place)
        peak = at_least(limited(peak, limit), self._known[seen])
        outlook = Outlook(peak, self._expected[seen], 0.0, self._foresight.model, self._trial.why, words)
        return policy, memory, outlook

    def _signal(self, signal: SignalPolicy, moment: Moment, seen: int) -> Reading:
        if signal.name in self._recorded:
            return _reading(self._recorded[signal.name][seen])
        if signal.type is SignalType.CPU:
            return _reading(moment.utilization)
        if signal.type is SignalType.QUEUE_DEPTH:
            return _reading(moment.backlog)
        if signal.type is SignalType.LATENCY:
            return _reading(moment.latency_s)
        # Known, not assumed: simulated pods queue what they cannot serve and never answer with an error.
        return Reading(State.VALUE, 0.0, 0.0)

    def _note(self, moment: Moment, decision: Decision) -> None:
        if decision.replicas != moment.asked:
            self._changed.append((moment.index, decision))
        for change in decision.changes:
            total = self._guards[change.reason.value]
            total[0] += 1
            difference = change.after - change.before
            total[1 if difference > 0 else 2] += abs(difference)


def recorded_signals(policy: Policy, series: Series) -> dict[str, Floats]:
    """The columns of a trace that are named like signals of the policy: [time] each."""
    columns = series.columns
    return {signal.name: columns[signal.name] for signal in policy.signals if signal.name in columns}


def _reading(value: float) -> Reading:
    if math.isfinite(value):
        return Reading(State.VALUE, value, 0.0)
    return Reading(State.NOT_A_NUMBER if math.isinf(value) else State.EMPTY, detail="nothing recorded")
