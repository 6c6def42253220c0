"""TLS: only the stated authority is trusted, and client certificates and deadlines work through it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_server import Conversation, FaultyServer, serving

from autoscaler.series import State
from autoscaler.signals.history import History
from autoscaler.signals.prometheus import Prometheus
from autoscaler.signals.settings import ConnectionSettings

TLS = Path(__file__).with_name("tls")
START = 1_704_067_200


def context(*, client_certificates: bool) -> ssl.SSLContext:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    if client_certificates:
        served.load_verify_locations(TLS / "ca.pem")
        served.verify_mode = ssl.CERT_REQUIRED
    return served


def drip(conversation: Conversation) -> None:
    conversation.begin(200, {"Content-Length": "1000"})
    for _ in range(100):
        conversation.wfile.write(b" ")
        time.sleep(0.1)


@pytest.fixture
def secured() -> Iterator[FaultyServer]:
    with serving(lambda c: c.reply_steps(), context(client_certificates=True)) as server:
        yield server


def ask(url: str, **settings: Path | None) -> History:
    bounds = {"total_timeout_s": 1.5, "read_timeout_s": 1.0, "retries": 0}
    with Prometheus(ConnectionSettings(url, **bounds, **settings)) as prometheus:  # type: ignore[arg-type]  # vary
        return prometheus.read_range("load", START, START + 60, 60)


def test_a_client_certificate_opens_the_door(secured: FaultyServer) -> None:
    files = {"ca_file": TLS / "ca.pem", "cert_file": TLS / "client.pem", "key_file": TLS / "client.key"}
    assert ask(secured.url, **files).state is State.VALUE


def test_without_one_it_stays_shut(secured: FaultyServer) -> None:
    assert ask(secured.url, ca_file=TLS / "ca.pem").state is State.FAILED
    assert secured.asked == []


@pytest.mark.parametrize(
    "ca_file", [None, TLS / "other-ca.pem"], ids=["public authorities", "another authority"]
)
def test_a_server_of_another_authority_learns_nothing(ca_file: Path | None, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    with serving(lambda c: c.reply_steps(), context(client_certificates=False)) as server:
        history = ask(server.url, ca_file=ca_file, bearer_token_file=token)
        assert history.state is State.FAILED and "TLS" in history.detail
        assert server.asked == []


def test_the_deadline_holds_through_tls() -> None:
    with serving(drip, context(client_certificates=False)) as server:
        began = time.monotonic()
        assert "deadline" in ask(server.url, ca_file=TLS / "ca.pem").detail
        assert time.monotonic() - began < 5.0


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_adds_no_authority(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(name, str(TLS / "ca.pem"))
    with serving(lambda c: c.reply_steps(), context(client_certificates=False)) as server:
        assert "TLS" in ask(server.url).detail
