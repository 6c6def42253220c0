"""`autoscaler run`: the operator itself."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import structlog

from autoscaler.controller.cluster.errors import ClusterConfigError
from autoscaler.controller.configuration import Configuration, ConfigurationError, Log, read_configuration
from autoscaler.controller.operator import Operator
from autoscaler.signals.errors import InputError

# Without the values of local variables: an error must not carry a secret into the log.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def run(config: Path, kubeconfig: Path | None, context: str) -> None:
    """Run until SIGTERM or SIGINT. Raises InputError for what cannot be used."""
    try:
        configuration = read_configuration(config)
        _log_to_stderr(configuration.log)
        operator = _operator(configuration, kubeconfig, context)
    except (ConfigurationError, ClusterConfigError) as error:
        raise InputError(str(error)) from error
    operator.run()


def _operator(configuration: Configuration, kubeconfig: Path | None, context: str) -> Operator:
    try:
        return Operator(configuration, kubeconfig, context)
    except OSError as error:
        server = configuration.server
        raise InputError(
            f"port {server.port} of {server.address} cannot be served: {error.strerror}"
        ) from error


def _log_to_stderr(log: Log) -> None:
    """One line per entry, ours and those of libraries alike: JSON for machines, colours for people."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[structlog.typing.Processor] = (
        [_TRACEBACKS, structlog.processors.JSONRenderer()]
        if log.format == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(level=log.level.upper(), handlers=[handler], force=True)
    for chatty in ("urllib3", "kubernetes", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
