"""`autoscaler run`: the operator itself."""

from __future__ import annotations

from pathlib import Path

from autoscaler.controller.cluster.errors import ClusterConfigError
from autoscaler.controller.configuration import Configuration, read_configuration
from autoscaler.controller.operator import Operator
from autoscaler.garbage import spare_what_is_loaded
from autoscaler.log import log_to_stderr
from autoscaler.settings_file import ConfigurationError
from autoscaler.signals.errors import InputError


def run(config: Path, kubeconfig: Path | None, context: str) -> None:
    """Run until SIGTERM or SIGINT. Raises InputError for what cannot be used."""
    try:
        configuration = read_configuration(config)
        log_to_stderr(configuration.log)
        operator = _operator(configuration, kubeconfig, context)
    except (ConfigurationError, ClusterConfigError) as error:
        raise InputError(str(error)) from error
    spare_what_is_loaded()
    operator.run()


def _operator(configuration: Configuration, kubeconfig: Path | None, context: str) -> Operator:
    try:
        return Operator(configuration, kubeconfig, context)
    except OSError as error:
        server = configuration.server
        raise InputError(
            f"port {server.port} of {server.address} cannot be served: {error.strerror}"
        ) from error
