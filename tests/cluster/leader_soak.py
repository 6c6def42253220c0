"""Kills the leading replica of the operator again and again, under a load that changes all the time.

    python tests/cluster/leader_soak.py [--minutes 10] [--kill-every 30]

Kills by the clock, at every multiple of --kill-every. Needs the control plane's binaries and Prometheus.
Prints what was seen and ends with status 1 where a rule was broken: writers take turns and never come back,
every count is what one of them wrote, no write is sent by a process that another has followed, and in the end
the count is right.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import crd
from audit import Audit
from control_plane import ControlPlane, wait_until
from live_prometheus import LivePrometheus
from operator_pair import LEASE_S, OperatorPair, ScaleWrite
from operator_process import Resources, SteadyLoad

_SWING_S = 90.0
_PER_REPLICA = 10.0


@dataclass
class Seen:
    """What happened. lives: for each replica, when each of its processes was started, monotonic seconds."""

    taken_over_s: list[float] = field(default_factory=list)
    lives: list[list[float]] = field(default_factory=lambda: [[0.0], [0.0]])

    def writer(self, write: ScaleWrite) -> str:
        """The process that sent a write."""
        life = sum(started_s <= write.at_s for started_s in self.lives[write.writer])
        return f"{write.writer}.{life}"


def soak(minutes: float, kill_every_s: float) -> list[str]:
    """Run, print a summary, and give what was broken."""
    seen = Seen()
    with tempfile.TemporaryDirectory(prefix="leader-soak-") as name, ControlPlane() as plane:
        folder = Path(name)
        crd.install(plane)
        namespace = plane.namespace("soak")
        plane.deployment("web", namespace, 3, start_up="1s")
        with (
            LivePrometheus(folder / "prometheus") as prometheus,
            SteadyLoad(prometheus, {"load_web": 30.0}) as load,
            Audit(plane, namespace) as audit,
            OperatorPair(plane, folder, prometheus.url, "soak") as pair,
        ):
            Resources(plane, namespace).create("web", maxReplicas=30)
            swinging = threading.Event()
            swing = threading.Thread(target=_swing, args=(load, swinging), daemon=True)
            swing.start()
            _kill_leaders(pair, seen, math.floor(60.0 * minutes / kill_every_s), kill_every_s)
            swinging.set()
            swing.join(5)
            load.values["load_web"] = 65.0
            pair.leader()
            wait_until(lambda: plane.replicas("web", namespace) == 7, 60, "7 for a load of 65")
            return _summary(seen, pair.writes(namespace), audit.counts("web"))


def _swing(load: SteadyLoad, ended: threading.Event) -> None:
    while not ended.wait(0.5):
        phase = 2.0 * math.pi * time.monotonic() / _SWING_S
        load.values["load_web"] = 5.0 * _PER_REPLICA * (1.2 - math.cos(phase))


def _kill_leaders(pair: OperatorPair, seen: Seen, kills: int, every_s: float) -> None:
    leader, began_s = pair.leader(), time.monotonic()
    for kill in range(1, kills + 1):
        # By the clock, however long the takeover before it took.
        time.sleep(max(0.0, began_s + kill * every_s - time.monotonic()))
        killed_s = time.monotonic()
        pair.operators[leader].process.kill()
        successor = pair.leader(60, other_than=leader)
        seen.taken_over_s.append(time.monotonic() - killed_s)
        seen.lives[leader].append(time.monotonic())
        pair.operators[leader].start()
        leader = successor


def _summary(seen: Seen, writes: list[ScaleWrite], counts: list[int]) -> list[str]:
    reigns: list[str] = []
    for write in writes:
        writer = seen.writer(write)
        if not reigns or reigns[-1] != writer:
            reigns.append(writer)
    took = seen.taken_over_s
    print(f"leaders killed         {len(took)}")
    print(
        f"taken over after       {min(took):.1f} to {max(took):.1f} s, median {statistics.median(took):.1f} s"
        f" (lease {LEASE_S:g} s)"
    )
    print(f"writes                 {len(writes)} by {len(set(reigns))} processes")
    print(f"writers that came back {len(reigns) - len(set(reigns))}")
    print(f"counts seen            {len(counts) - 1} changes, {min(counts)} to {max(counts)}")
    broken = []
    if len(set(reigns)) < len(reigns):
        broken.append(f"two writers at a time: {reigns}")
    if [write.replicas for write in writes] != counts[1:]:
        broken.append(f"counts {counts[1:]} are not what was written: {[w.replicas for w in writes]}")
    if max(took) > 2.0 * LEASE_S:
        broken.append("a lease was not taken over in time")
    return broken


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kill-every", type=float, default=30.0, metavar="SECONDS")
    told = parser.parse_args()
    broken = soak(told.minutes, told.kill_every)
    for rule in broken:
        print(f"BROKEN: {rule}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
