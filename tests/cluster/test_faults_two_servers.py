"""Two Prometheus servers behind one address, as a highly available pair is, which do not say the same."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import crd
import pytest
from audit import Audit
from control_plane import ControlPlane, wait_until
from http_proxy import Asked, Elsewhere, HttpProxy
from live_prometheus import LivePrometheus
from operator_process import PERIOD_S, OperatorProcess, Resources, SteadyLoad

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow, pytest.mark.timeout(240)]

_WATCHED_S = 10.0
"""Twice the scale-down window."""
_BEHAVIOR = {"scaleDown": {"stabilizationWindowSeconds": 5}}


@dataclass(frozen=True)
class _Two:
    """loads: what is pushed to each."""

    servers: tuple[LivePrometheus, LivePrometheus]
    loads: tuple[SteadyLoad, SteadyLoad]


class _ByTurns:
    """Every other reading goes to another server, with all the queries that it is made of."""

    def __init__(self, other: LivePrometheus) -> None:
        self._turns = itertools.cycle([None, Elsewhere(other.url)])
        self._turn = next(self._turns)
        self._asked_s = 0.0

    def __call__(self, asked: Asked) -> Elsewhere | None:
        if asked.at_s - self._asked_s > PERIOD_S / 3:
            self._turn = next(self._turns)
        self._asked_s = asked.at_s
        return self._turn


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Two]:
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(LivePrometheus(tmp_path_factory.mktemp("prometheus"))) for _ in range(2)
        )
        loads = [stack.enter_context(SteadyLoad(server, {})) for server in (first, second)]
        yield _Two((first, second), (loads[0], loads[1]))


@pytest.fixture
def resources(control_plane: ControlPlane, namespace: str, two: _Two, tmp_path: Path) -> Iterator[Resources]:
    crd.install(control_plane)
    with (
        HttpProxy(two.servers[0].url) as balancer,
        OperatorProcess(tmp_path, control_plane.kubeconfig(), balancer.url, watchNamespaces=[namespace]),
    ):
        balancer.rule = _ByTurns(two.servers[1])
        yield Resources(control_plane, namespace)


def test_of_two_servers_that_disagree_the_higher_one_is_served_and_the_count_stays(
    control_plane: ControlPlane, namespace: str, two: _Two, resources: Resources
) -> None:
    control_plane.deployment("differs", namespace, 1, start_up="500ms")
    for load, value in zip(two.loads, (35.0, 15.0), strict=True):
        load.values["load_differs"] = value
    with Audit(control_plane, namespace) as audit:
        resources.create("differs", behavior=_BEHAVIOR)
        wait_until(lambda: control_plane.replicas("differs", namespace) == 4, 20, "4 for the higher load")
        time.sleep(_WATCHED_S)
        assert audit.counts("differs")[-1] == 4 and not audit.lowered("differs")
        two.loads[0].values["load_differs"] = 15.0
        wait_until(lambda: control_plane.replicas("differs", namespace) == 2, 30, "2 once they agree")
        assert audit.turns("differs") == 1


def test_beside_a_server_that_lags_load_that_comes_is_followed_and_nothing_is_removed(
    control_plane: ControlPlane, namespace: str, two: _Two, resources: Resources
) -> None:
    control_plane.deployment("lags", namespace, 4, start_up="500ms")
    for load in two.loads:
        load.values["load_lags"] = 35.0
    with Audit(control_plane, namespace) as audit:
        resources.create("lags", behavior=_BEHAVIOR)
        resources.wait_for("lags", "SignalsHealthy", "True", "AllKnown")
        del two.loads[1].values["load_lags"]
        resources.wait_for("lags", "SignalsHealthy", "False", "Stale")
        two.loads[0].values["load_lags"] = 55.0
        wait_until(lambda: control_plane.replicas("lags", namespace) == 6, 20, "6 for the newer load")
        two.loads[0].values["load_lags"] = 15.0
        time.sleep(_WATCHED_S)
        assert audit.counts("lags") == [4, 6], "half of what is read is unknown"
        two.loads[1].values["load_lags"] = 15.0
        wait_until(lambda: control_plane.replicas("lags", namespace) == 2, 30, "2 once both are there again")
