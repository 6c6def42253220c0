"""Counts that somebody else wrote: a person with kubectl scale, or a tool that resets them.

Told apart by what they do. A count that is changed is left alone for the grace the resource
states. A count that is put back to where it was soon after each of our writes is a tool that
fights us, and after a few rounds we stop.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Carried = tuple[int, int, float]
"""A write of ours: the count before it, the count it asked for, and when, in epoch seconds."""

_UNDONE_WITHIN_S = 300.0
_MOST_UNDONE = 3
_STOPPED_FOR_S = 3600.0


@dataclass(slots=True)
class ForeignWrites:
    """What is known of one target's count. Not for several threads at once.

    asked: the count that stood when we last looked or wrote, None before that. before: the one
    it replaced when we wrote it, at `wrote_s`. attempted: a write of ours that may or may not have
    been carried out.
    """

    asked: int | None = None
    before: int | None = None
    wrote_s: float = 0.0
    attempted: Carried | None = None
    changed_s: float | None = None
    zero_by_hand: bool = False
    undone_s: list[float] = field(default_factory=list)

    def wrote(self, before: int, after: int, now_s: float) -> None:
        """A write of ours was accepted."""
        self.asked, self.before, self.wrote_s = after, before, now_s
        self.attempted = self.changed_s = None

    @property
    def last(self) -> Carried | None:
        """Our last write, if it still stands as far as we know."""
        if self.asked is None or self.before is None or self.changed_s is not None:
            return None
        return (self.before, self.asked, self.wrote_s)

    def saw(self, current: int, now_s: float, may_be_zero: bool, ours: bool) -> Carried | None:
        """Take note of the count as read. The write of ours it shows was carried out after all, if any.

        may_be_zero: the resource itself allows 0 replicas. ours: the count is ours to write; while it
        is somebody else's, their changes are no intrusion, and none once it is ours again.
        """
        self._none_later(now_s)
        applied, self.attempted = self.attempted, None
        if not ours:
            self.asked, self.changed_s = current, None
            self.zero_by_hand = current == 0 and not may_be_zero
            return None
        if applied is not None and current == applied[1]:
            self.wrote(*applied)
            return applied
        if self.asked is None:
            self.zero_by_hand = current == 0 and not may_be_zero
        elif current != self.asked:
            if current == self.before and now_s - self.wrote_s <= _UNDONE_WITHIN_S:
                self.undone_s = [*self.undone_s, now_s][-_MOST_UNDONE:]
            self.changed_s = now_s
            self.zero_by_hand = current == 0
        elif self.undone_s and self.changed_s is None and now_s - self.wrote_s > _STOPPED_FOR_S:
            self.undone_s.clear()
        if current > 0:
            self.zero_by_hand = False
        self.asked = current
        return None

    def _none_later(self, now_s: float) -> None:
        """Where the clock was put back, what lies in the future happened just now."""
        self.wrote_s = min(self.wrote_s, now_s)
        self.undone_s = [min(at_s, now_s) for at_s in self.undone_s]
        if self.changed_s is not None:
            self.changed_s = min(self.changed_s, now_s)

    def fighting(self, now_s: float) -> bool:
        """Whether our writes are being undone again and again. One more is tried every hour."""
        return len(self.undone_s) >= _MOST_UNDONE and now_s - self.undone_s[-1] < _STOPPED_FOR_S

    def grace_left_s(self, grace_s: float, now_s: float) -> float:
        """Seconds for which a count that somebody else set is still left alone."""
        return 0.0 if self.changed_s is None else max(0.0, self.changed_s + grace_s - now_s)
