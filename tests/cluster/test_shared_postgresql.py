"""Two replicas share one PostgreSQL: whoever leads next goes on with the memory of the one before.

The status of the resources, the other place where a leader's last write can be read, stays empty here: the
first leader's never reach the API server. So whatever the second one knows it has from the store.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import crd
import pytest
from audit import Audit
from control_plane import ControlPlane, wait_until
from http_proxy import Hold, every
from live_prometheus import LivePrometheus
from operator_pair import LEASE_S, RETRY_S, OperatorPair
from operator_process import Resources, SteadyLoad
from real_postgresql import RealPostgresql, running_postgresql

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.postgresql, pytest.mark.slow]

_TAKEN_OVER_S = LEASE_S + RETRY_S + 4.0
_WINDOW_S, _COOLDOWN_S = 30.0, 40.0
_SLACK_S = 4.0
"""Less than what a leader without memory would be late by: it would begin to wait when it takes over."""
assert _SLACK_S < LEASE_S - 2 * RETRY_S


@pytest.fixture(scope="module")
def postgresql() -> Iterator[RealPostgresql]:
    with running_postgresql() as server:
        yield server


@pytest.mark.timeout(240)
def test_the_next_leader_goes_on_with_windows_cooldowns_rates_and_money_of_the_one_before(
    control_plane: ControlPlane, namespace: str, postgresql: RealPostgresql, tmp_path: Path
) -> None:
    crd.install(control_plane)
    store = {"url": postgresql.url(postgresql.new_database())}
    lock = f"lock-{secrets.token_hex(4)}"
    resources = Resources(control_plane, namespace)
    loads = {"load_falls": 35.0, "load_cools": 15.0, "load_rises": 15.0, "load_paid": 25.0}
    with (
        LivePrometheus(tmp_path / "prometheus") as prometheus,
        SteadyLoad(prometheus, loads) as load,
        Audit(control_plane, namespace) as audit,
        OperatorPair(
            control_plane, tmp_path, prometheus.url, lock, store=store, watchNamespaces=[namespace]
        ) as pair,
    ):
        leader = pair.leader()
        pair.proxies[leader].rule = every(Hold(), "PATCH", "/status")
        for name, count in {"falls": 4, "cools": 1, "rises": 1, "paid": 3}.items():
            control_plane.deployment(name, namespace, count, start_up="500ms")
        began_s = time.monotonic()
        resources.create("falls", behavior=_window(_WINDOW_S))
        resources.create("cools", cooldown={"scaleUp": f"{_COOLDOWN_S:g}s"})
        resources.create("rises", behavior=_at_most(4))
        resources.create("paid", spend={"replicaHourPrice": "3600", "dailyBudget": "10000000"})
        wait_until(lambda: audit.counts("rises") == [1, 2], 20, "2 for a load of 15")
        load.values["load_rises"] = 35.0
        wait_until(lambda: audit.counts("rises") == [1, 2, 4], 20, "4 for a load of 35")
        wait_until(lambda: audit.counts("cools") == [1, 2], 20, "2 for a load of 15")
        time.sleep(5)
        load.values |= {"load_falls": 15.0, "load_cools": 45.0}
        fell_s = time.monotonic()
        time.sleep(3)
        assert not any(resources.status(name) for name in ("falls", "cools", "rises", "paid"))
        pair.operators[leader].process.kill()
        load.values["load_rises"] = 195.0
        successor = pair.leader(_TAKEN_OVER_S, other_than=leader)
        taken_over_s = time.monotonic()
        wait_until(lambda: audit.counts("rises")[-1] != 4, 20, "as many as may still be added")
        wait_until(lambda: _spent(pair, successor) > 0.0, 20, "the money to be reckoned")
        spent, until_s = _spent(pair, successor), time.monotonic()
        wait_until(lambda: audit.counts("falls")[-1] == 2, 60, "2 for a load of 15")
        wait_until(lambda: audit.counts("cools")[-1] == 5, 60, "5 for a load of 45")
        writes = pair.writes(namespace)
    falls, cools = audit.history("falls"), audit.history("cools")
    waited_s = falls[-1].at_s - fell_s
    cooled_s = cools[-1].at_s - cools[-2].at_s
    paid = 3 * (until_s - began_s)
    print(
        f"\ntaken over {taken_over_s - fell_s:.1f} s after the load fell; scaled in after {waited_s:.1f} s, "
        f"out again after {cooled_s:.1f} s; {spent:.0f} spent of {paid:.0f}"
    )
    assert _WINDOW_S - 1 <= waited_s <= _WINDOW_S + _SLACK_S, "the window goes on where it was"
    assert _COOLDOWN_S - 1 <= cooled_s <= _COOLDOWN_S + _SLACK_S, "and so does the cooldown"
    assert audit.counts("rises") == [1, 2, 4, 5], "four more than ten minutes ago, and not than at last"
    assert 0.8 * paid <= spent <= paid, "money of both leaders is one sum"
    assert audit.counts("falls") == [4, 2] and audit.counts("cools") == [1, 2, 5]
    assert {write.writer for write in writes if write.at_s < fell_s} == {leader}
    assert {write.writer for write in writes if write.at_s >= fell_s} == {successor}


def _window(window_s: float) -> dict[str, object]:
    return {"scaleDown": {"stabilizationWindowSeconds": int(window_s)}}


def _at_most(pods: int) -> dict[str, object]:
    return {"scaleUp": {"policies": [{"type": "Pods", "value": pods, "periodSeconds": 600}]}}


def _spent(pair: OperatorPair, number: int) -> float:
    figures = pair.operators[number].metrics().items()
    return sum(value for name, value in figures if name.startswith("predictive_autoscaler_spend_today"))
