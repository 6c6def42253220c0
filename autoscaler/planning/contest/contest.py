"""Two policies side by side on the same observations, each with simulated pods, and what came of both.

The one in force takes part like the other: its real pods answer to people, rollouts and slow nodes, its
simulated ones only to its decisions, as the other's do. So the comparison is of policies alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from autoscaler.planning.contest.contender import Contender, obeyed
from autoscaler.planning.contest.tally import Side, Span, noted
from autoscaler.planning.decide import longest_pause_s
from autoscaler.planning.fleet import Fleet
from autoscaler.planning.memory import Memory, Spent
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy

_SAME_LOOK_S = 0.5
"""A target that is looked at again so soon is not decided on anew by simulated policies."""


@dataclass(frozen=True, slots=True)
class Contest:
    """since_s, at_s: when it began, and the newest look, epoch seconds. spans: oldest first."""

    own: Contender
    shadow: Contender
    since_s: float
    at_s: float
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Play:
    """A policy and what the forecast says at its stated risk."""

    policy: Policy
    outlook: Outlook


def begun(
    observation: Observation, lead_time_s: float, spent: Spent, spans: tuple[Span, ...] = ()
) -> Contest:
    """Both policies with the pods there are. spent: the money that both have spent already. spans: what is
    known of a comparison that was interrupted."""
    contender = Contender(Memory(spent=spent), _taken_over(observation, lead_time_s))
    since_s = spans[0].start_s if spans else observation.now_s
    return Contest(contender, contender, since_s, observation.now_s, spans)


def continued(
    contest: Contest,
    observation: Observation,
    own: Play,
    shadow: Play,
    window_s: float,
    forecast_wanted: bool = True,
) -> Contest:
    """After one more look at the real target, whose `observation` the spec's own policy decides on.

    The time since the last look counts if everything is known now and there was no pause. After a pause both
    go on from the pods there are. forecast_wanted: whether a missing forecast is something unknown.
    """
    now_s = observation.now_s
    elapsed_s = now_s - contest.at_s
    if 0.0 <= elapsed_s < _SAME_LOOK_S:
        return contest
    spans = contest.spans
    if 0.0 <= elapsed_s <= longest_pause_s(own.policy):
        ours, theirs = contest.own.fleet.at(now_s), contest.shadow.fleet.at(now_s)
        if _all_known(observation, (own, shadow), forecast_wanted):
            what = _interval(observation, ours, theirs, own.policy.load_per_replica, elapsed_s)
            spans = noted(spans, now_s, what, window_s)
    else:
        ours = theirs = _taken_over(observation, own.policy.lead_time_s)
    return Contest(
        own=obeyed(replace(contest.own, fleet=ours), own.policy, observation, own.outlook),
        shadow=obeyed(replace(contest.shadow, fleet=theirs), shadow.policy, observation, shadow.outlook),
        since_s=min(contest.since_s, now_s),
        at_s=now_s,
        spans=spans,
    )


def _interval(observation: Observation, own: Fleet, shadow: Fleet, per_replica: float, for_s: float) -> Span:
    load = observation.load.value
    return Span(
        start_s=0.0,
        counted_s=for_s,
        load=load * for_s,
        own=Side.of(own, load, per_replica, for_s),
        shadow=Side.of(shadow, load, per_replica, for_s),
        actual=Side.of(_actual(observation), load, per_replica, for_s),
    )


def _actual(observation: Observation) -> Fleet:
    """The pods there are; those that are not ready, some day."""
    ready = observation.current if observation.ready is None else observation.ready
    return Fleet(observation.current, ready)


def _taken_over(observation: Observation, lead_time_s: float) -> Fleet:
    """The pods there are, the others as if they had just been asked for."""
    fleet, now_s = _actual(observation), observation.now_s
    missing = fleet.asked - fleet.ready
    return replace(fleet, starting=((now_s, now_s + lead_time_s, missing),) if missing > 0 else ())


def _all_known(observation: Observation, plays: tuple[Play, ...], forecast_wanted: bool) -> bool:
    if not observation.load.known or observation.ready is None:
        return False
    if forecast_wanted and any(math.isnan(play.outlook.peak) for play in plays):
        return False
    return all(reading.known for reading in observation.signals)
