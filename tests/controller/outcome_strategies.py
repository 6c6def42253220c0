"""Anything that may come of an evaluation, for tests of what is told of it."""

from __future__ import annotations

import dataclasses

from hypothesis import strategies as st
from workload_making import NOW_S, pod, running, setting

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.deciding import Seen, plan
from autoscaler.controller.observing.lead_time import MeasuredLeadTime
from autoscaler.controller.outcome import Fault, Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.planning.observation import Outlook
from autoscaler.series import Reading, State
from autoscaler.spec.units import format_time

NUMBERS = st.one_of(st.floats(0, 1e6), st.sampled_from([0.0, 1e-300, 1e300, 1.7e308]))
MAYBE = st.one_of(NUMBERS, st.just(float("nan")))
TEXTS = st.one_of(st.text(max_size=30), st.just("x" * 40_000), st.just("ä\u0000\ud7ff\n"))
readings = st.builds(
    lambda state, value, detail: Reading(
        state, value if state in (State.VALUE, State.PARTIAL, State.STALE) else float("nan"), 1.0, detail
    ),
    st.sampled_from(State),
    NUMBERS,
    TEXTS,
)
outlooks = st.builds(Outlook, MAYBE, MAYBE, NUMBERS, st.sampled_from(["", "ridge"]), TEXTS)
specs = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["Active", "Paused", "Recommend", "ScaleOutOnly"]),
        "spend": st.just({"replicaHourPrice": "0.12", "dailyBudget": "60"}),
        "zones": st.just({"count": 3}),
        "forecast": st.just({"model": "none"}),
        "shadow": st.just({"name": "other", "policy": {"load": {"perReplica": 7}}}),
    },
)
asked = st.sampled_from(
    [
        {},
        {ANNOTATION: f"7 until {format_time(NOW_S + 60.0)}"},
        {ANNOTATION: f"freeze until {format_time(NOW_S + 60.0)} because ä\u0000 {'x' * 2000}"},
        {ANNOTATION: f"at least 9999999 until {format_time(NOW_S + 60.0)}"},
        {ANNOTATION: f"from {format_time(NOW_S + 60.0)} 4 until {format_time(NOW_S + 90.0)}"},
        {ANNOTATION: "no such count"},
    ]
)


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[Outcome, Running]:
    """Anything that may come of an evaluation, faults and odd texts included."""
    one = running(annotations=draw(asked), **draw(specs))
    fault = draw(st.one_of(st.none(), TEXTS.map(lambda text: Fault("NoPermission", text))))
    if fault is not None and draw(st.booleans()):
        return Outcome(one.workload, NOW_S, fault=fault, write=Write.UNNEEDED), one
    replicas = draw(st.sampled_from([0, 1, 5, 2_147_483_647]))
    there = draw(st.sampled_from([None, [], [pod(f"p{n}") for n in range(6)]]))
    seen = Seen(
        NOW_S, setting(replicas), there, draw(readings), (), draw(st.sampled_from(["", "HPA web"])), ""
    )
    outlook = draw(outlooks)
    if draw(st.booleans()):
        plan(one, dataclasses.replace(seen, now_s=NOW_S - 15.0), lambda *_: outlook)
    planned = plan(one, seen, lambda *_: outlook)
    if draw(st.booleans()):
        one.measured = MeasuredLeadTime(86_400.0, 50, NOW_S - 0.25)
    return planned.outcome(draw(st.sampled_from(Write)), fault), one
