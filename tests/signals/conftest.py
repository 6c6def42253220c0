"""Servers for the tests of reading: one that misbehaves on demand, and a real Prometheus."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from faulty_server import Answer, FaultyServer, serving
from real_prometheus import (
    BACKFILL_DAYS,
    BACKFILL_STEP_S,
    RealPrometheus,
    backfill_values,
    running_prometheus,
    write_openmetrics,
)


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], FaultyServer]]:
    """Start servers that answer as given; they stop with the test."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(serving(answer))


@pytest.fixture(scope="session")
def prometheus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    """A real Prometheus with 28 days of `load{service="s00"…"s09"}` at one minute, ending an hour ago."""
    for command in ("prometheus", "promtool"):
        if shutil.which(command) is None:
            pytest.skip(f"no {command} on PATH (apt-get install prometheus)")
    folder = tmp_path_factory.mktemp("prometheus")
    steps = BACKFILL_DAYS * 86_400 // BACKFILL_STEP_S
    end_s = (int(time.time()) - 3600) // BACKFILL_STEP_S * BACKFILL_STEP_S
    start_s = end_s - (steps - 1) * BACKFILL_STEP_S
    values = backfill_values(10, steps)
    write_openmetrics(folder / "load.txt", start_s, values)
    subprocess.run(
        [
            *("promtool", "tsdb", "create-blocks-from", "--max-block-duration=672h", "openmetrics"),
            *(str(folder / "load.txt"), str(folder / "data")),
        ],
        check=True,
        capture_output=True,
    )
    (folder / "load.txt").unlink()
    with running_prometheus(folder) as url:
        yield RealPrometheus(url, folder, start_s, BACKFILL_STEP_S, values)
