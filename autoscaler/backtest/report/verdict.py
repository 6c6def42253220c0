"""What a comparison means, in one sentence for someone who pays for the machines.

Losses are said as plainly as gains. A policy run at several quantiles is represented by the run at its
own stated one, and where that is missing by the run with the median equal-cost ratio; never by its
luckiest one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from autoscaler.backtest.result import Kind, Run, TraceResult
from autoscaler.backtest.yardstick import FLOOR, geometric_mean

_QUANTILE = re.compile(r"@q[0-9.]+$")

_LEVEL = 0.02
"""Ratios within this of 1 are a tie."""

_NEGLIGIBLE = 0.005
"""Per cent of the load unserved below which nobody would notice a difference."""

_PERFECT = 0.001
"""Per cent of the load unserved below which a rival lost nothing worth dividing by: an interpolated front
has rounding errors where it should have 0."""

_MOST_TIMES = 100
"""Factors beyond it say no more."""


def base_name(policy: str) -> str:
    """The policy's name without the quantile it was run at."""
    return _QUANTILE.sub("", policy)


def representative(runs: Sequence[Run]) -> Run | None:
    """The run that speaks for our policies: of the best policy, the one at its own stated quantile,
    and where only others were run, the median of these; None without any."""
    fronts: dict[str, list[Run]] = {}
    for run in runs:
        if run.kind is Kind.POLICY:
            fronts.setdefault(base_name(run.policy), []).append(run)
    chosen = [_as_stated(name, front) for name, front in fronts.items()]
    return min(chosen, key=lambda run: _or_last(run.scores.equal_cost), default=None)


def trace_verdict(runs: Sequence[Run]) -> str:
    """One sentence about the runs over one trace."""
    ours = representative(runs)
    if ours is None:
        return _without_policy(runs)
    if math.isnan(ours.scores.unserved_share):
        return "No load is known in the scored part of this trace, so nothing can be said about it."
    if math.isfinite(ours.scores.equal_cost):
        return _at_equal_cost(
            _described(ours, runs), 100 * ours.scores.unserved_share, ours.scores.equal_cost
        )
    rival = _tuned_rival(runs)
    if rival is None or math.isnan(rival.scores.unserved_share):
        return f"{_outcome(ours)}; there was no rival to compare with."
    return _side_by_side(ours, rival)


def overall_verdict(traces: Sequence[TraceResult]) -> str:
    """One sentence about all traces; for a single trace its own."""
    if len(traces) == 1:
        return traces[0].verdict
    named = [(trace.series.name, representative(trace.runs)) for trace in traces]
    ratios = {name: run.scores.equal_cost for name, run in named if run is not None}
    ratios = {name: ratio for name, ratio in ratios.items() if math.isfinite(ratio)}
    if not ratios:
        none = f"None of the {len(traces)} traces allows a comparison with a tuned HPA at equal cost"
        return f"{none}; see the verdict on each."
    worst = max(ratios, key=lambda name: ratios[name])
    better = sum(ratio < 1 - _LEVEL for ratio in ratios.values())
    worse = sum(ratio > 1 + _LEVEL for ratio in ratios.values())
    level = len(ratios) - better - worse
    counts = [f"better on {better}", f"level on {level}", f"worse on {worse}"]
    told = ", ".join(count for count in counts if not count.endswith(" 0"))
    left_out = len(traces) - len(ratios)
    aside = f"; {_traces(left_out)} could not be compared" if left_out else ""
    compared = "the trace" if len(ratios) == 1 else f"{len(ratios)} traces"
    change = _overload_change(geometric_mean([*ratios.values()]))
    return (
        f"At the cost of a tuned HPA, predictive scaling had {change} over {compared}: {told} "
        f"(worst: {worst}, {ratios[worst]:.2f} times the HPA's){aside}."
    )


def percent(share_in_percent: float) -> str:
    """Per cent of the load in words: three figures, `nothing` for none, never `0.000 %`."""
    if math.isnan(share_in_percent):
        return "an unknown part"
    if share_in_percent <= 0.0:
        return "nothing"
    if share_in_percent < 0.001:
        return "less than 0.001 %"
    digits = max(0, 2 - math.floor(math.log10(share_in_percent)))
    return f"{share_in_percent:.{min(digits, 3)}f} %"


def about(share_in_percent: float) -> str:
    """The same for a figure that was inferred, not simulated."""
    text = percent(share_in_percent)
    return text if share_in_percent < 0.001 else f"about {text}"


def _at_equal_cost(name: str, ours: float, ratio: float) -> str:
    """ours: unserved per cent; ratio: (ours + floor) / (rival + floor).

    The rival is given as what the ratio makes of ours: both then belong to the same simulation,
    while the yardstick that the ratio comes from is a simpler one.
    """
    rival = max(0.0, (ours + FLOOR) / ratio - FLOOR)
    begin = f"At the cost of a tuned HPA, {name} left {_of_load(ours)} unserved"
    if max(ours, rival) < _NEGLIGIBLE:
        return f"{begin}, and so would the HPA ({about(rival)}): no difference anyone would notice."
    if abs(ratio - 1.0) <= _LEVEL:
        return f"{begin}, no better and no worse than the HPA ({about(rival)})."
    if ratio < 1.0:
        gain = "" if ours == 0.0 else f": {_less(ours, rival)}"
        return f"{begin} instead of {about(rival)}{gain}."
    loss = "" if rival < _PERFECT else f", {_more(ours, rival)}"
    return f"{begin}{loss}: the HPA would have left {about(rival)} and is the better choice here."


def _side_by_side(ours: Run, rival: Run) -> str:
    """For a policy whose cost the tuned rival never has: both figures of both."""
    mine, theirs = 100 * ours.scores.unserved_share, 100 * rival.scores.unserved_share
    cost = ours.scores.cost_ratio / rival.scores.cost_ratio - 1.0
    money = (
        "the same cost"
        if abs(cost) < 0.005
        else f"{100 * abs(cost):.0f} % {'more' if cost > 0 else 'less'} cost"
    )
    joiner = "at" if abs(cost) < 0.005 else "for"
    begin = f"{ours.policy} left {_of_load(mine)} unserved and {rival.policy} {percent(theirs)}"
    if max(mine, theirs) < _NEGLIGIBLE:
        difference = "no difference anyone would notice"
    elif abs((mine + FLOOR) / (theirs + FLOOR) - 1.0) <= _LEVEL:
        difference = "level"
    elif mine < theirs:
        difference = "everything served" if mine == 0.0 else _less(mine, theirs)
    else:
        difference = "a loss" if theirs < _PERFECT else _more(mine, theirs)
    aside = "their costs do not meet, so this is no comparison at equal cost"
    return f"{begin}: {difference}, {joiner} {money} ({aside})."


def _without_policy(runs: Sequence[Run]) -> str:
    rivals = [run for run in runs if run.kind is Kind.BASELINE and math.isfinite(run.scores.unserved_share)]
    if not rivals:
        return "No policy was run that could be compared."
    least = min(rivals, key=lambda run: (run.scores.unserved_share, run.scores.cost_ratio))
    return f"Only baselines were run; the least load was lost by {_outcome(least, ', which left')}."


def _outcome(run: Run, verb: str = " left") -> str:
    scores = run.scores
    return (
        f"{run.policy}{verb} {_of_load(100 * scores.unserved_share)} unserved "
        f"at {scores.cost_ratio:.2f} times the cost of what was needed"
    )


def _described(run: Run, runs: Sequence[Run]) -> str:
    """The run's name, and that it was chosen, where it was."""
    names = {base_name(other.policy) for other in runs if other.kind is Kind.POLICY}
    return run.policy if len(names) == 1 else f"{run.policy}, the best of {len(names)} policies,"


def _of_load(share_in_percent: float) -> str:
    text = percent(share_in_percent)
    return text if text == "nothing" else f"{text} of the load"


def _less(ours: float, rival: float) -> str:
    gain = 100 * (1 - ours / rival)
    return f"{gain:.0f} % less" if gain < 99 else "over 99 % less"


def _more(ours: float, rival: float) -> str:
    factor = ours / rival
    if factor > _MOST_TIMES:
        return f"over {_MOST_TIMES} times as much"
    return f"{factor:.1f} times as much" if factor >= 2 else f"{100 * (factor - 1):.0f} % more"


def _overload_change(ratio: float) -> str:
    if abs(ratio - 1.0) <= _LEVEL:
        return "the same overload"
    if ratio > _MOST_TIMES:
        return f"over {_MOST_TIMES} times the overload (geometric mean)"
    return f"{abs(1 - ratio) * 100:.0f} % {'less' if ratio < 1 else 'more'} overload (geometric mean)"


def _traces(count: int) -> str:
    return "1 trace" if count == 1 else f"{count} traces"


def _tuned_rival(runs: Sequence[Run]) -> Run | None:
    """The baseline to stand beside: tuned HPA, else HPA, else whichever left the least unserved."""
    rivals = [run for run in runs if run.kind is Kind.BASELINE]

    def preference(run: Run) -> tuple[int, float]:
        names = ("hpa-tuned", "hpa")
        base = run.policy.split(":")[0]
        return (names.index(base) if base in names else len(names), _or_last(run.scores.unserved_share))

    return min(rivals, key=preference, default=None)


def _as_stated(name: str, front: Sequence[Run]) -> Run:
    return next((run for run in front if run.policy == name), None) or _median_run(front)


def _median_run(front: Sequence[Run]) -> Run:
    """The run with the median equal-cost ratio, of an even number the worse one of the middle two."""
    comparable = [run for run in front if math.isfinite(run.scores.equal_cost)]
    if comparable:
        return sorted(comparable, key=lambda run: run.scores.equal_cost)[len(comparable) // 2]
    return sorted(front, key=lambda run: _or_last(run.scores.cost_ratio))[len(front) // 2]


def _or_last(value: float) -> float:
    return math.inf if math.isnan(value) else value
