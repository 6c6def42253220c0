"""`autoscaler train` in a cluster: with the chart's rights, on the loads of the resources that are there."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from chart_rights import ChartRights
from control_plane import ControlPlane, wait_until
from custom_kinds import install_ours
from live_prometheus import LivePrometheus, Past
from operator_process import OperatorProcess, Resources

from autoscaler.forecasting.peaks.model import MANIFEST
from autoscaler.forecasting.peaks.model_folder import read_trained

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow, pytest.mark.timeout(300)]

_HOURS = 20
_COMMAND = [sys.executable, "-c", "from autoscaler.cli import main; main()"]
_FORECAST = {"model": "learned", "history": "1d", "step": "1m", "leadTime": "5m"}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    steps = _HOURS * 60
    start_s = int(time.time()) // 60 * 60 - steps * 60
    chance = np.random.default_rng(3)
    day = 2 * math.pi * np.arange(steps) / 1440
    loads = {
        "load_web": (100 + 60 * np.sin(day)) * chance.lognormal(0, 0.05, steps),
        "load_shop": (40 + 30 * np.cos(day)) * chance.lognormal(0, 0.1, steps),
        "load_steady": np.full(steps, 12.0),
    }
    past = [Past(name, start_s, 60, values.tolist()) for name, values in loads.items()]
    with LivePrometheus(tmp_path_factory.mktemp("prometheus"), past) as server:
        yield server


@pytest.fixture
def rights(
    control_plane: ControlPlane, namespace: str, prometheus: LivePrometheus, tmp_path: Path
) -> Iterator[ChartRights]:
    install_ours(control_plane)
    values = {
        "sources": [{"name": "default", "url": prometheus.url}],
        "watchNamespaces": [namespace],
        "training": {"enabled": True},
    }
    made = ChartRights(control_plane, namespace, tmp_path, values)
    made.give()
    yield made
    made.take_back()


def test_the_loads_of_all_resources_make_a_model_that_the_operator_takes_up(
    control_plane: ControlPlane,
    namespace: str,
    prometheus: LivePrometheus,
    rights: ChartRights,
    tmp_path: Path,
) -> None:
    resources = Resources(control_plane, namespace)
    for name in ("web", "shop", "steady", "unheard-of"):
        resources.create(name, forecast=_FORECAST)
    resources.create("web-too", forecast=_FORECAST, load={"query": "load_web", "perReplica": 10})
    resources.create("reactive")
    resources.create("lost", forecast=_FORECAST, load={"query": "up", "perReplica": 1, "source": "nowhere"})
    model = tmp_path / "model"
    model.mkdir()
    settings = rights.settings(tmp_path) | {"forecasts": {"modelFolder": str(model)}}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(settings))
    kubeconfig = control_plane.kubeconfig_for_token(rights.token("-training"), namespace)
    done = subprocess.run(
        [*_COMMAND, "train", "--config", str(config), "--kubeconfig", str(kubeconfig)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    left_out = {line.split(": ")[1] for line in done.stderr.splitlines() if line.startswith("left out: ")}
    assert left_out == {f"{namespace}/{name}" for name in ("steady", "unheard-of", "reactive", "lost")}
    assert "new model over the one in force" in done.stderr
    trained = read_trained(model)
    assert trained is not None
    told = trained.parts["short"][MANIFEST].decode()
    assert told.count('"sha256"') == 2 + 9
    assert f'"{namespace}/shop"' in told

    rights_of_operator = control_plane.kubeconfig_for_token(rights.token(), namespace)
    folder = tmp_path / "operator"
    with OperatorProcess(folder, rights_of_operator, prometheus.url, **settings) as operator:
        log = operator.process.log
        wait_until(lambda: f"the model in {model} is in use" in log.read_text(), 30, "the model to be in use")
        usable = operator.metrics()["predictive_autoscaler_forecast_model_usable"]
    assert usable == 1.0


def test_without_the_right_to_list_it_ends_with_one_line_and_writes_nothing(
    control_plane: ControlPlane, namespace: str, rights: ChartRights, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(rights.settings(tmp_path) | {"forecasts": {"modelFolder": str(model)}}))
    control_plane.kubectl("create", "serviceaccount", "nobody", "--namespace", namespace)
    token = control_plane.service_account_token(namespace, "nobody")
    done = subprocess.run(
        [
            *(*_COMMAND, "train", "--config", str(config)),
            *("--kubeconfig", str(control_plane.kubeconfig_for_token(token, namespace))),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "the resources of the cluster cannot be listed" in done.stderr
    assert list(model.iterdir()) == []
