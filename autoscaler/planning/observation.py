"""What is known at the moment of one decision."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler.series import Reading


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one forecast says about one workload for one decision.

    peak: the policy's quantile of the maximum load until a pod asked for now is ready; NaN when
    there is no usable forecast, with `note` saying why. expected: median of the load expected for
    the present step, to recognise a collapse; NaN if unknown. dial: where an objective reads it, in words.
    """

    peak: float
    expected: float
    age_s: float
    model: str
    note: str = ""
    dial: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """Inputs of one decision besides policy, outlook and memory.

    now_s: epoch seconds. load: the forecast quantity as observed now. signals: in the order of
    `Policy.signals`. current: the count last asked for (the `scale` subresource's spec), never
    the number of pods that exist during a rollout. ready: ready pods, surge and terminating ones
    left out. None where readiness is unknown.
    """

    now_s: float
    load: Reading
    current: int
    ready: int | None
    signals: tuple[Reading, ...] = ()
