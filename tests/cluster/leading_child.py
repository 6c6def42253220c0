"""A process that seeks a Lease and tells each change: python leading_child.py KUBECONFIG NAMESPACE TIMES."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.lease import Leadership


def main() -> None:
    """Never returns; ends when it is killed."""
    kubeconfig, namespace, times = sys.argv[1:]
    leadership = Leadership(
        Cluster.connect(Path(kubeconfig)), namespace, "lock", "child", **json.loads(times)
    )
    leadership.start()
    told = None
    while True:
        now = {"holds": leadership.holds(), "term": leadership.term}
        if now != told:
            print(json.dumps(now), flush=True)
            told = now
        time.sleep(0.002)


if __name__ == "__main__":
    main()
