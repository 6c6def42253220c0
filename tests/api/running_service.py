"""`autoscaler serve` in a process of its own, over a store that is there, for callers in a file of tokens."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import yaml

from autoscaler.api.access.hashed_token import hashed, new_token

_MAIN = "from autoscaler.cli import main; main()"
_READY_WITHIN_S = 60.0
_UNLIMITED = {"requestsPerMinute": 1_000_000, "anonymousPerMinute": 1_000_000}


@dataclass(frozen=True, slots=True)
class RunningService:
    """tokens: each of a caller who may read everything."""

    port: int
    pid: int
    tokens: Sequence[str]
    log: Path

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_service(
    folder: Path, store_url: str, tokens: int = 1, limits: Mapping[str, object] | None = None
) -> Iterator[RunningService]:
    """The service for as long as the context lasts. folder: for its configuration and log. limits: as in its
    configuration; None for callers who may ask as often as they like."""
    secrets = [new_token() for _ in range(tokens)]
    lines = [
        {
            "name": f"caller-{number}",
            "hash": hashed(secret),
            "verbs": ["read", "metrics"],
            "namespaces": ["*"],
        }
        for number, secret in enumerate(secrets)
    ]
    (folder / "tokens.yaml").write_text(yaml.safe_dump({"tokens": lines}))
    told = {
        "store": {"url": store_url},
        "listen": {"address": "127.0.0.1", "port": 0},
        "authentication": {"kind": "tokens", "tokensFile": str(folder / "tokens.yaml")},
        "limits": _UNLIMITED if limits is None else limits,
    }
    (folder / "serve.yaml").write_text(yaml.safe_dump(told))
    log = folder / "service.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-c", _MAIN, "serve", "--config", str(folder / "serve.yaml")],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
        )
    try:
        yield RunningService(_port_once_ready(process, log), process.pid, secrets, log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _port_once_ready(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port, which the log tells, as soon as the store was read."""
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, f"the service ended: {log.read_text()}"
        port = next((_told_port(line) for line in log.read_text().splitlines() if '"serving"' in line), 0)
        if port and _is_ready(port):
            return port
        time.sleep(0.05)
    raise AssertionError(f"the service did not get ready: {log.read_text()}")


def _told_port(line: str) -> int:
    port = yaml.safe_load(line)["port"]
    assert isinstance(port, int)
    return port


def _is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False
