"""The service as a process of its own, run as the package's command, over an empty store."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

import requests
import yaml
from control_plane import wait_until
from processes import Lifeline, ServerProcess, free_port

from autoscaler.store.store import Store

_MAIN = "from autoscaler.cli import main; main()"


class ServiceProcess:
    """`autoscaler serve` with what it needs in `folder`; starts on entering, ends on leaving.

    kubeconfig: whose rights it has.
    """

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.port = free_port()
        store, file = f"sqlite:///{folder / 'service.db'}", folder / "serve.yaml"
        made = Store.open(store)
        made.migrate()
        made.close()
        listen = {"address": "127.0.0.1", "port": self.port}
        file.write_text(yaml.safe_dump({"store": {"url": store}, "listen": listen}))
        command = [sys.executable, "-c", _MAIN, "serve", "--config", file, "--kubeconfig", kubeconfig]
        self._lifeline = Lifeline()
        self.process = ServerProcess(
            "service", [str(part) for part in command], folder / "service.log", self._lifeline
        )

    def __enter__(self) -> ServiceProcess:
        self.process.start()
        wait_until(self._ready, 60, f"the service to be ready (log {self.process.log})")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop()
        self._lifeline.close()

    def status(self, method: str, path: str, token: str = "") -> int:
        """What a caller with `token` is answered."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(
            method, f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=10
        ).status_code

    def _ready(self) -> bool:
        self.process.must_run()
        try:
            return self.status("GET", "/readyz") == 200
        except requests.ConnectionError:
            return False
