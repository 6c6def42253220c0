"""Two replicas of the operator: one acts, and whatever happens to it, the other goes on where it was."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import crd
import pytest
from audit import Audit
from control_plane import ControlPlane, wait_until
from http_proxy import First, Late, every
from live_prometheus import LivePrometheus
from operator_pair import LEASE_S, RENEW_S, RETRY_S, OperatorPair
from operator_process import Resources, SteadyLoad

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]

_SLACK_S = 4.0
_TAKEN_OVER_S = LEASE_S + RETRY_S + _SLACK_S


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(scope="module")
def apart(
    control_plane: ControlPlane, prometheus: LivePrometheus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorPair]:
    """Replicas that share nothing but the cluster."""
    crd.install(control_plane)
    folder = tmp_path_factory.mktemp("pair")
    with OperatorPair(control_plane, folder, prometheus.url, f"lock-{secrets.token_hex(4)}") as both:
        yield both


@pytest.fixture
def pair(apart: OperatorPair) -> Iterator[OperatorPair]:
    apart.heal()
    apart.leader()
    yield apart
    apart.heal()


@pytest.fixture
def audit(control_plane: ControlPlane, namespace: str) -> Iterator[Audit]:
    with Audit(control_plane, namespace) as watching:
        yield watching


def test_one_of_two_writes_and_the_other_only_watches(
    control_plane: ControlPlane, namespace: str, pair: OperatorPair, prometheus: LivePrometheus, audit: Audit
) -> None:
    leader = pair.leader()
    control_plane.deployment("pairs", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_pairs": 25.0}) as load:
        Resources(control_plane, namespace).create("pairs")
        wait_until(lambda: control_plane.replicas("pairs", namespace) == 3, 20, "3 for a load of 25")
        load.values["load_pairs"] = 45.0
        wait_until(lambda: control_plane.replicas("pairs", namespace) == 5, 20, "5 for a load of 45")
        load.values["load_pairs"] = 15.0
        wait_until(lambda: control_plane.replicas("pairs", namespace) == 2, 20, "2 for a load of 15")
    pair.wait_for_reigns(namespace, leader)
    # An answer is on its way for a moment after what it says was done.
    wait_until(lambda: len(pair.writes(namespace)) == 3, 5, "three writes")
    assert [write.replicas for write in pair.writes(namespace)] == audit.counts("pairs")[1:]
    assert not [e for e in pair.proxies[1 - leader].exchanges if e.asked.path.endswith("/scale")]


def test_when_the_leader_is_killed_the_other_goes_on_and_knows_of_its_last_write(
    control_plane: ControlPlane, namespace: str, pair: OperatorPair, prometheus: LivePrometheus, audit: Audit
) -> None:
    cooldown_s = 22.0
    leader = pair.leader()
    resources = Resources(control_plane, namespace)
    control_plane.deployment("killed", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_killed": 35.0}) as load:
        resources.create("killed", cooldown={"scaleUp": f"{cooldown_s:g}s"})
        wait_until(lambda: control_plane.replicas("killed", namespace) == 4, 20, "4 for a load of 35")
        wait_until(lambda: resources.status("killed").get("lastScale"), 10, "the write in the status")
        scaled_s = audit.history("killed")[-1].at_s
        killed_s = time.monotonic()
        pair.operators[leader].process.kill()
        load.values["load_killed"] = 45.0
        pair.leader(_TAKEN_OVER_S, other_than=leader)
        took_s = time.monotonic() - killed_s
        assert took_s <= _TAKEN_OVER_S
        wait_until(lambda: control_plane.replicas("killed", namespace) == 5, 40, "5 for a load of 45")
        wait_until(lambda: audit.counts("killed")[-1] == 5, 10, "the observer to see it")
        assert audit.history("killed")[-1].at_s - scaled_s >= cooldown_s - 1.5
        assert resources.condition("killed", "ScalingActive")["reason"] == "Scaling"
    assert audit.counts("killed") == [1, 4, 5]
    pair.wait_for_reigns(namespace, leader, 1 - leader)


def test_a_leader_that_is_asked_to_end_tells_its_last_write_and_gives_the_lease_up_at_once(
    control_plane: ControlPlane, namespace: str, pair: OperatorPair, prometheus: LivePrometheus, audit: Audit
) -> None:
    leader = pair.leader()
    resources = Resources(control_plane, namespace)
    control_plane.deployment("ended", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_ended": 15.0}) as load:
        resources.create("ended")
        wait_until(lambda: resources.status("ended").get("current") == 2, 20, "2 for a load of 15")
        # Statuses take their time, and it ends right after a write.
        pair.proxies[leader].rule = every(Late(0.7), "PATCH", "/status")
        load.values["load_ended"] = 45.0
        wait_until(lambda: control_plane.replicas("ended", namespace) == 5, 20, "5 for a load of 45")
        process = pair.operators[leader].process
        asked_s, pid = time.monotonic(), process.pid
        os.kill(pid, signal.SIGTERM)
        pair.leader(10, other_than=leader)
        took_s = time.monotonic() - asked_s
        wait_until(lambda: not process.running, 10, "it to end")
        assert time.monotonic() - asked_s < 10.0
        assert process.exit_status == 0
        assert took_s < LEASE_S - 1.0, "given up, and not run out"
        load.values["load_ended"] = 75.0
        wait_until(lambda: control_plane.replicas("ended", namespace) > 5, 20, "more for a load of 75")
        assert resources.condition("ended", "ScalingActive")["reason"] == "Scaling"
    assert not audit.lowered("ended")
    pair.wait_for_reigns(namespace, leader, 1 - leader)


def test_a_leader_that_was_stopped_for_longer_than_its_lease_writes_nothing_when_it_goes_on(
    control_plane: ControlPlane, namespace: str, pair: OperatorPair, prometheus: LivePrometheus, audit: Audit
) -> None:
    leader = pair.leader()
    process = pair.operators[leader].process
    control_plane.deployment("stopped", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_stopped": 15.0}) as load:
        Resources(control_plane, namespace).create("stopped")
        wait_until(lambda: control_plane.replicas("stopped", namespace) == 2, 20, "2 for a load of 15")
        wait_until(lambda: control_plane.ready("stopped", namespace) == 2, 20, "2 ready pods")
        # Stopped between looking at the count and writing it: it has decided on 5 when it goes on.
        stop = First(process.pause)
        pair.proxies[leader].rule = every(stop, "GET", "/deployments/stopped/scale", times=1)
        load.values["load_stopped"] = 45.0
        wait_until(lambda: process.paused, 20, "it to be stopped in the middle of a decision")
        pair.leader(_TAKEN_OVER_S, other_than=leader)
        load.values["load_stopped"] = 35.0
        wait_until(lambda: control_plane.replicas("stopped", namespace) >= 4, 20, "4 for a load of 35")
        resumed_s = time.monotonic()
        process.resume()
        time.sleep(4)
        assert not pair.leads(leader) and pair.leads(1 - leader)
        late = [w for w in pair.writes(namespace) if w.writer == leader and w.at_s >= resumed_s]
        assert late == []
    pair.wait_for_reigns(namespace, leader, 1 - leader)


def test_a_leader_that_is_cut_off_stops_before_the_other_begins(
    control_plane: ControlPlane, namespace: str, pair: OperatorPair, prometheus: LivePrometheus, audit: Audit
) -> None:
    leader = pair.leader()
    control_plane.deployment("cutoff", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_cutoff": 25.0}) as load:
        Resources(control_plane, namespace).create("cutoff")
        wait_until(lambda: control_plane.replicas("cutoff", namespace) == 3, 20, "3 for a load of 25")
        pair.partition(leader)
        cut_s = time.monotonic()
        load.values["load_cutoff"] = 45.0
        wait_until(lambda: not pair.leads(leader), RENEW_S + 1.0, "the one that is cut off to stop")
        assert not pair.leads(1 - leader), "none of the two leads for a while"
        pair.leader(_TAKEN_OVER_S, other_than=leader)
        assert time.monotonic() - cut_s <= _TAKEN_OVER_S
        wait_until(lambda: control_plane.replicas("cutoff", namespace) == 5, 20, "5 for a load of 45")
        pair.proxies[leader].heal()
        load.values["load_cutoff"] = 65.0
        wait_until(lambda: control_plane.replicas("cutoff", namespace) > 5, 30, "more for a load of 65")
        time.sleep(2)
        assert pair.leads(1 - leader) and not pair.leads(leader)
    assert not audit.lowered("cutoff")
    pair.wait_for_reigns(namespace, leader, 1 - leader)


def test_a_lease_that_is_deleted_ends_the_term_and_one_of_the_two_leads_again(
    control_plane: ControlPlane, namespace: str, pair: OperatorPair, prometheus: LivePrometheus, audit: Audit
) -> None:
    pair.leader()
    term = pair.lease()["leaseTransitions"]
    control_plane.deployment("deleted", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_deleted": 25.0}) as load:
        Resources(control_plane, namespace).create("deleted")
        wait_until(lambda: control_plane.replicas("deleted", namespace) == 3, 20, "3 for a load of 25")
        control_plane.request("DELETE", pair.lease_path)
        load.values["load_deleted"] = 45.0
        wait_until(lambda: control_plane.replicas("deleted", namespace) == 5, 40, "5 for a load of 45")
        assert pair.lease()["leaseTransitions"] > term
    assert audit.counts("deleted") == [1, 3, 5]
    assert len(pair.reigns(namespace)) <= 2


@pytest.mark.parametrize("shared", [True, False], ids=["one-store", "own-stores"])
def test_rate_policies_hold_across_a_change_of_leader(
    shared: bool,
    control_plane: ControlPlane,
    namespace: str,
    prometheus: LivePrometheus,
    apart: OperatorPair,
    audit: Audit,
    tmp_path: Path,
) -> None:
    store = {"store": {"url": f"sqlite:///{tmp_path / 'shared.db'}"}} if shared else {}
    name = "shared" if shared else "unshared"
    settings = {"watchNamespaces": [namespace], **store}
    lock = f"lock-{secrets.token_hex(4)}"
    resources = Resources(control_plane, namespace)
    control_plane.deployment(name, namespace, 1, start_up="500ms")
    for operator in apart.operators:
        operator.process.kill()  # otherwise they would write here as well
    with (
        OperatorPair(control_plane, tmp_path, prometheus.url, lock, **settings) as pair,
        SteadyLoad(prometheus, {f"load_{name}": 15.0}) as load,
    ):
        leader = pair.leader()
        policies = [{"type": "Pods", "value": 4, "periodSeconds": 600}]
        resources.create(name, behavior={"scaleUp": {"policies": policies}})
        wait_until(lambda: control_plane.replicas(name, namespace) == 2, 20, "2 for a load of 15")
        load.values[f"load_{name}"] = 35.0
        wait_until(lambda: control_plane.replicas(name, namespace) == 4, 20, "4 for a load of 35")
        wait_until(lambda: resources.status(name).get("lastScale", {}).get("after") == 4, 10, "the status")
        time.sleep(1)
        pair.operators[leader].process.kill()
        load.values[f"load_{name}"] = 195.0
        pair.leader(_TAKEN_OVER_S, other_than=leader)
        # Four more than ten minutes ago is 5. Without the store only the last write is known: from 2 to 4.
        most = 5 if shared else 6
        wait_until(lambda: control_plane.replicas(name, namespace) == most, 20, f"{most} and no more")
        time.sleep(4)
    assert audit.counts(name) == [1, 2, 4, most]
