"""A service in a process of its own, around which everything repeats what it was told, to look at its log.

leaky_child.py KUBECONFIG STORE_URL     serves on a port of its choice, which it prints
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import APIRouter, Depends
from guarded_service import GuardedService

from autoscaler.api.access.cluster_access import ClusterAccess
from autoscaler.api.access.rules import identified
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.log import Log, log_to_stderr
from autoscaler.store.store import Store


def main(kubeconfig: Path, store_url: str) -> None:
    """Serve until it is ended."""
    log_to_stderr(Log(level="debug"))
    store = Store.open(store_url, timeout_s=1.0)
    router = APIRouter(dependencies=[Depends(identified())])

    @router.get("/stored")
    def stored() -> list[str]:
        return [seen.workload for seen in store.workloads()]

    service = GuardedService(ClusterAccess(Cluster.connect(kubeconfig)), routers=(router,))
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    # As `autoscaler serve` does: what the server itself would log repeats paths and queries.
    config = uvicorn.Config(service.app, log_config=None, access_log=False, proxy_headers=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
