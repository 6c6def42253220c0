"""The operator's own configuration: one YAML file that its administrator writes.

Where metrics come from is decided here and nowhere else: a resource may only name a source, so
nobody who may create resources can choose where our credentials go.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from autoscaler.log import Log
from autoscaler.settings_file import Section, read_settings
from autoscaler.signals.errors import InputError
from autoscaler.signals.settings import ConnectionSettings
from autoscaler.spec.signals import Label
from autoscaler.spec.units import Duration
from autoscaler.store_settings import StoreSettings

_LEAST_LEFT_S = 5.0
"""A write is begun only while it is sure to end within the lease, and may take four seconds."""


class Source(Section):
    """One Prometheus, or anything with its query API."""

    name: Label = "default"
    url: str
    token_file: Path | None = None
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    method: Literal["GET", "POST"] = "POST"
    timeout_s: Duration = Field("10s", validate_default=True)

    def connection(self) -> ConnectionSettings:
        """How to reach it. Raises InputError for what cannot work, such as a missing file."""
        return ConnectionSettings(
            self.url,
            bearer_token_file=self.token_file,
            basic_user=self.user,
            basic_password_file=self.password_file,
            ca_file=self.ca_file,
            cert_file=self.cert_file,
            key_file=self.key_file,
            headers=self.headers,
            connect_timeout_s=min(5.0, self.timeout_s),
            read_timeout_s=self.timeout_s,
            total_timeout_s=self.timeout_s,
            method=self.method,
            follow_clock=True,
        )


class LeaderElection(Section):
    """Which of several replicas of the operator acts; client-go's settings and defaults.

    label_pod: put a label on the pod that leads, for a Service that is to reach only that one.
    """

    enabled: bool = True
    label_pod: bool = False
    namespace: str = ""
    name: str = "predictive-autoscaler"
    lease_duration_s: Duration = Field("15s", validate_default=True)
    renew_deadline_s: Duration = Field("10s", validate_default=True)
    retry_period_s: Duration = Field("2s", validate_default=True)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.lease_duration_s > self.renew_deadline_s > self.retry_period_s > 0:
            raise ValueError("must have leaseDuration > renewDeadline > retryPeriod > 0s")
        if self.renew_deadline_s - self.retry_period_s < _LEAST_LEFT_S:
            raise ValueError(
                f"renewDeadline must be at least {_LEAST_LEFT_S:g}s longer than retryPeriod: "
                "no count is written while the lease might end before the answer"
            )
        return self


class StoreSection(StoreSettings):
    """Where decisions are kept, and for how long."""

    url: str = "sqlite:///predictive-autoscaler.db"


class Forecasts(Section):
    """history_folder: where histories are kept between two fits; empty: read anew each time. model_folder:
    where `autoscaler train` puts the shared model; empty: the shipped one."""

    history_folder: Path | None = None
    model_folder: Path | None = None


class Server(Section):
    """Where health and metrics are served."""

    address: str = "0.0.0.0"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080


class Configuration(Section):
    """Everything that is set when the operator starts.

    sources: the first is the default one. watch_namespaces: empty for all. period_s: how often each
    resource is evaluated.
    """

    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=64)]
    watch_namespaces: tuple[str, ...] = ()
    period_s: Duration = Field("15s", validate_default=True)
    leader_election: LeaderElection = LeaderElection()
    store: StoreSection = StoreSection()
    forecasts: Forecasts = Forecasts()
    server: Server = Server()
    log: Log = Log()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError("names of sources must be unique")
        if not 1.0 <= self.period_s <= 300.0:
            raise ValueError("period must be between 1s and 5m")
        for source in self.sources:
            try:
                source.connection()
            except InputError as error:
                raise ValueError(f"source {source.name}: {_as_written(str(error))}") from error
        return self


def read_configuration(path: Path) -> Configuration:
    """The configuration in the file at `path`. Raises ConfigurationError, one line per fault."""
    return read_settings(path, Configuration, "'sources'")


_WRITTEN = {
    "bearer_token_file": "tokenFile",
    "basic_password_file": "passwordFile",
    "ca_file": "caFile",
    "cert_file": "certFile",
    "key_file": "keyFile",
}
"""Keys of the file by the names that a connection has for them."""


def _as_written(told: str) -> str:
    for ours, theirs in _WRITTEN.items():
        told = told.replace(ours, theirs)
    return told
