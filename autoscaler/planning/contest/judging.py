"""Who has won, told by one rule that is hard to pass by luck.

Both policies are compared over a whole window of time that was judged, and over each quarter of it. The
shadow has won when in no quarter it left more of the load unserved or cost more, and over the whole window

- it cost less by the margin, or
- it left less unserved by the margin, and less in at least two quarters, so that it is no one burst's work.

It counts as having left no more unserved up to a ten-thousandth of the load, or a twentieth of what the
spec's own policy left, above that.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from autoscaler.planning.contest.tally import Side, Span, newest, summed

_QUARTERS = 4
_EQUAL_LOAD = 1e-4
_EQUAL_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Terms:
    """What winning takes. margin: share. window_s: counted time over which it has to hold."""

    margin: float
    window_s: float


class Won(enum.StrEnum):
    """By what a policy has won."""

    CHEAPER = "Cheaper"
    SERVES_BETTER = "ServesBetter"


@dataclass(frozen=True, slots=True)
class Verdict:
    """total: everything within the window. complete: it was counted whole. won: None while it has not."""

    total: Span
    complete: bool
    won: Won | None

    @property
    def cost_ratio(self) -> float:
        """Replica time of the shadow to that of the spec's own policy; NaN before there is any."""
        own, shadow = self.total.own.replica_s, self.total.shadow.replica_s
        return shadow / own if own > 0.0 else math.nan

    def unserved(self, side: Side) -> float:
        """Share of the load that a side left unserved; NaN before anything was counted."""
        return unserved_share(self.total, side) if self.total.counted_s > 0.0 else math.nan


def judged(spans: tuple[Span, ...], terms: Terms) -> Verdict:
    """The shadow against the spec's own policy, on the newest window."""
    within = newest(spans, terms.window_s)
    total = summed(within)
    complete = total.counted_s >= terms.window_s
    return Verdict(total, complete, _won(within, total, terms.margin) if complete else None)


def loses(spans: tuple[Span, ...], terms: Terms, since_s: float) -> bool:
    """Whether a shadow that is acted by since `since_s` is to be given up.

    Over the newest quarter of a window since then it left more of the load unserved than the spec's own
    policy would have, or cost more by the margin.
    """
    quarter_s = terms.window_s / _QUARTERS
    late = summed(newest(tuple(span for span in spans if span.start_s >= since_s), quarter_s))
    if late.counted_s < quarter_s:
        return False
    dearer = late.own.replica_s <= (1.0 - terms.margin) * late.shadow.replica_s
    return dearer or not _as_good(late)


def unserved_share(total: Span, side: Side) -> float:
    """Unserved load as a share of the load; 0 when there was none to serve."""
    return side.unserved / total.load if total.load > 0.0 else 0.0


def _won(within: tuple[Span, ...], total: Span, margin: float) -> Won | None:
    quarters = _quarters(within, total.counted_s)
    if not all(_as_good(part) and part.shadow.replica_s <= part.own.replica_s for part in quarters):
        return None
    if total.own.replica_s > 0.0 and total.shadow.replica_s <= (1.0 - margin) * total.own.replica_s:
        return Won.CHEAPER
    own, shadow = unserved_share(total, total.own), unserved_share(total, total.shadow)
    lessened = sum(part.shadow.unserved < part.own.unserved for part in quarters)
    if own - shadow > max(margin * own, _EQUAL_LOAD) and lessened > 1:
        return Won.SERVES_BETTER
    return None


def _as_good(part: Span) -> bool:
    own, shadow = unserved_share(part, part.own), unserved_share(part, part.shadow)
    return shadow <= own + max(_EQUAL_LOAD, _EQUAL_SHARE * own)


def _quarters(within: tuple[Span, ...], counted_s: float) -> list[Span]:
    """The window in four parts of about the same counted time, by whole spans."""
    parts: list[list[Span]] = [[] for _ in range(_QUARTERS)]
    before_s = 0.0
    for span in within:
        middle = (before_s + span.counted_s / 2.0) / counted_s
        parts[min(int(_QUARTERS * middle), _QUARTERS - 1)].append(span)
        before_s += span.counted_s
    return [summed(part) for part in parts]
