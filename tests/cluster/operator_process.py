"""The operator as a process of its own, run as the package's command, with a load that a test pushes."""

from __future__ import annotations

import copy
import json
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
import yaml
from control_plane import ControlPlane
from live_prometheus import LivePrometheus, Sample
from processes import Lifeline, ServerProcess, free_port
from waiting import wait_until

_MAIN = "from autoscaler.cli import main; main()"
PERIOD_S = 1.0


class OperatorProcess:
    """`autoscaler run` with a configuration file in `folder`; starts on entering, ends on leaving.

    settings: sections of the configuration that replace the defaults of the tests, which evaluate every
    second and keep decisions in SQLite. kubeconfig: whose rights it has. launcher: words in front of the
    command, such as `env` and what it sets.
    """

    def __init__(
        self,
        folder: Path,
        kubeconfig: Path,
        prometheus: str,
        launcher: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.lease = f"test-{secrets.token_hex(4)}"
        self.configuration: dict[str, Any] = {
            "sources": [{"name": "default", "url": prometheus, "timeout": "2s"}],
            "period": f"{PERIOD_S:g}s",
            "leaderElection": {"enabled": False},
            "store": {"url": f"sqlite:///{folder / 'store.db'}"},
            "server": {"address": "127.0.0.1", "port": self.port},
            "log": {"level": "info"},
            **settings,
        }
        self._file = folder / "config.yaml"
        self._command = [
            *launcher,
            sys.executable,
            "-c",
            _MAIN,
            "run",
            "--config",
            str(self._file),
            "--kubeconfig",
            str(kubeconfig),
        ]
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> OperatorProcess:
        self._lifeline = Lifeline()
        self.process = ServerProcess("operator", self._command, self.folder / "operator.log", self._lifeline)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.process.stop()
        finally:
            self._lifeline.close()
            self._http.close()

    def start(self) -> None:
        """Start it, or start it again, and wait until its caches are filled."""
        self._file.write_text(yaml.safe_dump(self.configuration))
        self.process.start()
        wait_until(self.ready, 40, f"the operator to be ready (log {self.process.log})")

    def ready(self) -> bool:
        """Whether it says so."""
        self.process.must_run()
        return self.get("/readyz").status_code == 200

    def get(self, path: str, timeout_s: float = 5.0) -> requests.Response:
        """An answer of its health server; status 0 where it does not listen."""
        try:
            return self._http.get(f"http://127.0.0.1:{self.port}{path}", timeout=timeout_s)
        except requests.ConnectionError:
            absent = requests.Response()
            absent.status_code = 0
            return absent

    def metrics(self) -> dict[str, float]:
        """Every sample it exports, by name and labels as written."""
        lines = self.get("/metrics", timeout_s=30.0).text.splitlines()  # of thousands of resources
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def log(self) -> list[dict[str, Any]]:
        """Its log, entry by entry; every line has to be JSON."""
        return [json.loads(line) for line in self.process.log.read_text().splitlines()]


class SteadyLoad:
    """Pushes the present value of `values[series]` twice a second until it is left. Set values any time."""

    def __init__(self, prometheus: LivePrometheus, values: Mapping[str, float]) -> None:
        self.values = dict(values)
        self._prometheus = prometheus
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> SteadyLoad:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            now_s = time.time()
            try:
                self._prometheus.push(
                    *(
                        Sample(name=name, labels={}, value=value, time_s=now_s)
                        for name, value in self.values.items()
                    )
                )
            except (requests.RequestException, AssertionError):
                continue  # a test may have stopped the server


def resource(name: str, namespace: str, target: str = "", **spec: Any) -> dict[str, Any]:
    """A PredictiveAutoscaler for the Deployment `target` that reacts to the series `load_NAME` at once."""
    return {
        "apiVersion": "predictive-autoscaler.dev/v1alpha1",
        "kind": "PredictiveAutoscaler",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": target or name},
            "mode": "Active",
            "minReplicas": 1,
            "maxReplicas": 20,
            "load": {"query": f"load_{name.replace('-', '_')}", "perReplica": 10, "maxAge": "5s"},
            "forecast": {"model": "none", "step": "1s", "leadTime": "3s"},
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 3}},
            **copy.deepcopy(spec),
        },
    }


class Resources:
    """PredictiveAutoscalers of one namespace, as a user with kubectl sees them."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self._namespace = namespace
        self._path = f"/apis/predictive-autoscaler.dev/v1alpha1/namespaces/{namespace}/predictiveautoscalers"

    def create(self, name: str, target: str = "", **spec: Any) -> dict[str, Any]:
        """Create one; see `resource`."""
        body = resource(name, self._namespace, target, **spec)
        created: dict[str, Any] = self._plane.request("POST", self._path, body)
        return created

    def patch(self, name: str, body: dict[str, Any]) -> None:
        """Merge `body` into one."""
        self._plane.request("PATCH", f"{self._path}/{name}", body, "application/merge-patch+json")

    def delete(self, name: str) -> None:
        """Delete one."""
        self._plane.request("DELETE", f"{self._path}/{name}")

    def status(self, name: str) -> dict[str, Any]:
        """Its status, empty before the first."""
        found: dict[str, Any] = self._plane.request("GET", f"{self._path}/{name}").get("status") or {}
        return found

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        """One condition, empty before it is known."""
        conditions = {one["type"]: one for one in self.status(name).get("conditions") or []}
        return conditions.get(kind, {})

    def wait_for(
        self, name: str, kind: str, status: str, reason: str, timeout_s: float = 20
    ) -> dict[str, Any]:
        """Wait until a condition has this status and reason."""

        def there() -> dict[str, Any] | None:
            found = self.condition(name, kind)
            return found if (found.get("status"), found.get("reason")) == (status, reason) else None

        def seen() -> dict[str, Any] | None:
            return there()

        try:
            return wait_until(seen, timeout_s, f"{kind}={status} because of {reason}") or {}
        except AssertionError as error:
            raise AssertionError(f"{error}; status: {self.status(name)}") from error


def replicas(plane: ControlPlane, namespace: str, name: str) -> Callable[[], int]:
    """Asks for the count that a Deployment is to have."""
    return lambda: plane.replicas(name, namespace)


def events(plane: ControlPlane, namespace: str) -> Iterator[dict[str, Any]]:
    """Events of the namespace about our resources."""
    for event in plane.request("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]:
        if event["regarding"]["kind"] == "PredictiveAutoscaler":
            yield event
