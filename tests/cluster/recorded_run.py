"""The operator over a recorded day on a real control plane, and what the backtest says of the same day."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import crd
from control_plane import ControlPlane, wait_until
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, resource
from recorded_day import STEPS_A_DAY, Playing, RecordedLoad
from twins import Track

from autoscaler.backtest.candidate import NO_MODEL, candidate_of
from autoscaler.backtest.foresight import blind, foresee
from autoscaler.backtest.predictive import PredictiveScaler
from autoscaler.backtest.simulation import World, simulate
from autoscaler.forecasting.registry import forecaster
from autoscaler.spec import PredictiveAutoscaler

SETTLING_S = 45
"""Time for the operator to start, to forecast and to bring its twins to what the load needs."""
LEAD_TIME_S = 5
START_UP = "3500ms"
"""From having a node to being ready. A decision falls anywhere in its second, and a pod has to be
created and placed, so that it is ready within the lead time."""
STABILIZATION_S = 5
HISTORY = 3600
MODEL = "stl"
# The default model looks at the last minutes and hours, which here are days. This one knows seasons only.
FORECAST = {"model": MODEL, "quantile": "0.8", "seasons": [f"{STEPS_A_DAY}s", f"{7 * STEPS_A_DAY}s"]}
NO_FORECAST = {"model": NO_MODEL}


def spec(forecast: dict[str, Any], per_replica: float) -> dict[str, Any]:
    """A spec that differs from others here in its forecast only."""
    return {
        "maxReplicas": 100,
        "load": {"query": "load", "perReplica": int(per_replica), "maxAge": "5s"},
        "forecast": {"history": f"{HISTORY}s", "step": "1s", "leadTime": f"{LEAD_TIME_S}s", **forecast},
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": STABILIZATION_S}},
    }


@contextmanager
def operating(plane: ControlPlane, folder: Path, load: RecordedLoad) -> Iterator[str]:
    """The operator running, with `load` in its Prometheus and coming in; gives a namespace for twins."""
    crd.install(plane)
    namespace = plane.namespace(f"test-{secrets.token_hex(4)}")
    began = load.step_at(time.time())
    with (
        LivePrometheus(folder / "prometheus", [load.past(began)]) as prometheus,
        Playing(prometheus, load, began) as playing,
        OperatorProcess(folder / "operator", plane.kubeconfig(), prometheus.url),
    ):
        yield namespace
        playing.check()
    plane.request("DELETE", f"/api/v1/namespaces/{namespace}")


def wait_until_forecast(resources: Resources, name: str) -> None:
    """Wait until decisions on a resource are made with a forecast."""
    try:
        wait_until(lambda: resources.status(name).get("model") == MODEL, SETTLING_S, f"a forecast by {MODEL}")
    except AssertionError as error:
        raise AssertionError(f"{error}; status: {resources.status(name)}") from error


def every_second(load: RecordedLoad, steps: Sequence[int], look: Callable[[], None]) -> float:
    """Call `look` as each of the steps ends; gives by how many seconds the latest look was late."""
    latest_s = 0.0
    for step in steps:
        ends_s = load.origin_s + step + 1
        time.sleep(max(0.0, ends_s - time.time()))
        look()
        latest_s = max(latest_s, time.time() - ends_s)
    return latest_s


def backtested(
    forecast: dict[str, Any], per_replica: float, load: RecordedLoad, wanted: int, steps: Sequence[int]
) -> Track:
    """What the backtest says of `spec(forecast, per_replica)` under the same load, for `steps`.

    wanted: the step at which the operator was told of the resource. The backtest begins one history
    before it, so that its last fit and the operator's only one are of the same load.
    """
    body = resource("twin", "default", **spec(forecast, per_replica))
    world = World(per_replica=per_replica, start_up_s=float(LEAD_TIME_S))
    first = wanted - HISTORY
    series = load.series(first, steps[-1] + 1)
    candidate = candidate_of(PredictiveAutoscaler.model_validate(body), series, world, None)
    settings, model = candidate.settings, candidate.model
    if model == NO_MODEL:
        foresight = blind(len(series), settings)
    else:
        foresight = foresee(series, forecaster(model), settings, candidate.history_s, candidate.refit_s)
    course = simulate(series, world, PredictiveScaler("twin", candidate.policy, foresight, {}, lag_steps=0))
    seen = slice(steps[0] - first, None)
    return Track(course.desired[seen], course.ready[seen])
