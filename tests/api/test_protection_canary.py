"""Secrets that a running service is given turn up in no answer and in no line of its log."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import yaml

GOOD, BAD, OWN, PASSWORD, UPSTREAM = (
    f"canary-{what}-4711" for what in ("good", "bad", "own", "password", "upstream")
)
CANARIES = (GOOD, BAD, OWN, PASSWORD, UPSTREAM)


class _Leaky(http.server.BaseHTTPRequestHandler):
    """An API server that repeats whatever it is sent, and fails for whoever is called so."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        repeated = f"{UPSTREAM} {asked} {self.headers['Authorization']}"
        spec = json.loads(asked)["spec"]
        if f"{BAD}-500" in asked:
            status, answer = 500, {"kind": "Status", "message": repeated, "reason": repeated}
        elif spec.get("token") == GOOD:
            user = {"username": "anna", "uid": "1", "groups": ["team"], "extra": {"note": [UPSTREAM]}}
            status, answer = 201, {"status": {"authenticated": True, "user": user}, "note": repeated}
        elif "token" in spec:
            status, answer = 201, {"status": {"authenticated": False, "error": repeated}}
        else:
            status, answer = 201, {"status": {"allowed": False, "reason": repeated}}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Leaky) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = tmp_path / "kubeconfig"
        path.write_text(
            yaml.safe_dump(
                {
                    "current-context": "test",
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                    "clusters": [
                        {"name": "test", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
                    ],
                    "users": [{"name": "test", "user": {"token": OWN}}],
                }
            )
        )
        yield path
        server.shutdown()


@pytest.mark.slow
def test_no_secret_is_in_any_answer_or_log(kubeconfig: Path, tmp_path: Path) -> None:
    config, log = tmp_path / "serve.yaml", tmp_path / "log"
    settings = {
        "store": {"url": f"postgresql://someone:{PASSWORD}@127.0.0.1:1/decisions"},
        "listen": {"address": "127.0.0.1", "port": 0},
        "log": {"level": "debug"},
    }
    config.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-c", "from autoscaler.cli import main; main()", "serve"]
    options = ["--config", str(config), "--kubeconfig", str(kubeconfig)]
    with log.open("wb") as told, subprocess.Popen([*command, *options], stderr=told) as process:
        try:
            port = _port(log)
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                answers = [(visit.status_code, f"{visit.headers} {visit.text}") for visit in _visits(client)]
            answers.append(_malformed(port))
        finally:
            process.terminate()
    logged = log.read_text()
    statuses = [status for status, _ in answers]
    assert statuses == [200, 503, 403, 404, 422, 401, 401, 503, 401, 303, 303, 400, 400]
    assert logged.count('"event": "request"') == len(answers) - 1, "all but what is no HTTP"
    assert "the API server does not review" in logged
    assert "the store cannot be read" in logged
    for canary in CANARIES:
        assert canary not in str(answers)
        assert canary not in logged


def _port(log: Path) -> int:
    """Where the service listens, once it says so."""
    for _ in range(600):
        # The last line may not be written to its end.
        for line in log.read_text().split("\n")[:-1]:
            entry = json.loads(line)
            if entry["event"] == "serving":
                return int(entry["port"])
        time.sleep(0.1)
    raise AssertionError(f"not serving: {log.read_text()}")


def _visits(client: httpx2.Client) -> Iterator[httpx2.Response]:
    good = {"Authorization": f"Bearer {GOOD}"}
    yield client.get("/api/v1/whoami", headers={"Cookie": f"pa_session={GOOD}"})
    yield client.get("/api/v1/decisions/0000000000000", headers=good)
    yield client.get("/api/v1/namespaces/shop/workloads/a", headers=good)
    yield client.get(f"/api/v1/{BAD}?token={BAD}", headers=good | {"Referer": BAD, "User-Agent": BAD})
    yield client.get(f"/api/v1/decisions?limit={BAD}", headers=good)
    yield client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {BAD}"})
    yield client.get("/api/v1/whoami", headers={"Cookie": f"pa_session={BAD}"})
    yield client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {BAD}-500"})
    yield client.get("/api/v1/whoami", headers={"Authorization": f"Basic {BAD}", "X-Request-Id": f"{BAD} 1"})
    yield client.post("/login", data={"token": BAD})
    yield client.post("/login", data={"token": f"{BAD}-500"})
    yield client.post("/login", content="&".join([f"token={BAD}"] * 20))


def _malformed(port: int) -> tuple[int, str]:
    """What no client would send."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(f"GET /{BAD} HTTP/1.1\r\nHost: {BAD}\r\nContent-Length: {BAD}\r\n\r\n".encode())
        answer = connection.recv(65_536).decode()
    return int(answer.split()[1]), answer
