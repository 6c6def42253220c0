"""The count of a target as it stands: still known from before, or read.

A quiet target is not worth a request every period: whoever changes a count changes the number of pods, which
is watched. No decision that changes anything is made from a count that was not read for it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from autoscaler.controller.acting.dials import Dial, Setting, dial_for
from autoscaler.controller.acting.faults import fault_of
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.discovery import Discovery, UnknownTarget
from autoscaler.controller.cluster.errors import ClusterError
from autoscaler.controller.observing.pods import Pod, PodIndex
from autoscaler.controller.outcome import Fault
from autoscaler.controller.running import Known, Running

_TIMEOUT_S = 5.0
_TRUSTED_S, _LONGEST_TRUSTED_S = 60.0, 300.0
_READS_A_SECOND = 20.0
"""With more resources than this many a second can read, counts are trusted for longer."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of one workload before its metrics were read. fresh: the count was read just now."""

    running: Running
    dial: Dial
    setting: Setting
    fresh: bool


@dataclass(frozen=True, slots=True)
class Looking:
    """What looking takes. resources: how many there are. clock: epoch seconds."""

    cluster: Cluster
    discovery: Discovery
    pods: PodIndex
    resources: Callable[[], int]
    clock: Callable[[], float]

    def known(self, running: Running) -> Look | None:
        """What is still known, without asking anybody; None where the count has to be read."""
        known, workload = running.known, running.workload
        if known is None or self.clock() >= known.until_s or workload.spec is None or workload.policy is None:
            return None
        pods = self.pods.selected(workload.namespace, known.setting.selector)
        return Look(running, known.dial, known.setting, fresh=False) if len(pods) == known.pods else None

    def look(self, running: Running) -> Look | Fault:
        """Read the count."""
        workload, spec = running.workload, running.workload.spec
        if spec is None or workload.policy is None:
            return Fault("InvalidSpec", workload.problem)
        try:
            dial = dial_for(
                self.cluster,
                self.discovery,
                workload.namespace,
                workload.name,
                spec.scale_target_ref,
                spec.floor,
            )
            return self._read(running, dial)
        except (ClusterError, UnknownTarget) as error:
            return fault_of(error, spec)

    def again(self, look: Look) -> Look | Fault:
        """The same, with its count read now."""
        try:
            return self._read(look.running, look.dial)
        except ClusterError as error:
            return fault_of(error, look.running.workload.spec)

    def selected(self, namespace: str, selector: str) -> list[Pod] | None:
        """The pods that a target's selector picks; None where it picks none because it cannot be read."""
        try:
            return self.pods.selected(namespace, selector)
        except ValueError:
            # Only a custom resource's controller can state one; it is as if it had stated none.
            return None

    def _read(self, running: Running, dial: Dial) -> Look:
        workload = running.workload
        setting = dial.read(_TIMEOUT_S)
        pods = len(self.selected(workload.namespace, setting.selector) or ())
        # A minimum is changed without any change to pods.
        scaled = workload.spec is not None and workload.spec.floor is None
        until_s = self.clock() + trusted_s(workload.uid, self.resources() if scaled else 0)
        running.known = Known(setting, dial, pods, until_s) if pods else None
        return Look(running, dial, setting, fresh=True)


def trusted_s(uid: str, resources: int) -> float:
    """For how long a count that was read need not be read again, spread over the resources by their uid."""
    mean_s = min(_LONGEST_TRUSTED_S, max(_TRUSTED_S, resources / _READS_A_SECOND))
    return mean_s * (0.75 + 0.5 * (zlib.crc32(uid.encode()) % 997) / 997)
