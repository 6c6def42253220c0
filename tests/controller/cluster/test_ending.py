"""The operator's process ends in time when it is asked to, whatever it waits for."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from scripted_api import Answer, Conversation, ScriptedAPI, listed, thing

from autoscaler.spec.resource import GROUP, VERSION

pytestmark = pytest.mark.slow

_MAIN = "from autoscaler.cli import main; main()"
_ENDS_WITHIN_S = 10.0
_RESOURCE = thing(
    "web",
    1,
    apiVersion=f"{GROUP}/{VERSION}",
    kind="PredictiveAutoscaler",
    spec={
        "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        "mode": "Active",
        "maxReplicas": 9,
        "load": {"query": "load", "perReplica": 10},
    },
)
_RESOURCE["metadata"] |= {"uid": "of-web", "generation": 1}
_SCALE = thing("web", 7, spec={"replicas": 3}, status={"replicas": 3, "selector": "app=web"})
_SCALE["metadata"] |= {"uid": "of-the-deployment"}
_SERVED = {
    "resources": [
        {"name": "deployments", "kind": "Deployment", "namespaced": True},
        {"name": "deployments/scale", "kind": "Scale", "namespaced": True},
    ]
}


def _cluster(c: Conversation) -> None:
    """One resource and its target; whatever is written is taken."""
    path = c.asked.path
    if c.asked.query.get("watch"):
        c.stream()
        c.say_nothing()
    elif path.endswith("/scale"):
        c.json(_SCALE)
    elif path == "/apis/apps/v1":
        c.json(_SERVED)
    elif c.asked.method != "GET":
        c.json(_RESOURCE)
    else:
        c.json(listed(1, _RESOURCE) if path.endswith("/predictiveautoscalers") else listed(1))


def test_while_prometheus_hangs_the_operator_still_ends_within_ten_seconds(
    serve: Callable[[Answer], ScriptedAPI], tmp_path: Path
) -> None:
    cluster, file, log = serve(_cluster), tmp_path / "config.yaml", tmp_path / "operator.log"
    command = [sys.executable, "-c", _MAIN, "run", "--config", file, "--kubeconfig", cluster.kubeconfig()]
    # It takes connections and never answers one.
    with socket.create_server(("127.0.0.1", 0)) as prometheus, log.open("wb") as written:
        prometheus.settimeout(60.0)
        url = f"http://127.0.0.1:{prometheus.getsockname()[1]}"
        configuration = {
            "sources": [{"name": "default", "url": url, "timeout": "60s"}],
            "period": "1s",
            "leaderElection": {"enabled": False},
            "store": {"url": f"sqlite:///{tmp_path / 'store.db'}"},
            "server": {"address": "127.0.0.1", "port": 0},
        }
        file.write_text(yaml.safe_dump(configuration))
        with subprocess.Popen(command, stdout=written, stderr=written) as process:
            try:
                asked, _ = prometheus.accept()
                process.send_signal(signal.SIGTERM)
                told_s = time.monotonic()
                process.wait(2 * _ENDS_WITHIN_S)
                assert time.monotonic() - told_s < _ENDS_WITHIN_S, log.read_text()
                assert process.returncode == 0, log.read_text()
                asked.close()
            finally:
                process.kill()
