"""The service's own configuration: one YAML file that its administrator writes."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from autoscaler.log import Log
from autoscaler.settings_file import Section, read_settings
from autoscaler.spec.units import Duration
from autoscaler.store_settings import StoreSettings

Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Listen(Section):
    """Where the service listens. certFile, keyFile: for TLS; without them, something in front has to do it.

    trustedProxies: addresses or networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    """

    address: str = "0.0.0.0"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8443
    cert_file: Path | None = None
    key_file: Path | None = None
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("certFile and keyFile belong together: give both, or neither")
        return self


class Authentication(Section):
    """Who may call. kind: `cluster` asks Kubernetes who a token belongs to and what they may; `tokens` knows
    the tokens of a file. audiences: which a token has to be made for; empty: the API server's own."""

    kind: Literal["cluster", "tokens"] = "cluster"
    audiences: tuple[str, ...] = ()
    tokens_file: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "tokens") != (self.tokens_file is not None):
            raise ValueError("tokensFile is for kind tokens, which needs it")
        return self


class Limits(Section):
    """What one caller may ask for.

    requests_per_minute: by one caller; anonymous_per_minute: by one address before it is known who calls.
    body_bytes: of one request. deadline_s: for one answer. streams: clients of `/watch` at once.
    """

    requests_per_minute: Count = 1200
    anonymous_per_minute: Count = 240
    body_bytes: Count = 256 * 1024
    deadline_s: Duration = Field("10s", validate_default=True)
    streams: Count = 200


class WhatIf(Section):
    """Backtests on a workload's own history, in a process of their own.

    queued: jobs that may wait, of all callers; per_caller: jobs of one caller that wait or run.
    deadline_s, memory_mib: for one job.
    """

    enabled: bool = True
    queued: Count = 16
    per_caller: Count = 2
    deadline_s: Duration = Field("5m", validate_default=True)
    memory_mib: Annotated[int, Field(ge=256, le=65_536)] = 1024


class ServeConfiguration(Section):
    """Everything that is set when the service starts.

    store: as in the operator's configuration. What it says of keeping is the operator's to do.
    """

    store: StoreSettings
    listen: Listen = Listen()
    authentication: Authentication = Authentication()
    limits: Limits = Limits()
    what_if: WhatIf = WhatIf()
    log: Log = Log()


def read_serve_configuration(path: Path) -> ServeConfiguration:
    """The configuration in the file at `path`. Raises ConfigurationError, one line per fault."""
    return read_settings(path, ServeConfiguration, "'store'")
