"""What each process of the test control plane is told on its command line."""

from __future__ import annotations

from pathlib import Path

from certificates import Certificates
from processes import free_port

Options = dict[str, object]

_STAGES = Path(__file__).with_name("stages.yaml")
_LOOPBACK = "127.0.0.1"
# The default of 20 requests a second would make bursts of pods slower than a real cluster's.
_BUSY_CLIENT: Options = {"kube-api-qps": 500, "kube-api-burst": 1000}


def etcd(folder: Path, port: int) -> Options:
    """A store of one member, that does not wait for the disk."""
    client, peer = f"http://{_LOOPBACK}:{port}", f"http://{_LOOPBACK}:{free_port()}"
    return {
        "data-dir": folder / "etcd",
        "unsafe-no-fsync": "true",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "log-level": "warn",
    }


def api_server(folder: Path, port: int, etcd_port: int, files: Certificates) -> Options:
    """The API server with the tokens in `folder`, role-based access control and its usual admission."""
    return {
        "etcd-servers": f"http://{_LOOPBACK}:{etcd_port}",
        "bind-address": _LOOPBACK,
        "advertise-address": _LOOPBACK,
        "secure-port": port,
        "tls-cert-file": files.serving,
        "tls-private-key-file": files.serving_key,
        "authorization-mode": "RBAC",
        "token-auth-file": folder / "tokens.csv",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": files.account_public,
        "service-account-signing-key-file": files.account_key,
        "service-cluster-ip-range": "10.0.0.0/24",
        "endpoint-reconciler-type": "none",
    }


def controller_manager(folder: Path, kubeconfig: Path, files: Certificates) -> Options:
    """All controllers; the HorizontalPodAutoscaler's clocks are short, so that it acts within seconds."""
    return {
        "kubeconfig": kubeconfig,
        "bind-address": _LOOPBACK,
        "secure-port": free_port(),
        "cert-dir": folder / "controller-manager",
        "leader-elect": "false",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": files.account_key,
        "root-ca-file": files.ca,
        "node-monitor-grace-period": "24h",
        "horizontal-pod-autoscaler-sync-period": "1s",
        "horizontal-pod-autoscaler-initial-readiness-delay": "1s",
        "horizontal-pod-autoscaler-cpu-initialization-period": "1s",
        **_BUSY_CLIENT,
    }


def scheduler(folder: Path, kubeconfig: Path) -> Options:
    """The scheduler, without a lease of its own."""
    return {
        "kubeconfig": kubeconfig,
        "bind-address": _LOOPBACK,
        "secure-port": free_port(),
        "cert-dir": folder / "scheduler",
        "leader-elect": "false",
        **_BUSY_CLIENT,
    }


def kubelet(kubeconfig: Path) -> Options:
    """KWOK in the place of the kubelets of all nodes."""
    return {
        "kubeconfig": kubeconfig,
        "config": _STAGES,
        "manage-all-nodes": "true",
        # None: a new process would have to wait until the leases of the one before it have run out.
        "node-lease-duration-seconds": 0,
        "cidr": "10.64.0.0/12",
    }
