"""The workloads of the demonstration: each shows something that the others do not."""

from __future__ import annotations

from importlib.resources import as_file, files

import numpy as np
import pytest

from autoscaler.controller.observing.workload import Workload, parse_workload
from autoscaler.demo.fleet import Member, read_fleet
from autoscaler.planning.policy import Policy, SignalType
from autoscaler.spec import read_manifests

OPENS_S = 1_795_000_020
DAY_S = 86_400


@pytest.fixture(scope="module")
def members() -> dict[str, Member]:
    return {member.key: member for member in read_fleet(OPENS_S)}


def _workload(member: Member) -> Workload:
    return parse_workload(dict(member.manifest))


def _policy(member: Member) -> Policy:
    policy = _workload(member).policy
    assert policy is not None
    return policy


def _needed(member: Member) -> np.ndarray:
    """Replicas that the load needs in each minute of the two days before the opening and the one after it."""
    loads = member.traffic.between(OPENS_S - 2 * DAY_S, OPENS_S + DAY_S)
    return np.ceil(loads / _policy(member).load_per_replica)


def test_the_manifests_are_what_a_cluster_would_take() -> None:
    with as_file(files("autoscaler.demo") / "fleet.yaml") as file:
        found = read_manifests(file)
    assert found.problems == []
    assert 10 <= len(found.resources) <= 12


def test_every_member_is_a_valid_resource(members: dict[str, Member]) -> None:
    assert {key: _workload(member).problem for key, member in members.items()} == dict.fromkeys(members, "")


def test_namespaces_labels_and_priorities_differ(members: dict[str, Member]) -> None:
    labels = [member.manifest["metadata"]["labels"] for member in members.values()]
    assert len({key.partition("/")[0] for key in members}) >= 3
    assert len({label["team"] for label in labels}) >= 3
    assert len({label["predictive-autoscaler.dev/priority"] for label in labels}) >= 3


def test_there_is_one_in_each_of_the_modes_that_decide(members: dict[str, Member]) -> None:
    modes = {member.manifest["spec"]["mode"] for member in members.values()}
    assert modes == {"Active", "ScaleOutOnly", "Recommend"}


def test_signals_of_every_type_are_among_them(members: dict[str, Member]) -> None:
    signals = {signal.type for member in members.values() for signal in _policy(member).signals}
    assert signals == set(SignalType)


def test_one_has_outgrown_its_maximum_and_the_others_have_not(members: dict[str, Member]) -> None:
    outgrown = {
        key
        for key, member in members.items()
        if np.mean(_needed(member) > _policy(member).max_replicas) > 0.05
    }
    assert outgrown == {"media/thumbnails"}


def test_one_hardly_ever_needs_half_of_its_minimum(members: dict[str, Member]) -> None:
    wasting = {
        key
        for key, member in members.items()
        if np.mean(_needed(member) > _policy(member).min_replicas / 2) < 0.05
    }
    assert wasting == {"data/exports"}


def test_one_cannot_afford_what_its_load_needs(members: dict[str, Member]) -> None:
    short = set()
    for key, member in members.items():
        spend = _policy(member).spend
        assert spend is not None
        if spend.daily_budget is not None:
            needs = float(_needed(member).mean()) * 24 * spend.replica_hour_price
            if needs > spend.daily_budget:
                short.add(key)
    assert short == {"payments/fraud-check"}


def test_one_takes_a_quarter_of_an_hour_to_start(members: dict[str, Member]) -> None:
    assert [key for key, member in members.items() if _policy(member).lead_time_s >= 900] == ["shop/search"]


def test_one_knows_of_an_event_tomorrow(members: dict[str, Member]) -> None:
    known = {key: _policy(member).events for key, member in members.items() if _policy(member).events}
    assert list(known) == ["media/home-feed"]
    (event,) = known["media/home-feed"]
    assert OPENS_S + DAY_S / 2 < event.start_s < event.end_s < OPENS_S + 1.5 * DAY_S
    assert event.min_replicas > _needed(members["media/home-feed"]).max()


def test_one_signal_fails_at_times(members: dict[str, Member]) -> None:
    flaws = {key: member.flaw for key, member in members.items() if member.flaw is not None}
    assert list(flaws) == ["data/ingest"]
    flaw = flaws["data/ingest"]
    assert flaw.signal in {signal.name for signal in _policy(members["data/ingest"]).signals}
    failing = [flaw.at(OPENS_S + minute * 60) for minute in range(1440)]
    assert 0.05 < np.mean(failing) < 0.2
