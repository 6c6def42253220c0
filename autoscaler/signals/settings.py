"""How to reach one Prometheus: address, credentials, and bounds on time and size."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from autoscaler.signals.errors import InputError

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_OWN_HEADERS = frozenset(
    {"authorization", "host", "content-length", "content-type", "transfer-encoding", "connection", "cookie"}
)


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Address, credentials and bounds. Secrets are named by file and read when used.

    url: scheme, host and optional path, as in `http://prometheus:9090`. Credentials inside it are
    refused. bearer_token_file: read again whenever it changes. basic_user with basic_password_file:
    basic authentication. ca_file: PEM of the authorities to trust instead of the public ones.
    cert_file with key_file: client certificate. headers: sent along, such as `X-Scope-OrgID`.
    total_timeout_s: for one question with all its retries. max_bytes: most a single answer may
    hold, compressed or not. method: `GET` where only reading is allowed to us. max_points: steps
    asked for in one range. follow_clock: notice where the server's clock differs from ours, and ask it in
    its own time; all times outside stay ours.

    Raises InputError for what cannot work.
    """

    url: str
    bearer_token_file: Path | None = None
    basic_user: str = ""
    basic_password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 15.0
    total_timeout_s: float = 30.0
    max_bytes: int = 64 * 2**20
    retries: int = 2
    method: str = "POST"
    max_points: int = 10_000
    follow_clock: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", _checked_url(self.url))
        _check_headers(self.headers)
        _check_files(self)
        if bool(self.basic_user) != bool(self.basic_password_file):
            raise InputError("Prometheus: basic authentication needs a user and a password file; give both")
        if self.bearer_token_file and self.basic_user:
            raise InputError("Prometheus: give a bearer token or basic authentication, not both")
        if self.key_file and not self.cert_file:
            raise InputError("Prometheus: a key file needs its client certificate; give the certificate file")
        if self.method not in ("GET", "POST"):
            raise InputError(f"Prometheus: method {self.method!r} is neither GET nor POST")
        for name in ("connect_timeout_s", "read_timeout_s", "total_timeout_s", "max_bytes", "max_points"):
            if not 0 < getattr(self, name) < 1e12:
                raise InputError(f"Prometheus: {name} must be above 0")


def settings_from_environment(url: str, environment: Mapping[str, str] | None = None) -> ConnectionSettings:
    """Settings for the command line: `url`, and what the `PROMETHEUS_...` variables name.

    PROMETHEUS_TOKEN_FILE, PROMETHEUS_USER, PROMETHEUS_PASSWORD_FILE, PROMETHEUS_CA_FILE,
    PROMETHEUS_CERT_FILE, PROMETHEUS_KEY_FILE, PROMETHEUS_METHOD; PROMETHEUS_HEADERS holds
    `Name: value` pairs separated by semicolons. Raises InputError.
    """
    given = os.environ if environment is None else environment

    def file(name: str) -> Path | None:
        return Path(given[name]) if given.get(name) else None

    return ConnectionSettings(
        url,
        bearer_token_file=file("PROMETHEUS_TOKEN_FILE"),
        basic_user=given.get("PROMETHEUS_USER", ""),
        basic_password_file=file("PROMETHEUS_PASSWORD_FILE"),
        ca_file=file("PROMETHEUS_CA_FILE"),
        cert_file=file("PROMETHEUS_CERT_FILE"),
        key_file=file("PROMETHEUS_KEY_FILE"),
        headers=_headers(given.get("PROMETHEUS_HEADERS", "")),
        method=given.get("PROMETHEUS_METHOD") or "POST",
    )


def _headers(text: str) -> dict[str, str]:
    headers = {}
    for pair in filter(None, (part.strip() for part in text.split(";"))):
        name, colon, value = pair.partition(":")
        if not colon:
            raise InputError("PROMETHEUS_HEADERS holds no 'Name: value' pairs; separate them by semicolons")
        headers[name.strip()] = value.strip()
    return headers


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError as error:
        raise InputError("Prometheus: the URL cannot be read; write it as http://host:9090") from error
    # The URL is not repeated in messages before it is known to hold no password.
    if parts.username is not None or parts.password is not None:
        raise InputError("Prometheus: the URL holds credentials; give user and password file instead")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_one:
        raise InputError(f"Prometheus: {url[:80]!r} is no http(s) URL; write it as http://host:9090")
    if parts.query or parts.fragment or any(c.isspace() or not c.isprintable() for c in url):
        raise InputError(f"Prometheus: {url[:80]!r} holds more than scheme, host and path; cut the rest")
    return url.rstrip("/")


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise InputError(f"Prometheus: header {name[:40]!r} is malformed; use one line of plain ASCII")
        if name.lower() in _OWN_HEADERS:
            raise InputError(f"Prometheus: header {name!r} is set by the connection itself; leave it out")


def _check_files(settings: ConnectionSettings) -> None:
    for name in ("bearer_token_file", "basic_password_file", "ca_file", "cert_file", "key_file"):
        path = getattr(settings, name)
        if path is not None and not Path(path).is_file():
            raise InputError(f"Prometheus: {name} {path} is no file; check the path")
