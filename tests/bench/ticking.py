"""One tick of the live loop without network: forecast and decide for many workloads at once."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings, Predictor
from autoscaler.forecasting.registry import forecaster
from autoscaler.planning.decide import decide
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy
from autoscaler.series import Batch, Ints, Reading, State

STEP_S = 60
_WIDTH = 28 * DAY_S // STEP_S
_LEAD_STEPS = 5
_END_S = 1_750_000_020
_PER_REPLICA = 100.0
_MOST_FITTED = 1_000
_DISTINCT = 250
"""Different daily shapes; each workload is one of them, scaled and shifted, with noise of its own."""

_POLICY = Policy(
    "default", min_replicas=2, max_replicas=200, load_per_replica=_PER_REPLICA, lead_time_s=_LEAD_STEPS * 60.0
)


@dataclass(frozen=True, slots=True)
class Ticks:
    """fit_s, fit_cpu_s: learning from all histories, once; wall_s, cpu_s: of each tick."""

    fit_s: float
    fit_cpu_s: float
    wall_s: list[float]
    cpu_s: list[float]


def run_ticks(workloads: int, ticks: int, model: str = "auto") -> Ticks:
    """Fit to histories of 28 days at 1 minute in memory, then time some ticks.

    At most 1,000 workloads are fitted and serve the others too: fitting happens every few hours
    and in slices, and what a tick costs does not depend on which workload a fit came from.
    """
    history = histories(workloads)
    fitted = Batch(history.values[:_MOST_FITTED], history.end_s[:_MOST_FITTED], STEP_S)
    served_by = np.arange(workloads) % len(fitted)
    settings = ForecastSettings(horizon=_LEAD_STEPS)
    wall, cpu = time.perf_counter(), time.process_time()
    predictor = forecaster(model).fit(fitted, settings)
    fit_s, fit_cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    memories, currents = [Memory()] * workloads, [20] * workloads
    walls, cpus = [], []
    for tick in range(ticks):
        now_s = float(_END_S + STEP_S * (tick + 1))
        wall, cpu = time.perf_counter(), time.process_time()
        _tick(predictor, history, served_by, now_s, memories, currents)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Ticks(fit_s, fit_cpu_s, walls, cpus)


def _tick(
    predictor: Predictor,
    recent: Batch,
    served_by: Ints,
    now_s: float,
    memories: list[Memory],
    currents: list[int],
) -> None:
    """Forecast every workload, decide for every workload, remember."""
    forecast = predictor.predict(recent, served_by)
    peaks = forecast.peak(_LEAD_STEPS, _POLICY.quantile).tolist()
    middle = int(np.argmin(np.abs(forecast.levels - 0.5)))
    expected = forecast.values[:, 0, middle].tolist()
    loads = recent.values[:, -1].tolist()
    for row in range(len(recent)):
        current = currents[row]
        decision = decide(
            _POLICY,
            Observation(now_s, Reading(State.VALUE, loads[row], 5.0), current, current),
            Outlook(peaks[row], expected[row], 0.0, forecast.models[row], forecast.notes[row]),
            memories[row],
        )
        memories[row], currents[row] = decision.memory, decision.replicas


def histories(workloads: int) -> Batch:
    """Loads with a daily and a weekly rhythm and noise, float64 [workload, 40,320]."""
    random = np.random.default_rng(11)
    minutes = np.arange(_WIDTH)
    day = 2.0 * np.pi * minutes / (DAY_S // STEP_S)
    phases = random.uniform(0.0, 2.0 * np.pi, (min(workloads, _DISTINCT), 2))
    shapes = np.stack(
        [2_000.0 * np.exp(0.4 * np.sin(day + a) + 0.2 * np.sin(2.0 * day + b)) for a, b in phases]
    )
    shapes *= np.where(minutes // (DAY_S // STEP_S) % 7 >= 5, 0.7, 1.0)
    values = np.empty((workloads, _WIDTH))
    noise = random.lognormal(0.0, 0.08, 2 * _WIDTH)
    for row in range(workloads):
        begin = int(random.integers(0, _WIDTH))
        np.multiply(shapes[row % len(shapes)], noise[begin : begin + _WIDTH], out=values[row])
        values[row] *= random.uniform(0.3, 2.0)
    return Batch(values, np.full(workloads, _END_S, np.int64), STEP_S)
