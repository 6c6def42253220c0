"""Killed at moments that nobody chose, alone and in pairs, operators break no rule."""

from __future__ import annotations

import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import crd
import pytest
from audited_rules import broken
from control_plane import ControlPlane
from live_prometheus import LivePrometheus
from random_kills import killed_at_random

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]

_RUNS = ((1, 16), (1, 16), (2, 4))
"""For each seed, how many operators compete, and how often each dies. A pair mostly waits for its lease."""
_FIRST_SEED = "KILL_SEED"


@pytest.mark.timeout(600)
def test_whenever_they_are_killed_operators_break_no_rule(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    crd.install(control_plane)
    first = int(os.environ.get(_FIRST_SEED, secrets.randbelow(1_000_000)))
    print(f"\nagain: {_FIRST_SEED}={first}")
    seeds = range(first, first + len(_RUNS))
    folders = [tmp_path / str(seed) for seed in seeds]
    for folder in folders:
        folder.mkdir()
    with LivePrometheus(tmp_path / "prometheus") as prometheus, ThreadPoolExecutor(len(seeds)) as pool:
        runs = [
            pool.submit(killed_at_random, seed, replicas, deaths, control_plane, prometheus, folder)
            for seed, (replicas, deaths), folder in zip(seeds, _RUNS, folders, strict=True)
        ]
        seen = [run.result() for run in runs]
    for one in seen:
        print(one)
    assert not [told for one in seen for told in broken(one)]
    assert not [told for one in seen for told in one.floor.broken()]
    assert all(len(one.floor.seen) > 2 for one in seen), "the minimum was raised and lowered meanwhile"
    assert sum(len(one.audit.counts("web")) - 1 for one in seen) >= 8, "and had something to do"
    for one in seen:
        control_plane.request("DELETE", f"/api/v1/namespaces/{one.namespace}")
