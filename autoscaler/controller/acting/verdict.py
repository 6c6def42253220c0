"""Whether the count that was decided on may be written, and if not, why not."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler.controller.acting.overrides import Kind, Override
from autoscaler.controller.running import Running


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is written: a reason code for conditions, and a sentence."""

    reason: str
    message: str


def held(
    running: Running, current: int, override: Override | None, rival: str, blind: str, now_s: float
) -> Hold | None:
    """The first reason not to write, None when writing is allowed.

    current: the count as it stands. override: a person's own order, which waits for no grace.
    rival: who else scales the target, empty for nobody. blind: why rivals cannot be seen, empty where
    they can.
    """
    workload, foreign = running.workload, running.foreign
    spec = workload.spec
    if spec is None or workload.deleting:
        return Hold("Deleting", "the resource is being deleted")
    if spec.mode == "Paused":
        return Hold("Paused", "the mode is Paused")
    if rival:
        return Hold("RivalFound", f"{rival} scales the same target; remove one of the two, or use spec.floor")
    if spec.mode == "Recommend":
        return Hold("Recommend", "the mode is Recommend: decisions are published and nothing is written")
    if blind:
        return Hold("RivalsUnknown", f"whether somebody else scales the target cannot be seen: {blind}")
    # A minimum of 0 is KEDA's default and stops nothing.
    if foreign.zero_by_hand and current == 0 and spec.floor is None:
        return Hold(
            "ScaledToZero", "somebody scaled the target to 0; it is left alone until it has replicas again"
        )
    if foreign.fighting(now_s):
        return Hold(
            "WritesUndone",
            "something puts the count back after each write, as GitOps does: leave replicas out of it",
        )
    left_s = foreign.grace_left_s(spec.manual_grace_s, now_s)
    if left_s > 0.0 and (override is None or _is_content(override, current)):
        return Hold(
            "ManualGrace", f"somebody else set {current} replicas; left alone for another {left_s:.0f} s"
        )
    return None


def _is_content(override: Override, current: int) -> bool:
    """Whether the count that somebody set by hand is one that a minimum allows: then both are obeyed."""
    return override.kind is Kind.MINIMUM and override.replicas is not None and current >= override.replicas


def count_to_write(decided: int, override: Override | None, current: int, most: int) -> int:
    """The count that is asked for: what was decided, or what a person wants, never above the maximum.

    current: the count as it stands, which a freeze keeps even above the maximum: it writes nothing.
    """
    if override is None:
        return decided
    if override.kind is Kind.FREEZE or override.replicas is None:
        return current
    wanted = max(decided, override.replicas) if override.kind is Kind.MINIMUM else override.replicas
    return min(wanted, most)
