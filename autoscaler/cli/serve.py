"""`autoscaler serve`: the REST API and the web page."""

from __future__ import annotations

from pathlib import Path

from autoscaler.api.configuration import read_serve_configuration
from autoscaler.api.service import serve as serve_until_stopped
from autoscaler.controller.cluster.errors import ClusterConfigError
from autoscaler.log import log_to_stderr
from autoscaler.settings_file import ConfigurationError
from autoscaler.signals.errors import InputError


def serve(config: Path, kubeconfig: Path | None, context: str) -> None:
    """Serve until SIGTERM or SIGINT. Raises InputError for what cannot be used."""
    try:
        configuration = read_serve_configuration(config)
        log_to_stderr(configuration.log)
        serve_until_stopped(configuration, kubeconfig, context)
    except (ConfigurationError, ClusterConfigError, ValueError) as error:
        raise InputError(str(error)) from error
