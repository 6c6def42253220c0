"""The whole service: every part made once, started and stopped in order."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from autoscaler.api.access.access import Access
from autoscaler.api.access.cluster_access import ClusterAccess
from autoscaler.api.access.token_file import TokenFile
from autoscaler.api.annotating import Annotations
from autoscaler.api.app import make_app
from autoscaler.api.configuration import Listen, ServeConfiguration
from autoscaler.api.fleet import Fleet
from autoscaler.api.parts import OverrideRefused, Overrides, Parts
from autoscaler.api.protection.slow_clients import impatient
from autoscaler.api.whatif.jobs import Jobs
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterConfigError
from autoscaler.garbage import spare_what_is_loaded
from autoscaler.store.store import Store

_LOG = structlog.get_logger(__name__)
_GRACE_S = 5
_KEPT_OPEN_S = 75
_MOST_CONNECTIONS = 2_000
_OTHER_FILES = 100
"""What else is open: the store's connections and files, pipes to other processes, the log."""


class Elsewhere:
    """`Overrides` where no cluster is known: they are then made with kubectl."""

    async def put(self, workload: str, text: str) -> None:
        """Refuse."""
        raise OverrideRefused("this service knows no cluster; annotate the resource with kubectl instead")

    async def remove(self, workload: str, text: str) -> bool:
        """Refuse."""
        raise OverrideRefused("this service knows no cluster; remove the annotation with kubectl instead")


def serve(configuration: ServeConfiguration, kubeconfig: Path | None = None, context: str = "") -> None:
    """Serve until SIGTERM or SIGINT.

    kubeconfig, context: how to reach the cluster from outside of it. Raises ClusterConfigError, or ValueError
    where another part cannot be made, each with one line that says why.
    """
    with ExitStack() as stack:
        listening = stack.enter_context(listening_socket(configuration.listen))
        parts = stack.enter_context(running_parts(configuration, kubeconfig, context))
        app = make_app(parts, configuration.listen.trusted_proxies)
        # Made once and kept: whoever asked for it first would hold up everybody else for as long.
        app.openapi()
        spare_what_is_loaded()
        _LOG.info("serving", address=configuration.listen.address, port=listening.getsockname()[1])
        server(app, configuration.listen).run(sockets=[listening])


@contextmanager
def running_parts(
    configuration: ServeConfiguration, kubeconfig: Path | None, context: str
) -> Iterator[Parts]:
    """The parts as configured, started, and stopped at the end."""
    with ExitStack() as stack:
        cluster = _cluster(configuration, kubeconfig, context)
        if cluster is not None:
            stack.callback(cluster.close)
        store = Store.open(configuration.store.url)
        stack.callback(store.close)
        fleet = Fleet(store)
        jobs = Jobs(configuration.what_if) if configuration.what_if.enabled else None
        parts = Parts(
            store=store,
            fleet=fleet,
            access=_access(configuration, cluster),
            overrides=_overrides(cluster),
            jobs=jobs,
            limits=configuration.limits,
        )
        fleet.start()
        stack.callback(fleet.stop)
        if jobs is not None:
            jobs.start()
            stack.callback(jobs.stop)
        yield parts


def server(app: FastAPI, listen: Listen) -> uvicorn.Server:
    """uvicorn around `app`. What it would log of requests, `protection/access_log.py` logs.

    Raises ValueError when the certificate cannot be used.
    """
    config = uvicorn.Config(
        app,
        http=impatient(_connections()),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ssl_certfile=listen.cert_file,
        ssl_keyfile=listen.key_file,
        timeout_keep_alive=_KEPT_OPEN_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    try:
        config.load()
    except OSError as error:
        raise ValueError(f"listen.certFile, listen.keyFile: cannot be used: {error}") from error
    return uvicorn.Server(config)


def _connections() -> int:
    """How many clients there may be at once: as many as the system lets this process have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_CONNECTIONS + _OTHER_FILES
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < possible:
        resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
    return max(1, possible - _OTHER_FILES)


@contextmanager
def listening_socket(listen: Listen) -> Iterator[socket.socket]:
    """The socket, so that a port that is taken is told before anything else is begun. Raises ValueError."""
    family = socket.AF_INET6 if ":" in listen.address else socket.AF_INET
    try:
        listening = socket.create_server((listen.address, listen.port), family=family, backlog=1024)
    except OSError as error:
        raise ValueError(
            f"port {listen.port} of {listen.address} cannot be served: {error.strerror or error}"
        ) from error
    with listening:
        yield listening


def _cluster(configuration: ServeConfiguration, kubeconfig: Path | None, context: str) -> Cluster | None:
    try:
        return Cluster.connect(kubeconfig, context)
    except ClusterConfigError:
        if configuration.authentication.kind == "cluster":
            raise
        # Callers come from a file, and overrides are refused.
        return None


def _access(configuration: ServeConfiguration, cluster: Cluster | None) -> Access:
    told = configuration.authentication
    if told.tokens_file is not None:
        return TokenFile(told.tokens_file)
    assert cluster is not None  # otherwise `_cluster` has raised
    return ClusterAccess(cluster, told.audiences)


def _overrides(cluster: Cluster | None) -> Overrides:
    return Elsewhere() if cluster is None else Annotations(cluster)
