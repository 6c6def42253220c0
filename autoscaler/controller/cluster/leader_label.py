"""A label on the pod that leads, so that a Service can send readers to the replica whose store is current."""

from __future__ import annotations

import threading
from typing import Protocol

import structlog

from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterError
from autoscaler.spec.resource import GROUP

LABEL = f"{GROUP}/leads"

_LOG = structlog.get_logger(__name__)
_LOOK_EVERY_S = 1.0
_RETRY_EVERY = 15
_PATIENCE_S = 3.0


class Leading(Protocol):
    """Whether this process leads."""

    def holds(self, for_s: float = 0.0) -> bool:
        """Now, and for so long."""
        ...


class LeaderLabel:
    """Keeps the label of our own pod as leadership is. Nothing is decided by it: writers ask the lease."""

    def __init__(self, cluster: Cluster, namespace: str, pod: str, leading: Leading) -> None:
        self._cluster = cluster
        self._path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
        self._leading = leading
        # A pod that was labelled before its container began anew still is.
        self._shown: bool | None = None
        self.failure = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leader-label", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Take the label away and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * _PATIENCE_S)
        if self._shown:
            self._show(False)

    def _run(self) -> None:
        waits = 0
        while not self._stopping.is_set():
            leads = self._leading.holds()
            if leads != self._shown and waits <= 0:
                self._show(leads)
                waits = _RETRY_EVERY if self.failure else 0
            waits -= 1
            self._stopping.wait(_LOOK_EVERY_S)

    def _show(self, leads: bool) -> None:
        body = {"metadata": {"labels": {LABEL: "true" if leads else None}}}
        try:
            self._cluster.patch(self._path, body, "merge", timeout_s=_PATIENCE_S)
            self._shown, failure = leads, ""
        except ClusterError as error:
            failure = f"{self._path}: {error}"
        if failure and failure != self.failure:
            _LOG.warning("the label of the leading pod cannot be kept", error=failure)
        self.failure = failure
