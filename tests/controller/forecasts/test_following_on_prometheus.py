"""A follower whose front and own load are read from a real Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from feed_in_hand import Running
from known_source import request
from real_prometheus import RealPrometheus, filled_prometheus
from test_following_live import FOLLOWER, FRONT, bursts, later

from autoscaler.forecasting.related.relation import Follows
from autoscaler.signals.prometheus import Prometheus
from autoscaler.signals.settings import ConnectionSettings

pytestmark = pytest.mark.prometheus
STEP_S, STEPS = 60, 3 * 1440 + 30
END_S = int(time.time() - 600) // STEP_S * STEP_S


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    """Three days of both tiers; the front has just begun to rise, and its follower has not."""
    folder = tmp_path_factory.mktemp("prometheus")
    front = bursts(STEPS)
    front[-3:] = 300.0
    values = {"frontend": front, "checkout": later(front)}
    with filled_prometheus(folder, END_S - (STEPS - 1) * STEP_S, values) as filled:
        yield filled


def test_what_the_server_holds_of_the_front_is_expected_of_the_follower(
    server: RealPrometheus, tmp_path: Path
) -> None:
    source = ConnectionSettings(server.url)
    front, own = (
        request(key, f'sum(load{{service="{key.removeprefix("shop/")}"}})', source=source)
        for key in (FRONT, FOLLOWER)
    )
    fans = {}
    for name, asked in {"alone": own, "following": replace(own, follows=Follows("frontend"))}.items():
        running = Running(Prometheus, front, asked, source=source, folder=tmp_path / name)
        running.now_s = END_S - 5 * STEP_S + 4.0
        running.run(5 * STEP_S + 5)
        running.feed.close()
        fans[name] = running.fan(FOLLOWER)
    following, alone = fans["following"], fans["alone"]
    assert following.made_at_s == alone.made_at_s == END_S
    assert following.model == "follows"
    assert following.relation.startswith("follows frontend by 360 s at a ratio of 0.4")
    assert following.peak(4, 0.5) == pytest.approx(120, rel=0.2)
    assert alone.peak(4, 0.5) < 60
    assert np.isfinite(following.peaks).all()
