"""Servers for the tests of reading: one that misbehaves on demand, and a real Prometheus."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from faulty_server import Answer, FaultyServer, serving
from real_prometheus import (
    BACKFILL_DAYS,
    BACKFILL_STEP_S,
    RealPrometheus,
    backfill_values,
    filled_prometheus,
)

# Authorities that sign certificates come from there.
sys.path.append(str(Path(__file__).parents[1] / "cluster"))


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], FaultyServer]]:
    """Start servers that answer as given; they stop with the test."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(serving(answer))


@pytest.fixture(scope="session")
def prometheus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    """A real Prometheus with 28 days of `load{service="s00"…"s09"}` at one minute, ending an hour ago."""
    folder = tmp_path_factory.mktemp("prometheus")
    steps = BACKFILL_DAYS * 86_400 // BACKFILL_STEP_S
    end_s = (int(time.time()) - 3600) // BACKFILL_STEP_S * BACKFILL_STEP_S
    start_s = end_s - (steps - 1) * BACKFILL_STEP_S
    with filled_prometheus(folder, start_s, backfill_values(10, steps)) as filled:
        yield filled
