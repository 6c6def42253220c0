"""The operator ends when it is asked to."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import crd
import pytest
from control_plane import ControlPlane
from operator_process import OperatorProcess
from waiting import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_it_ends_whichever_of_its_threads_the_signal_reaches(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    crd.install(control_plane)
    with OperatorProcess(
        tmp_path / "operator", control_plane.kubeconfig(), "http://127.0.0.1:9", watchNamespaces=[namespace]
    ) as operator:
        main = operator.process.pid
        threads = [int(thread.name) for thread in Path(f"/proc/{main}/task").iterdir()]
        os.kill(next(thread for thread in threads if thread != main), signal.SIGTERM)
        wait_until(lambda: operator.process.exit_status is not None, 12, "it to end")
        assert operator.process.exit_status == 0
