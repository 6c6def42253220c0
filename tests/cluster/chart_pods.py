"""Pods of the chart whose containers run here, as a kubelet would run them.

The simulated kubelet reports pods as ready and starts nothing. So each container becomes a process with its
pod's own arguments, environment, ConfigMap and token. Only paths and ports are moved, which two pods on one
machine would share.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import requests
import yaml
from control_plane import ControlPlane
from processes import Lifeline, ServerProcess, free_port
from users import write_kubeconfig
from waiting import wait_until
from workloads import Manifest

_MAIN = "from autoscaler.cli import main; main()"
_LISTENING = {"config.yaml": "server", "serve.yaml": "listen"}
"""Which part of a container's configuration says where it listens."""


class ChartPod:
    """The processes of one pod; start on entering, end on leaving. name: the pod's."""

    def __init__(self, plane: ControlPlane, pod: Manifest, folder: Path) -> None:
        self.name: str = pod["metadata"]["name"]
        self._plane, self._pod, self._folder = plane, pod, folder / self.name
        self._spec: Manifest = pod["spec"]
        self._ports = {each["name"]: free_port() for each in self._spec["containers"]}
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> ChartPod:
        self._lifeline = Lifeline()
        token = write_kubeconfig(
            self._folder_of("token") / "kubeconfig",
            self._plane.url,
            self._plane.ca_file,
            self._token(),
            self._pod["metadata"]["namespace"],
        )
        self._mount()
        self._processes = {
            each["name"]: ServerProcess(
                each["name"], self._command(each, token), self._folder / f"{each['name']}.log", self._lifeline
            )
            for each in self._spec["containers"]
        }
        for process in self._processes.values():
            process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as ending:
            ending.callback(self._http.close)
            ending.callback(self._lifeline.close)
            for process in self._processes.values():
                ending.callback(process.stop)

    def container(self, name: str) -> ServerProcess:
        """The process of a container."""
        return self._processes[name]

    def ask(
        self,
        container: str,
        path: str,
        token: str = "",
        method: str = "GET",
        headers: Mapping[str, str] = MappingProxyType({}),
        **how: Any,
    ) -> requests.Response:
        """An answer of a container as a caller with `token` gets it; status 0 where it does not listen."""
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            url = f"http://127.0.0.1:{self._ports[container]}{path}"
            return self._http.request(method, url, headers={**headers, **shown}, timeout=15, **how)
        except requests.ConnectionError:
            absent = requests.Response()
            absent.status_code = 0
            return absent

    def wait_until_ready(self) -> None:
        """Wait until every container says that it is."""
        for name, process in self._processes.items():

            def ready(name: str = name, process: ServerProcess = process) -> bool:
                process.must_run()
                return self.ask(name, "/readyz").status_code == 200

            wait_until(ready, 60, f"{self.name}/{name} to be ready (log {process.log})")

    def _token(self) -> str:
        """As a kubelet asks for it: of the pod's account, and good for as long as there is the pod."""
        about = self._pod["metadata"]
        accounts = f"/api/v1/namespaces/{about['namespace']}/serviceaccounts"
        bound = {"kind": "Pod", "apiVersion": "v1", "name": self.name, "uid": about["uid"]}
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600, "boundObjectRef": bound},
        }
        path = f"{accounts}/{self._spec['serviceAccountName']}/token"
        token: str = self._plane.request("POST", path, body)["status"]["token"]
        return token

    def _mount(self) -> None:
        """Make a folder of each volume; those of a ConfigMap hold its files, with paths and ports moved."""
        for volume in self._spec["volumes"]:
            folder = self._folder_of(volume["name"])
            if "configMap" not in volume:
                continue
            path = f"/api/v1/namespaces/{self._pod['metadata']['namespace']}/configmaps/"
            held = self._plane.request("GET", path + volume["configMap"]["name"])["data"]
            for container in self._spec["containers"]:
                file = Path(container["args"][-1]).name
                settings = yaml.safe_load(self._moved(held[file], container))
                settings[_LISTENING[file]] |= {"address": "127.0.0.1", "port": self._ports[container["name"]]}
                (folder / file).write_text(yaml.safe_dump(settings))

    def _command(self, container: Manifest, kubeconfig: Path) -> list[str]:
        environment = [f"{each['name']}={self._value(each)}" for each in container.get("env") or ()]
        arguments = [self._moved(argument, container) for argument in container["args"]]
        program = [sys.executable, "-c", _MAIN, *arguments, "--kubeconfig", str(kubeconfig)]
        return ["env", *environment, *program]

    def _value(self, variable: Manifest) -> str:
        if "value" in variable:
            return str(variable["value"])
        assert variable["valueFrom"] == {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}
        return self.name

    def _moved(self, text: str, container: Manifest) -> str:
        places = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        # In one go: our own folders may lie where a container has another volume.
        pattern = "|".join(re.escape(path) for path in sorted(places, key=len, reverse=True))
        return re.sub(pattern, lambda found: str(self._folder_of(places[found[0]])), text)

    def _folder_of(self, volume: str) -> Path:
        folder = self._folder / volume
        folder.mkdir(parents=True, exist_ok=True)
        return folder


class ChartPods:
    """All pods of some Deployments as processes, from when `run` finds them until the context is left."""

    def __init__(self, plane: ControlPlane, namespace: str, folder: Path) -> None:
        self._plane, self._namespace, self._folder = plane, namespace, folder

    def __enter__(self) -> ChartPods:
        self._stack = ExitStack()
        self._pods: dict[str, ChartPod] = {}
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[ChartPod]:
        return iter(self._pods.values())

    def __getitem__(self, name: str) -> ChartPod:
        return self._pods[name]

    def run(self, deployment: str) -> list[ChartPod]:
        """Start the processes of a Deployment's pods, once they are there; ready when it returns."""
        path = f"/apis/apps/v1/namespaces/{self._namespace}/deployments/{deployment}"
        spec = self._plane.request("GET", path)["spec"]
        wait_until(
            lambda: self._plane.ready(deployment, self._namespace) == spec["replicas"],
            60,
            f"the pods of {deployment}",
        )
        labels = ",".join(f"{name}={value}" for name, value in spec["selector"]["matchLabels"].items())
        found = self._plane.request(
            "GET", f"/api/v1/namespaces/{self._namespace}/pods?labelSelector={labels}"
        )
        pods = [self._stack.enter_context(ChartPod(self._plane, pod, self._folder)) for pod in found["items"]]
        for pod in pods:
            pod.wait_until_ready()
        self._pods |= {pod.name: pod for pod in pods}
        return pods

    def behind(self, service: str) -> list[ChartPod]:
        """The pods that a Service sends its callers to, by its ready endpoints."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{self._namespace}/endpointslices"
        slices = self._plane.request("GET", f"{path}?labelSelector=kubernetes.io/service-name={service}")[
            "items"
        ]
        endpoints = [endpoint for each in slices for endpoint in each.get("endpoints") or ()]
        ready = {one["targetRef"]["name"] for one in endpoints if one["conditions"].get("ready")}
        return [self._pods[name] for name in sorted(ready) if name in self._pods]
