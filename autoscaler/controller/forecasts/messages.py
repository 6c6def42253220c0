"""What the operator and its forecasting process tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.forecasts.reader import OpenReader
from autoscaler.controller.forecasts.request import ForecastRequest


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message to the process. open_reader: how it opens a source. folder: for histories.
    model_folder: where a model may be that was trained here."""

    open_reader: OpenReader
    folder: Path | None
    beat_s: float
    model_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Changes to what is to be forecast: (revision, request) by key, and keys no longer wanted."""

    requests: dict[str, tuple[int, ForecastRequest]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """News of some workloads, each as (revision of the request, what): fans, and what went wrong."""

    fans: dict[str, tuple[int, Fan]] = field(default_factory=dict)
    failures: dict[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beat:
    """The process is well: every source had its turn lately. model_problem: why the model that was trained
    here is not in use; empty when it is, or when there is none."""

    model_problem: str = ""
