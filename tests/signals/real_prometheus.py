"""Starting a real Prometheus on known data."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from autoscaler.series import Floats


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


BACKFILL_DAYS = 28
BACKFILL_STEP_S = 60


@dataclass(frozen=True)
class RealPrometheus:
    """A running Prometheus with known content.

    `values[name]` is what was written for `load{service=name}`, one sample per step from `start_s`;
    NaN where none was written. `folder` holds its data, for further servers on a copy of it.
    """

    url: str
    folder: Path
    start_s: int
    step_s: int
    values: dict[str, Floats]

    @property
    def end_s(self) -> int:
        """Time of the last sample."""
        return self.start_s + self.step_s * (len(next(iter(self.values.values()))) - 1)


def backfill_values(services: int, steps: int) -> dict[str, Floats]:
    """Loads with a daily rhythm and noise; every third service has gaps that last longer than lookback."""
    chance = np.random.default_rng(7)
    day = 2 * np.pi * np.arange(steps) * BACKFILL_STEP_S / 86_400
    values = {}
    for number in range(services):
        load = np.round(100 + 10 * number + 50 * np.sin(day + number) + chance.normal(0, 5, steps), 6)
        if number % 3 == 2:
            load[5_000:5_700] = np.nan
        values[f"s{number:02d}"] = np.maximum(load, 0.0)
    return values


def write_openmetrics(path: Path, start_s: int, values: dict[str, Floats]) -> None:
    """What `promtool tsdb create-blocks-from openmetrics` reads."""
    with path.open("w") as file:
        file.write("# TYPE load gauge\n")
        for name, load in values.items():
            times = start_s + BACKFILL_STEP_S * np.arange(len(load))
            file.writelines(
                f'load{{service="{name}"}} {value!r} {time}\n'
                for time, value in zip(times.tolist(), load.tolist(), strict=True)
                if value == value
            )
        file.write("# EOF\n")


@contextmanager
def filled_prometheus(folder: Path, start_s: int, values: dict[str, Floats]) -> Iterator[RealPrometheus]:
    """A Prometheus with these values of `load`, one a minute from `start_s` on; skips where there is none."""
    for command in ("prometheus", "promtool"):
        if shutil.which(command) is None:
            pytest.skip(f"no {command} on PATH (apt-get install prometheus)")
    text = folder / "load.txt"
    write_openmetrics(text, start_s, values)
    filling = ("promtool", "tsdb", "create-blocks-from", "--max-block-duration=672h", "openmetrics")
    subprocess.run([*filling, str(text), str(folder / "data")], check=True, capture_output=True)
    text.unlink()
    with running_prometheus(folder) as url:
        yield RealPrometheus(url, folder, start_s, BACKFILL_STEP_S, values)


@contextmanager
def running_prometheus(folder: Path, *options: str) -> Iterator[str]:
    """Start a Prometheus on the data in `folder/data`; gives its URL once it is ready."""
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1m}\n")
    url = f"http://127.0.0.1:{free_port()}"
    log = (folder / "prometheus.log").open("w")
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=60d",
            f"--web.listen-address={urlsplit(url).netloc}",
            *options,
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_until_ready(url, process, folder / "prometheus.log")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if process.poll() is not None:
            pytest.fail(f"Prometheus ended with {process.returncode}: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"Prometheus was not ready within a minute: {log.read_text()[-2000:]}")
