"""The service as a process of its own, run as the package's command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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

    kubeconfig: whose rights it has. store: the URL of the store; empty for one of its own with nothing in it.
    launcher: words in front of the command, such as `env` and what it sets.
    """

    def __init__(self, folder: Path, kubeconfig: Path, store: str = "", launcher: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port, file = free_port(), folder / "serve.yaml"
        self.url = f"http://127.0.0.1:{port}"
        listen = {"address": "127.0.0.1", "port": port}
        limits = {"anonymousPerMinute": 100_000, "requestsPerMinute": 100_000}
        written = {"store": {"url": store or _empty_store(folder)}, "listen": listen, "limits": limits}
        file.write_text(yaml.safe_dump(written))
        command = [
            *launcher,
            sys.executable,
            "-c",
            _MAIN,
            "serve",
            "--config",
            file,
            "--kubeconfig",
            kubeconfig,
        ]
        self._lifeline = Lifeline()
        self.process = ServerProcess(
            "service", [str(part) for part in command], folder / "service.log", self._lifeline
        )

    def __enter__(self) -> ServiceProcess:
        self.process.start()
        wait_until(self.ready, 60, f"the service to be ready (log {self.process.log})")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it for good."""
        try:
            self.process.stop()
        finally:
            self._lifeline.close()

    def ask(self, method: str, path: str, token: str = "") -> requests.Response:
        """What a caller with `token` is answered; status 0 while it does not listen."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with requests.Session() as session:
                # Looking for proxies reads the environment, which pytest changes meanwhile.
                session.trust_env = False
                return session.request(method, f"{self.url}{path}", headers=headers, timeout=15)
        except requests.ConnectionError:
            absent = requests.Response()
            absent.status_code = 0
            return absent

    def status(self, method: str, path: str, token: str = "") -> int:
        """The status of that answer."""
        return self.ask(method, path, token).status_code

    def ready(self) -> bool:
        """Whether it says that it is."""
        self.process.must_run()
        return self.status("GET", "/readyz") == 200

    def says(self, words: str) -> bool:
        """Whether these words are in why it is not ready."""
        self.process.must_run()
        answer = self.ask("GET", "/readyz")
        return answer.status_code == 503 and words in answer.json()["detail"]


def _empty_store(folder: Path) -> str:
    url = f"sqlite:///{folder / 'service.db'}"
    made = Store.open(url)
    made.migrate()
    made.close()
    return url
