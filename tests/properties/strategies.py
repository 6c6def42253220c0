"""Hypothesis strategies for policies, observations and memories, hostile values included."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import (
    KnownEvent,
    Mode,
    OutagePolicy,
    Policy,
    PolicyType,
    RatePolicy,
    ScalingRules,
    SelectPolicy,
    SignalPolicy,
    SignalType,
    SpendPolicy,
)
from autoscaler.series import Reading, State

START_S = 1_700_000_000.0

loads = st.one_of(
    st.floats(0, 1e4),
    st.sampled_from([0.0, 1e-300, 1e-9, 1e9, 1e12]),
)
rate_policies = st.builds(
    RatePolicy,
    type=st.sampled_from(PolicyType),
    value=st.integers(1, 200),
    period_s=st.sampled_from([15.0, 60.0, 300.0, 1800.0]),
)
rules = st.builds(
    ScalingRules,
    stabilization_s=st.sampled_from([0.0, 60.0, 300.0, 3600.0]),
    select=st.sampled_from([SelectPolicy.MAX, SelectPolicy.MIN]),
    policies=st.lists(rate_policies, min_size=1, max_size=3).map(tuple),
    tolerance=st.sampled_from([0.0, 0.1]),
)
SIGNALS = (
    SignalPolicy("cpu", SignalType.CPU, target=70.0),
    SignalPolicy("queue", SignalType.QUEUE_DEPTH, drain_within_s=60.0, per_replica=5.0),
    SignalPolicy("latency", SignalType.LATENCY, target=0.25),
    SignalPolicy("errors", SignalType.ERRORS, target=0.05),
)
signal_sets = st.lists(st.sampled_from(SIGNALS), unique=True, max_size=4).map(tuple)
spends = st.builds(
    SpendPolicy,
    replica_hour_price=st.sampled_from([0.01, 0.12, 5.0]),
    hourly_cap=st.one_of(st.none(), st.floats(0.01, 100)),
    daily_budget=st.one_of(st.none(), st.floats(0.1, 1000)),
    monthly_budget=st.one_of(st.none(), st.floats(1, 10_000)),
)


@st.composite
def policies(draw: st.DrawFn, *, plain: bool = False) -> Policy:
    """Any valid policy; `plain` leaves out what caps or lifts the count on purpose (spend, events,
    pending cap, outage, zones), so that what remains can be compared."""
    low = draw(st.integers(0, 20))
    high = draw(st.integers(max(low, 1), 500))
    optional = (
        {}
        if plain
        else {
            "mode": draw(st.sampled_from([Mode.ACTIVE, Mode.SCALE_OUT_ONLY])),
            "outage": draw(st.one_of(st.none(), st.just(OutagePolicy(0.5, 600.0)))),
            "zones": 3,
            "zones_lost": draw(st.sampled_from([0, 1])),
            "pending_cap": draw(st.one_of(st.none(), st.integers(1, 50))),
            "spend": draw(st.one_of(st.none(), spends)),
            "events": draw(
                st.one_of(
                    st.just(()),
                    st.just((KnownEvent("launch", START_S + 600, START_S + 1200, min(high, low + 5)),)),
                )
            ),
        }
    )
    return Policy(
        name="any",
        min_replicas=low,
        max_replicas=high,
        load_per_replica=draw(st.sampled_from([0.5, 10.0, 333.3])),
        lead_time_s=draw(st.sampled_from([15.0, 180.0, 900.0])),
        step_s=draw(st.sampled_from([15.0, 60.0])),
        signals=draw(signal_sets),
        scale_up=draw(rules),
        scale_down=draw(rules),
        cooldown_up_s=draw(st.sampled_from([0.0, 120.0])),
        cooldown_down_s=draw(st.sampled_from([0.0, 300.0])),
        **optional,
    )


@st.composite
def readings(draw: st.DrawFn, numbers: st.SearchStrategy[float] = loads) -> Reading:
    """A reading in any state."""
    state = draw(st.sampled_from([State.VALUE] * 6 + [s for s in State if s is not State.VALUE]))
    has_number = state in (State.VALUE, State.PARTIAL, State.STALE)
    return Reading(state, draw(numbers) if has_number else math.nan, draw(st.sampled_from([0.0, 30.0])))


@st.composite
def observations(draw: st.DrawFn, policy: Policy, now_s: float = START_S) -> Observation:
    """Anything that may be seen of a target governed by `policy`."""
    current = draw(st.integers(0, 600))
    ready = draw(st.one_of(st.none(), st.just(current), st.integers(0, current)))
    signals = tuple(draw(readings()) for _ in policy.signals)
    return Observation(now_s, draw(readings()), current, ready, signals)


outlooks = st.builds(
    Outlook,
    peak=st.one_of(loads, st.just(math.nan)),
    expected=st.one_of(loads, st.just(math.nan)),
    age_s=st.just(0.0),
    model=st.just("any"),
)
