"""Carrying out one decision: conditional, only while we lead, and honest about what is not known."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from opentelemetry import trace

from autoscaler.controller.acting.dials import Dial, Setting
from autoscaler.controller.acting.faults import fault_of
from autoscaler.controller.acting.verdict import Hold
from autoscaler.controller.cluster.errors import ClusterError, Conflict, TooManyRequests, Unavailable
from autoscaler.controller.deciding import Planned
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.planning.decide import accepted

_TRACER = trace.get_tracer("autoscaler")
_TIMEOUT_S = 4.0
_TRIES = 4
_LONGEST_PAUSE_S = 1.0

_NOT_LEADING = Hold("NotLeading", "another replica of the operator leads now")
_CHANGED = Hold("ResourceChanged", "the resource was changed meanwhile; it is decided again at once")


class Leading(Protocol):
    """Whether this process may write."""

    def holds(self, for_s: float = 0.0) -> bool:
        """Whether nobody else can have begun to write before `for_s` from now."""
        ...


@_TRACER.start_as_current_span("write")
def write(
    planned: Planned,
    dial: Dial,
    leading: Leading,
    stands: Callable[[Workload], bool],
    clock: Callable[[], float],
) -> Outcome | Setting:
    """What became of the count; a new setting where it changed since it was decided on.

    A conflict over anything but the count, as a rollout's own bookkeeping, is tried again at once.
    stands: whether a resource still is what was decided on, as far as is known here.
    """
    trace.get_current_span().set_attributes({"resource": planned.key, "decision": planned.id})
    if not planned.changes:
        return planned.outcome(Write.UNNEEDED)
    if planned.hold is not None:
        return planned.outcome(Write.HELD)
    setting = planned.seen.setting
    refused: ClusterError | None = None
    for _ in range(_TRIES):
        # Nothing may come between this check and the request: its answer is only good for so long.
        hold = _CHANGED if not stands(planned.running.workload) else _held_by_another(leading)
        if hold is not None:
            return planned.outcome(Write.HELD, hold=hold)
        try:
            dial.write(setting, planned.count, _TIMEOUT_S)
            return _done(planned, clock())
        except Conflict as error:
            refused = error
            now = _read_again(planned, dial)
            if isinstance(now, Outcome) or not _same_count(now, setting):
                return now
            setting = now
        except TooManyRequests as error:
            if isinstance(refused, TooManyRequests):
                break  # the others of the group wait behind us; the next period is soon enough
            refused = error
            time.sleep(min(error.retry_after_s, _LONGEST_PAUSE_S))
        except Unavailable as error:
            return _unanswered(planned, error, clock())
        except ClusterError as error:
            return _failed(planned, error)
    assert refused is not None  # every try that does not return was refused
    return _failed(planned, refused)


def _held_by_another(leading: Leading) -> Hold | None:
    return None if leading.holds(_TIMEOUT_S) else _NOT_LEADING


def _read_again(planned: Planned, dial: Dial) -> Setting | Outcome:
    try:
        return dial.read(_TIMEOUT_S)
    except ClusterError as error:
        return _failed(planned, error)


def _same_count(now: Setting, then: Setting) -> bool:
    return (now.uid, now.replicas) == (then.uid, then.replicas)


def _failed(planned: Planned, error: ClusterError, write: Write = Write.FAILED) -> Outcome:
    return planned.outcome(write, fault_of(error, planned.running.workload.spec))


def _unanswered(planned: Planned, error: Unavailable, now_s: float) -> Outcome:
    if not error.outcome_unknown:
        return _failed(planned, error)
    planned.running.foreign.attempted = (planned.seen.setting.replicas, planned.count, now_s)
    return _failed(planned, error, Write.UNKNOWN)


def _done(planned: Planned, now_s: float) -> Outcome:
    running, before = planned.running, planned.seen.setting.replicas
    running.memory = accepted(running.memory, now_s, before, planned.count)
    running.foreign.wrote(before, planned.count, now_s)
    return planned.outcome(Write.DONE)
