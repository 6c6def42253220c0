"""A real Kubernetes control plane on loopback, with KWOK in the place of kubelets.

Everything a controller meets in production is there except containers that run: access control,
admission, watches, scale subresources, ReplicaSets, Leases and the HorizontalPodAutoscaler.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import options
import requests
from certificates import write_certificates
from processes import Lifeline, ServerProcess, free_port
from users import write_kubeconfig, write_tokens
from waiting import wait_until
from workloads import Manifest, node, workload

if TYPE_CHECKING:
    from autoscaler.controller.cluster.connection import Cluster

__all__ = ["ControlPlane", "cluster_binaries", "wait_until"]

_SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "cluster-parts.sh"

_ZONES = ("zone-a", "zone-b", "zone-c")


@cache
def cluster_binaries() -> Path | None:
    """The folder with kube-apiserver and the others, or None where it has not been built."""
    found = subprocess.run(["/bin/sh", str(_SCRIPT), "--find"], capture_output=True, text=True, check=False)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


class ControlPlane:
    """etcd, API server, controller manager, scheduler and KWOK; starts on entering, ends on leaving.

    `url` and `ca_file` are where the API server is and what to trust it by, `admin_token` may do
    everything. Each process can be stopped, killed, paused and resumed by itself: `etcd`, `api_server`,
    `controller_manager`, `scheduler`, `kubelet`. Starting raises AssertionError with the end of
    the log of what did not start.
    """

    def __init__(self, folder: Path | None = None) -> None:
        binaries = cluster_binaries()
        assert binaries is not None, "no cluster binaries: sh scripts/cluster-parts.sh"
        self._binaries = binaries
        self.folder = folder or Path(tempfile.mkdtemp(prefix="control-plane-"))
        self._temporary = folder is None
        self._tokens = write_tokens(self.folder / "tokens.csv")
        self._certificates = write_certificates(self.folder)
        self._port, self._etcd_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self._port}"
        self.ca_file = self._certificates.ca
        self.admin_token = self._tokens["admin"]
        self._http = self._session()

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.ca_file)
        session.headers["Authorization"] = f"Bearer {self.admin_token}"
        return session

    def __enter__(self) -> ControlPlane:
        self._lifeline = Lifeline()
        self._prepare()
        try:
            self._start_all()
        except BaseException:
            self._end_all(keep_logs=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_all(keep_logs=error is not None)

    def _prepare(self) -> None:
        files, folder = self._certificates, self.folder
        self.etcd = self._process("etcd", options.etcd(folder, self._etcd_port))
        self.api_server = self._process(
            "kube-apiserver", options.api_server(folder, self._port, self._etcd_port, files)
        )
        manager = options.controller_manager(folder, self.kubeconfig("controller-manager"), files)
        self.controller_manager = self._process("kube-controller-manager", manager)
        self.scheduler = self._process(
            "kube-scheduler", options.scheduler(folder, self.kubeconfig("scheduler"))
        )
        self.kubelet = self._process("kwok", options.kubelet(self.kubeconfig("kubelet")))

    def _start_all(self) -> None:
        self.etcd.start()
        self.start_api_server()
        for number, zone in enumerate(_ZONES, 1):
            self.request("POST", "/api/v1/nodes", node(f"node-{number}", zone))
        for process in self._parts():
            process.start()
        wait_until(self._nodes_ready, 60, "the simulated nodes to be ready")
        self._wait_for_account("default")

    def _end_all(self, *, keep_logs: bool) -> None:
        for process in reversed(self._processes()):
            process.kill()
        self._lifeline.close()
        self._http.close()
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)
        if self._temporary and not keep_logs:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _processes(self) -> list[ServerProcess]:
        return [self.etcd, self.api_server, *self._parts()]

    def _parts(self) -> list[ServerProcess]:
        return [self.controller_manager, self.scheduler, self.kubelet]

    def _process(self, binary: str, told: options.Options) -> ServerProcess:
        command = [str(self._binaries / binary), *(f"--{option}={value}" for option, value in told.items())]
        return ServerProcess(binary, command, self.folder / f"{binary}.log", self._lifeline)

    def heal(self) -> None:
        """Bring back whatever a test stopped, killed or paused; waits until the API server serves."""
        for process in self._processes():
            process.resume()
        self.etcd.start()
        self.start_api_server()
        for process in self._parts():
            process.start()

    def stop_api_server(self) -> None:
        """End the API server; connections to it are refused from then on."""
        # It would wait for watches, of which the plane itself has many.
        self.api_server.stop(timeout_s=2, or_kill=True)

    def start_api_server(self) -> None:
        """Start the API server where it does not run, and wait until it is ready.

        The parts of the plane that run are started anew: after an outage of some seconds the
        old ones would wait for up to half a minute before they try again.
        """
        was_away = not self.api_server.running
        self.api_server.start()
        self._wait_until_serving()
        for process in self._parts() if was_away else ():
            if process.running and not process.paused:
                process.kill()
                process.start()

    def stop_controller_manager(self) -> None:
        """From now on nothing creates pods, and no HorizontalPodAutoscaler acts."""
        self.controller_manager.stop()

    def start_controller_manager(self) -> None:
        """Undo `stop_controller_manager`."""
        self.controller_manager.start()

    def forget_history(self) -> None:
        """Make every resource version known so far too old to watch from (410 Gone)."""
        etcd = f"http://127.0.0.1:{self._etcd_port}/v3/kv"
        # The range of one key that does not exist: only for the revision in the answer's header.
        header = requests.post(f"{etcd}/range", json={"key": "AA=="}, timeout=10).json()["header"]
        answer = requests.post(f"{etcd}/compaction", json={"revision": header["revision"]}, timeout=10)
        answer.raise_for_status()
        # The API server remembers a while by itself; a new one does not.
        self.api_server.kill()
        self.start_api_server()

    def _wait_until_serving(self) -> None:
        def ready() -> bool:
            self.etcd.must_run()
            self.api_server.must_run()
            try:
                return self._http.get(f"{self.url}/readyz", timeout=2).status_code == 200
            except requests.RequestException:
                return False

        wait_until(ready, 60, f"the API server to be ready (logs in {self.folder})")

    def _nodes_ready(self) -> bool:
        for process in self._parts():
            process.must_run()
        nodes = self.request("GET", "/api/v1/nodes")["items"]
        return all(
            any(c["type"] == "Ready" and c["status"] == "True" for c in n["status"].get("conditions", ()))
            for n in nodes
        )

    def kubeconfig(self, user: str = "admin") -> Path:
        """A kubeconfig file for one of the plane's users: admin, nobody, or a part of the plane."""
        return self.kubeconfig_for_token(self._tokens[user], user)

    def kubeconfig_for_token(self, token: str, name: str) -> Path:
        """A kubeconfig file that shows `token`; `name` tells files apart, the same name overwrites."""
        path = self.folder / f"{name}.kubeconfig"
        return write_kubeconfig(path, self.url, self.ca_file, token)

    def cluster(self) -> Cluster:
        """The product's own connection to this plane, as admin."""
        from autoscaler.controller.cluster.connection import Cluster

        return Cluster.connect(self.kubeconfig())

    def request(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> Any:
        """One request as admin, without the product's code; AssertionError where it is refused."""
        answer = self._http.request(
            method,
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body),
            headers={"Content-Type": content_type},
            timeout=30,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:1000]}"
        return answer.json()

    def kubectl(
        self,
        *args: str,
        input: str | None = None,
        check: bool = True,
        token: str = "",
        kubeconfig: Path | None = None,
    ) -> str:
        """What kubectl prints, as admin unless a token or a kubeconfig is given.

        Where it fails, AssertionError with its words; with `check=False` those are returned instead.
        """
        if token:
            kubeconfig = self.kubeconfig_for_token(token, f"token-{secrets.token_hex(4)}")
        options = [
            f"--kubeconfig={kubeconfig or self.kubeconfig()}",
            f"--cache-dir={self.folder / 'kubectl'}",
        ]
        done = subprocess.run(
            [str(self._binaries / "kubectl"), *options, *args],
            input=input,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(args)}: {done.stderr.strip()}"
        return done.stdout if done.returncode == 0 else done.stdout + done.stderr

    def service_account_token(self, namespace: str, name: str) -> str:
        """A token of a service account, which is created where it is missing; good for an hour."""
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        known = {account["metadata"]["name"] for account in self.request("GET", accounts)["items"]}
        if name not in known:
            self.request("POST", accounts, {"metadata": {"name": name}})
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600},
        }
        token: str = self.request("POST", f"{accounts}/{name}/token", body)["status"]["token"]
        return token

    def namespace(self, name: str) -> str:
        """Create a namespace and wait until pods may be created in it; gives its name."""
        self.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        self._wait_for_account(name)
        return name

    def _wait_for_account(self, namespace: str) -> None:
        # Pods are refused until the namespace has its default account, and the ReplicaSet then backs off.
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        wait_until(lambda: self.request("GET", accounts)["items"], 30, f"the default account of {namespace}")

    def deployment(self, name: str, namespace: str = "default", replicas: int = 1, **how: Any) -> Manifest:
        """Create a Deployment; for `start_up`, labels and so on see `workloads.workload`."""
        return self._create("Deployment", workload("Deployment", name, namespace, replicas, **how))

    def statefulset(self, name: str, namespace: str = "default", replicas: int = 1, **how: Any) -> Manifest:
        """Create a StatefulSet, with the same options; its pods start all at once."""
        return self._create("StatefulSet", workload("StatefulSet", name, namespace, replicas, **how))

    def _create(self, kind: str, body: Manifest) -> Manifest:
        created: Manifest = self.request("POST", self._path(kind, body["metadata"]["namespace"]), body)
        return created

    @staticmethod
    def _path(kind: str, namespace: str) -> str:
        return f"/apis/apps/v1/namespaces/{namespace}/{kind.lower()}s"

    def scale(self, name: str, namespace: str, replicas: int, kind: str = "Deployment") -> None:
        """Write the scale subresource, as a person with kubectl does."""
        path = f"{self._path(kind, namespace)}/{name}/scale"
        self.request("PATCH", path, {"spec": {"replicas": replicas}}, "application/merge-patch+json")

    def replicas(self, name: str, namespace: str, kind: str = "Deployment") -> int:
        """How many replicas are asked for."""
        count: int = self.request("GET", f"{self._path(kind, namespace)}/{name}/scale")["spec"].get(
            "replicas", 0
        )
        return count

    def ready(self, name: str, namespace: str, kind: str = "Deployment") -> int:
        """How many pods are ready, by the workload's status."""
        status = self.request("GET", f"{self._path(kind, namespace)}/{name}")["status"]
        count: int = status.get("readyReplicas", 0)
        return count

    wait_until = staticmethod(wait_until)
