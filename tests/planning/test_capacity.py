"""How many replicas a load needs."""

from __future__ import annotations

import pytest

from autoscaler.planning.capacity import replicas_ahead, replicas_for

MOST = 2**31 - 1


@pytest.mark.parametrize(
    ("load", "per_replica", "needed"),
    [
        (0.0, 100.0, 0),
        (-5.0, 100.0, 0),
        (1e-6, 100.0, 1),
        (100.0, 100.0, 1),
        (100.1, 100.0, 2),
        (2.1, 0.3, 7),
        (1e300, 1e-300, MOST),
        (1e12, 1e-9, MOST),
    ],
)
def test_the_fewest_that_serve_a_load_and_never_more_than_a_count_can_be(
    load: float, per_replica: float, needed: int
) -> None:
    assert replicas_for(load, per_replica) == needed


@pytest.mark.parametrize(
    ("peak", "needed"), [(0.0, 0), (1.0, 0), (4.99, 0), (5.0, 1), (100.0, 1), (101.0, 2), (1e300, MOST)]
)
def test_a_forecast_of_next_to_nothing_wakes_no_replica(peak: float, needed: int) -> None:
    assert replicas_ahead(peak, 100.0) == needed
