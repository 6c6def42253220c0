"""The operator dies at every step of an evaluation, and over and over: nothing is repeated or forgotten."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import crd
import pytest
from audit import Audit
from control_plane import ControlPlane, wait_until
from crasher import Crasher
from crashing_child import DIED
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]

# Before and after each of: look, read, record, write, settle, status.
_STEPS = range(1, 13)

# From 1: to 2, and from then on no more than 4 for as long as any test takes.
_AT_MOST = {"scaleUp": {"policies": [{"type": "Pods", "value": 3, "periodSeconds": 600}]}}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(scope="module")
def crasher(control_plane: ControlPlane) -> Iterator[Crasher]:
    crd.install(control_plane)
    with Crasher(control_plane.kubeconfig()) as running:
        yield running


@pytest.mark.timeout(300)
def test_whatever_step_it_dies_at_the_next_one_neither_repeats_nor_forgets_a_write(
    control_plane: ControlPlane, prometheus: LivePrometheus, crasher: Crasher, tmp_path: Path
) -> None:
    namespaces = {step: control_plane.namespace(f"crash-{step}-{int(time.time())}") for step in _STEPS}
    with ExitStack() as stack:
        load = stack.enter_context(SteadyLoad(prometheus, {"load_web": 15.0}))
        audits = {step: stack.enter_context(Audit(control_plane, name)) for step, name in namespaces.items()}
        for name in namespaces.values():
            control_plane.deployment("web", name, 1, start_up="500ms")
            Resources(control_plane, name).create("web", behavior=_AT_MOST)
        with OperatorProcess(tmp_path / "first", control_plane.kubeconfig(), prometheus.url) as operator:
            for name in namespaces.values():
                resources = Resources(control_plane, name)
                wait_until(lambda r=resources: r.status("web").get("lastScale"), 30, "the first write")
                wait_until(lambda n=name: control_plane.ready("web", n) == 2, 30, "2 ready pods")
            operator.process.kill()
            load.values["load_web"] = 95.0
            time.sleep(1.5)
            died = {
                step: crasher.run(
                    {**operator.configuration, "watchNamespaces": [name]},
                    tmp_path / f"{step}.yaml",
                    step,
                )
                for step, name in namespaces.items()
            }
            written = {step for step, audit in audits.items() if audit.counts("web")[-1] == 4}
            operator.start()
            for name in namespaces.values():
                wait_until(lambda n=name: control_plane.replicas("web", n) == 4, 15, f"4 in {name}")
            time.sleep(3)
            conditions = {
                step: Resources(control_plane, name).condition("web", "ScalingActive")["reason"]
                for step, name in namespaces.items()
            }
        assert set(died.values()) == {DIED}
        assert {audits[step].counts("web")[-1] for step in _STEPS} == {4}
        assert {tuple(audits[step].counts("web")) for step in _STEPS} == {(1, 2, 4)}
        # The steps cover both sides of the write.
        assert written and written != set(_STEPS), written
        # What was written just before the end is ours, and not somebody's who is to be left alone.
        assert set(conditions.values()) == {"Scaling"}, conditions
    for name in namespaces.values():
        control_plane.request("DELETE", f"/api/v1/namespaces/{name}")


def test_living_only_for_seconds_it_neither_ratchets_nor_forgets_windows_and_money(
    control_plane: ControlPlane,
    namespace: str,
    prometheus: LivePrometheus,
    crasher: Crasher,
    tmp_path: Path,
) -> None:
    control_plane.deployment("loop", namespace, 4, start_up="500ms")
    operator = OperatorProcess(
        tmp_path, control_plane.kubeconfig(), prometheus.url, watchNamespaces=[namespace]
    )
    with Audit(control_plane, namespace) as audit, SteadyLoad(prometheus, {"load_loop": 35.0}) as load:
        Resources(control_plane, namespace).create(
            "loop",
            behavior={"scaleDown": {"stabilizationWindowSeconds": 10}},
            spend={"replicaHourPrice": "3600", "dailyBudget": "10000000"},
        )
        wait_until(lambda: control_plane.ready("loop", namespace) == 4, 20, "4 ready pods")
        began_s = time.monotonic()
        lived_s = [_lived_s(crasher, operator, tmp_path) for _ in range(4)]
        assert audit.counts("loop") == [4]
        load.values["load_loop"] = 15.0
        fell_s = time.monotonic()
        while control_plane.replicas("loop", namespace) > 2 and time.monotonic() < fell_s + 40:
            lived_s.append(_lived_s(crasher, operator, tmp_path))
        # Each life is shorter than the window, which is waited for all the same, and only once.
        assert max(lived_s) < 10
        assert audit.counts("loop") == [4, 2]
        assert audit.history("loop")[-1].at_s - fell_s >= 9
        with operator:
            wait_until(lambda: _spent(operator) > 0.0, 20, "what was spent")
            spent, until_s = _spent(operator), time.monotonic()
    counts = audit.history("loop")
    paid = 4 * (counts[1].at_s - began_s) + 2 * (until_s - counts[1].at_s)
    assert abs(spent - paid) <= 0.2 * paid, f"{spent:.0f} instead of {paid:.0f} replica-seconds"


def _lived_s(crasher: Crasher, operator: OperatorProcess, folder: Path) -> float:
    """Let it run until it dies at its thirtieth step; how long that took."""
    began_s = time.monotonic()
    assert crasher.run(operator.configuration, folder / "dying.yaml", 30) == DIED
    return time.monotonic() - began_s


def _spent(operator: OperatorProcess) -> float:
    figures = operator.metrics().items()
    return sum(value for name, value in figures if name.startswith("predictive_autoscaler_spend_today"))
