"""Two replicas of the operator with one lease, each with a way to the API server of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from control_plane import ControlPlane
from http_proxy import Hold, HttpProxy, every
from operator_process import OperatorProcess
from users import write_kubeconfig
from waiting import wait_until

LEASE_S, RENEW_S, RETRY_S = 7.0, 6.0, 0.5


@dataclass(frozen=True, slots=True)
class ScaleWrite:
    """An accepted change of a count. writer: which replica's; at_s: monotonic seconds when it was sent."""

    at_s: float
    writer: int
    target: str
    replicas: int


class OperatorPair:
    """Starts both on entering, ends both on leaving. settings: of their configuration, beside the lease.

    operators, proxies: by replica, 0 and 1. Where no store is given each has its own.
    """

    def __init__(
        self, plane: ControlPlane, folder: Path, prometheus: str, lease: str, **settings: Any
    ) -> None:
        election = {
            "enabled": True,
            "namespace": "default",
            "name": lease,
            "leaseDuration": f"{LEASE_S:g}s",
            "renewDeadline": f"{RENEW_S:g}s",
            "retryPeriod": f"{RETRY_S * 1000:g}ms",
        }
        self.lease_path = f"/apis/coordination.k8s.io/v1/namespaces/default/leases/{lease}"
        self._plane = plane
        self.proxies = [HttpProxy(plane.url, plane.ca_file) for _ in range(2)]
        self.operators = [
            OperatorProcess(
                folder / str(number),
                write_kubeconfig(
                    folder / f"kubeconfig-{number}", proxy.url, plane.ca_file, plane.admin_token
                ),
                prometheus,
                leaderElection=election,
                **settings,
            )
            for number, proxy in enumerate(self.proxies)
        ]

    def __enter__(self) -> OperatorPair:
        with ExitStack() as stack:
            for each in (*self.proxies, *self.operators):
                stack.enter_context(each)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def heal(self) -> None:
        """Let both go on, whatever was done to them."""
        for proxy, operator in zip(self.proxies, self.operators, strict=True):
            proxy.heal()
            operator.process.resume()
            if not operator.process.running:
                operator.start()

    def leads(self, number: int) -> bool:
        """Whether this replica says that it leads."""
        operator = self.operators[number]
        if not operator.process.running or operator.process.paused:
            return False
        return operator.metrics().get("predictive_autoscaler_leader") == 1.0

    def leader(self, timeout_s: float = 30.0, other_than: int | None = None) -> int:
        """Wait until one leads, and say which."""
        found: list[int] = []

        def there() -> bool:
            found[:] = [n for n in range(2) if n != other_than and self.leads(n)]
            return len(found) == 1

        wait_until(there, timeout_s, "one replica to lead")
        return found[0]

    def partition(self, number: int) -> None:
        """Let nothing of this replica reach the API server, nor anything of that reach it."""
        proxy = self.proxies[number]
        proxy.rule = every(Hold())
        proxy.frozen = lambda asked: True

    def writes(self, namespace: str) -> list[ScaleWrite]:
        """Every accepted write of a count in a namespace, in the order in which they were sent."""
        found = []
        for number, proxy in enumerate(self.proxies):
            for exchange in list(proxy.exchanges):
                asked = exchange.asked
                inside = f"/namespaces/{namespace}/" in asked.path and asked.path.endswith("/scale")
                if asked.method == "PATCH" and inside and exchange.status == 200:
                    target, replicas = asked.path.split("/")[-2], json.loads(asked.body)["spec"]["replicas"]
                    found.append(ScaleWrite(asked.at_s, number, target, replicas))
        return sorted(found, key=lambda write: write.at_s)

    def reigns(self, namespace: str, name_of: Callable[[int], str] = str) -> list[str]:
        """Who wrote, one entry for each time that the writer changed."""
        reigns: list[str] = []
        for write in self.writes(namespace):
            writer = name_of(write.writer)
            if not reigns or reigns[-1] != writer:
                reigns.append(writer)
        return reigns

    def wait_for_reigns(self, namespace: str, *numbers: int) -> None:
        """Wait until these replicas wrote one after the other: an exchange is noted after its answer."""
        wanted = [str(number) for number in numbers]
        wait_until(lambda: self.reigns(namespace) == wanted, 5, f"writes by {wanted}, one after the other")

    def lease(self) -> dict[str, Any]:
        """The spec of the Lease as it stands."""
        spec: dict[str, Any] = self._plane.request("GET", self.lease_path)["spec"]
        return spec
