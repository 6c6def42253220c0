"""Certificates exchanged on disk while a source is in use: taken up at the next question, or left alone."""

from __future__ import annotations

import logging
import shutil
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import urllib3
from certificates import Authority
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from faulty_server import Conversation, FaultyServer, serving

from autoscaler.series import State
from autoscaler.signals.history import History
from autoscaler.signals.prometheus import Prometheus
from autoscaler.signals.settings import ConnectionSettings
from autoscaler.signals.tls import tls_failure

START = 1_704_067_200


@dataclass
class Guarded:
    """A server that lets in whom `clients` signed, what asks it, and who asked, from which port."""

    server: FaultyServer
    shown: ssl.SSLContext
    clients: Authority
    folder: Path
    prometheus: Prometheus
    seen: list[str]
    ports: list[int]

    def ask(self) -> History:
        return self.prometheus.read_range("load", START, START + 60, 60)

    def give(self, name: str, authority: Authority | None = None) -> None:
        """Exchange the client's certificate and key."""
        (authority or self.clients).sign_client(name, self.folder / "client.crt", self.folder / "client.key")


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    clients, seen, ports = Authority(), list[str](), list[int]()
    clients.write(tmp_path / "ca.crt")
    clients.sign_server(tmp_path / "server.crt", tmp_path / "server.key")
    clients.sign_client("first", tmp_path / "client.crt", tmp_path / "client.key")
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    shown.load_verify_locations(tmp_path / "ca.crt")
    shown.verify_mode = ssl.CERT_REQUIRED

    def answer(conversation: Conversation) -> None:
        told = conversation.connection.getpeercert()  # type: ignore[attr-defined]  # it is a TLS socket here
        ports.append(conversation.client_address[1])
        seen.append(told["subjectAltName"][0][1])
        conversation.reply_steps()

    with serving(answer, shown) as server:
        settings = ConnectionSettings(
            server.url,
            ca_file=tmp_path / "ca.crt",
            cert_file=tmp_path / "client.crt",
            key_file=tmp_path / "client.key",
            total_timeout_s=3.0,
            retries=0,
        )
        with Prometheus(settings) as prometheus:
            yield Guarded(server, shown, clients, tmp_path, prometheus, seen, ports)


def test_an_exchanged_client_certificate_is_shown_at_the_next_question(guarded: Guarded) -> None:
    assert guarded.ask().state is State.VALUE
    guarded.give("second")
    assert guarded.ask().state is State.VALUE
    assert guarded.seen == ["first", "second"]


def test_unchanged_files_keep_their_connection(guarded: Guarded) -> None:
    assert [guarded.ask().state for _ in range(3)] == [State.VALUE] * 3
    assert len(guarded.ports) == 3 and len(set(guarded.ports)) == 1


@pytest.mark.parametrize("file", ["client.crt", "client.key", "ca.crt"])
@pytest.mark.parametrize("content", ["", "no certificate", None], ids=["empty", "garbage", "missing"])
def test_a_broken_file_leaves_the_old_ones_in_use_also_for_new_connections(
    guarded: Guarded, file: str, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    guarded.ask()
    (guarded.folder / file).unlink()
    if content is not None:
        (guarded.folder / file).write_text(content)
    guarded.prometheus.close()  # only its connections; the next question opens another one
    with caplog.at_level(logging.WARNING):
        assert [guarded.ask().state for _ in range(3)] == [State.VALUE] * 3
    assert guarded.seen == ["first"] * 4
    assert [str(guarded.folder / file) in told for told in caplog.messages] == [True]


def test_a_certificate_without_its_key_waits_for_it(guarded: Guarded, tmp_path: Path) -> None:
    guarded.ask()
    guarded.clients.sign_client("second", tmp_path / "new.crt", tmp_path / "new.key")
    shutil.copy(tmp_path / "new.crt", guarded.folder / "client.crt")
    assert guarded.ask().state is State.VALUE
    shutil.copy(tmp_path / "new.key", guarded.folder / "client.key")
    assert guarded.ask().state is State.VALUE
    assert guarded.seen == ["first", "first", "second"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "check the client certificate"),
        (ssl.SSLCertVerificationError(1, "self-signed certificate"), "check CA file and host name"),
    ],
)
def test_every_failure_of_tls_says_what_to_look_at(error: ssl.SSLError, told: str) -> None:
    error.reason = ""  # as the library leaves it
    wrapped = requests.exceptions.SSLError(urllib3.exceptions.SSLError(error))
    assert told in str(tls_failure(wrapped, ""))
    assert str(tls_failure(wrapped, "the CA file is gone")).endswith("; the CA file is gone")


def test_a_certificate_that_the_server_refuses_is_said_and_mended_by_the_next_one(guarded: Guarded) -> None:
    guarded.ask()
    guarded.give("stranger", Authority())
    refused = [guarded.ask() for _ in range(10)]
    assert {failed.state for failed in refused} == {State.FAILED}
    # Of a server that hangs up as fast as we write not every alert arrives.
    assert any("check the client certificate" in failed.detail for failed in refused)
    guarded.give("second")
    assert guarded.ask().state is State.VALUE
    assert guarded.seen == ["first", "second"]


def test_another_authority_is_trusted_from_the_next_question_on_and_the_one_before_no_more(
    guarded: Guarded,
) -> None:
    guarded.ask()
    other = Authority()
    other.write(guarded.folder / "ca.crt")
    assert "no TLS connection that can be trusted" in guarded.ask().detail
    other.sign_server(guarded.folder / "server.crt", guarded.folder / "server.key")
    guarded.shown.load_cert_chain(guarded.folder / "server.crt", guarded.folder / "server.key")
    assert guarded.ask().state is State.VALUE


def test_where_old_files_fail_the_new_ones_that_cannot_be_used_are_named(guarded: Guarded) -> None:
    guarded.ask()
    (guarded.folder / "ca.crt").write_text("no certificate")
    Authority().sign_server(guarded.folder / "server.crt", guarded.folder / "server.key")
    guarded.shown.load_cert_chain(guarded.folder / "server.crt", guarded.folder / "server.key")
    guarded.prometheus.close()
    told = guarded.ask().detail
    assert "no TLS connection that can be trusted" in told
    assert f"CA file {guarded.folder / 'ca.crt'} cannot be used" in told


def test_files_that_are_broken_from_the_beginning_are_named_until_they_are_mended(guarded: Guarded) -> None:
    (guarded.folder / "client.key").write_text("no key")
    failed = guarded.ask()
    assert failed.state is State.FAILED
    assert f"key {guarded.folder / 'client.key'} cannot be used" in failed.detail
    guarded.give("second")
    assert guarded.ask().state is State.VALUE


def test_an_encrypted_key_is_refused_and_asked_for_at_no_terminal(guarded: Guarded) -> None:
    path = guarded.folder / "client.key"
    key = load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"made up"))
    )
    assert "no PEM, or an encrypted key" in guarded.ask().detail
