"""The real command, in this process: arguments in; exit code, stdout and stderr out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from autoscaler.cli import main

START = "2024-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Autoscaler = Callable[..., Ended]


@pytest.fixture
def autoscaler(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Autoscaler:
    """Runs a command line in a directory of its own."""
    monkeypatch.chdir(tmp_path)

    def run(line: str, *more: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["autoscaler", *line.split(), *more])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Ended(ended.value.code or 0, out, err)  # type: ignore[arg-type]  # always a number here

    return run


def timestamps(count: int, step_s: int = 300) -> list[str]:
    minutes = [step_s * index // 60 for index in range(count)]
    return [f"2024-01-{1 + m // 1440:02d}T{m // 60 % 24:02d}:{m % 60:02d}:00Z" for m in minutes]


def csv_of(values: list[object], times: list[str] | None = None, header: str = "timestamp,value") -> str:
    rows = zip(times or timestamps(len(values)), values, strict=True)
    return "\n".join([header, *(f"{time},{value}" for time, value in rows)]) + "\n"


STEPS = 3 * 288
GOOD = csv_of([100 + index % 50 for index in range(STEPS)])

MANIFEST = """apiVersion: predictive-autoscaler.dev/v1alpha1
kind: PredictiveAutoscaler
metadata: {{name: checkout, namespace: shop}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: checkout}}
  minReplicas: {low}
  maxReplicas: {high}
  load: {{query: up, perReplica: {per_replica}}}
"""
