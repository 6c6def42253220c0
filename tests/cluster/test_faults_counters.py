"""Counters that begin again at zero, all at once, as a rollout or a restart of every pod makes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import crd
import pytest
from audit import Audit
from control_plane import ControlPlane, wait_until
from live_prometheus import LivePrometheus, Sample
from operator_process import OperatorProcess, Resources

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow, pytest.mark.timeout(240)]

_PODS = 4
_RATE_S, _WINDOW_S = 5, 9
"""What the query looks back on; what stabilisation does, which is longer, as docs/operator.md asks for."""


class _Counters:
    """Counts `per_s` requests a second in all of four pods, and tells Prometheus twice a second."""

    def __init__(self, prometheus: LivePrometheus, name: str, per_s: float) -> None:
        self.per_s = per_s
        self._prometheus, self._name = prometheus, name
        self._counted, self._told_s = 0.0, time.time()
        self._generation = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> _Counters:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def begin_again(self, *, as_other_pods: bool) -> None:
        """Every counter is zero again, under its old name or under that of a new pod."""
        with self._lock:
            self._counted = 0.0
            self._generation += as_other_pods

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            with self._lock:
                now_s = time.time()
                self._counted += self.per_s / _PODS * (now_s - self._told_s)
                self._told_s = now_s
                pods = [f"web-{self._generation}-{number}" for number in range(_PODS)]
                self._prometheus.push(
                    *(Sample(self._name, {"pod": pod}, self._counted, now_s) for pod in pods)
                )


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.mark.parametrize("as_other_pods", [False, True], ids=["same-pods", "other-pods"])
def test_counters_that_all_begin_again_at_once_change_no_count(
    as_other_pods: bool,
    control_plane: ControlPlane,
    namespace: str,
    prometheus: LivePrometheus,
    tmp_path: Path,
) -> None:
    crd.install(control_plane)
    name = "others_total" if as_other_pods else "same_total"
    query = f"sum(rate({name}[{_RATE_S}s]))"
    control_plane.deployment("web", namespace, 4, start_up="500ms")
    resources = Resources(control_plane, namespace)
    behavior = {"scaleDown": {"stabilizationWindowSeconds": _WINDOW_S}}
    with (
        _Counters(prometheus, name, 36.0) as counters,
        Audit(control_plane, namespace) as audit,
        OperatorProcess(tmp_path, control_plane.kubeconfig(), prometheus.url, watchNamespaces=[namespace]),
    ):
        time.sleep(_RATE_S + 1)
        resources.create("web", load={"query": query, "perReplica": 10, "maxAge": "5s"}, behavior=behavior)
        resources.wait_for("web", "SignalsHealthy", "True", "AllKnown")
        time.sleep(_WINDOW_S)
        counters.begin_again(as_other_pods=as_other_pods)
        began_s = time.monotonic()
        rates = []
        while time.monotonic() < began_s + _RATE_S + _WINDOW_S + 2:
            rates += [(time.monotonic() - began_s, rate) for rate in prometheus.query(query).values()]
            time.sleep(0.25)
        print("\nper second:", ", ".join(f"{rate:.1f}" for _, rate in rates))
        assert audit.counts("web") == [4]
        assert max(rate for _, rate in rates) <= 40.0, "no spike"
        assert min(rate for at_s, rate in rates if at_s > _RATE_S + 1) > 30.0, "no dip beyond one window"
        assert resources.condition("web", "SignalsHealthy")["status"] == "True"
        counters.per_s = 12.0
        wait_until(lambda: control_plane.replicas("web", namespace) == 2, 40, "2 for a load of 12")
