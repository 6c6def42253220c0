"""A real Prometheus whose load is written while a test runs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import requests
from processes import Lifeline, ServerProcess, free_port
from remote_write import Sample, write_request
from waiting import wait_until

__all__ = ["LivePrometheus", "Past", "Sample"]


@dataclass(frozen=True, slots=True)
class Past:
    """What a series was before the test: one value per `step_s` from `start_s` (Unix time); NaN is a gap."""

    name: str
    start_s: float
    step_s: float
    values: Sequence[float]
    labels: Mapping[str, str] = field(default_factory=dict)


class LivePrometheus:
    """Prometheus with remote write switched on; starts on entering, ends on leaving.

    `past` is there from the beginning, `push` adds what happens now. `process` can be stopped, killed,
    paused and resumed; `restart` waits until it serves again, with the data it had. Needs prometheus and
    promtool on PATH.
    """

    def __init__(self, folder: Path, past: Iterable[Past] = ()) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._past = list(past)
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> LivePrometheus:
        if self._past:
            self._backfill()
        (self.folder / "prometheus.yml").write_text("global: {scrape_interval: 15s}\n")
        self._lifeline = Lifeline()
        command = [
            "prometheus",
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            "--storage.tsdb.retention.time=60d",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--web.enable-remote-write-receiver",
        ]
        self.process = ServerProcess("prometheus", command, self.folder / "prometheus.log", self._lifeline)
        try:
            self.restart()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self.process.kill()
        self._lifeline.close()
        self._http.close()

    def restart(self) -> None:
        """Start it where it does not run, let it go on where it is paused, and wait until it serves."""
        self.process.resume()
        self.process.start()
        wait_until(self._ready, 60, f"Prometheus to be ready (log {self.process.log})")

    def push(self, *samples: Sample) -> None:
        """Write samples; AssertionError where they are refused (older than what the series has, say)."""
        headers = {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }
        answer = self._http.post(
            f"{self.url}/api/v1/write", data=write_request(samples), headers=headers, timeout=10
        )
        assert answer.ok, f"remote write: {answer.status_code} {answer.text}"

    def query(self, expression: str) -> dict[tuple[tuple[str, str], ...], float]:
        """The present value of each series that the expression gives, by its sorted labels."""
        answer = self._http.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10)
        assert answer.ok, f"{expression}: {answer.status_code} {answer.text}"
        result = answer.json()["data"]["result"]
        return {tuple(sorted(item["metric"].items())): float(item["value"][1]) for item in result}

    def _ready(self) -> bool:
        self.process.must_run()
        try:
            return self._http.get(f"{self.url}/-/ready", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    def _backfill(self) -> None:
        recorded = self.folder / "past.txt"
        with recorded.open("w") as file:
            for name in sorted({past.name for past in self._past}):
                file.write(f"# TYPE {name} gauge\n")
                for past in self._past:
                    if past.name == name:
                        file.writelines(_lines(past))
            file.write("# EOF\n")
        # Blocks of four weeks: by default they are two hours, and weeks of history take minutes.
        command = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=672h", "openmetrics"]
        done = subprocess.run(
            [*command, str(recorded), str(self.folder / "data")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"promtool: {done.stderr[-2000:]}"
        recorded.unlink()


def _lines(past: Past) -> Iterable[str]:
    labels = ",".join(f'{name}="{value}"' for name, value in past.labels.items())
    for number, value in enumerate(past.values):
        if value == value:
            yield f"{past.name}{{{labels}}} {float(value)!r} {past.start_s + number * past.step_s!r}\n"
