"""The test cluster itself: what other tests take for granted of it."""

from __future__ import annotations

import time

import pytest
from control_plane import ControlPlane, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_new_pods_are_ready_after_the_start_up_time_of_their_deployment(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.deployment("web", namespace, replicas=2, start_up="2s")
    wait_until(lambda: control_plane.ready("web", namespace) == 2, 20, "the first two pods")
    asked = time.monotonic()
    control_plane.scale("web", namespace, 20)
    wait_until(lambda: control_plane.ready("web", namespace) > 2, 30, "more than two pods")
    assert time.monotonic() - asked >= 2
    wait_until(lambda: control_plane.ready("web", namespace) == 20, 30, "twenty pods")
