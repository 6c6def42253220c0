"""What came of evaluating one workload once: all that status, events, metrics and the store show."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.controller.acting.dials import Setting
from autoscaler.controller.acting.overrides import NOTHING_ASKED, Asked
from autoscaler.controller.acting.verdict import Hold
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.shadowing import ShadowState
from autoscaler.planning.decision import Decision
from autoscaler.planning.policy import Policy
from autoscaler.series import Reading


class Write(enum.StrEnum):
    """What became of the count that was decided on."""

    UNNEEDED = "Unneeded"  # the count stands as it should
    DONE = "Done"
    HELD = "Held"  # see `Outcome.hold`
    FAILED = "Failed"  # see `Outcome.fault`
    UNKNOWN = "Unknown"  # sent, and no answer came: the next look tells


@dataclass(frozen=True, slots=True)
class Fault:
    """What kept a workload from being evaluated or written: a reason code and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """decision is None where there was a fault before one could be made, and then so is policy, the one
    it was made by, with what was measured. count: what was or would be asked for. blind_to_pods: why pods
    cannot be seen, empty where they can. signals: readings by signal name. id: of the decision's record.
    shadow: what came of the second policy, None where it was not tried.
    """

    workload: Workload
    now_s: float
    setting: Setting | None = None
    decision: Decision | None = None
    policy: Policy | None = None
    count: int | None = None
    write: Write = Write.UNNEEDED
    hold: Hold | None = None
    fault: Fault | None = None
    asked: Asked = NOTHING_ASKED
    rival: str = ""
    blind_to_pods: str = ""
    signals: Mapping[str, Reading] = field(default_factory=dict)
    id: str = ""
    shadow: ShadowState | None = None
