"""The whole operator: every part made once, started and stopped in order. No part makes another."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from autoscaler.controller.acting.floors import abandoned, put_back
from autoscaler.controller.acting.rivals import Rivals
from autoscaler.controller.catalog import Catalog
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.discovery import Discovery
from autoscaler.controller.cluster.leader_label import LeaderLabel
from autoscaler.controller.cluster.lease import AlwaysLeading, Leader, Leadership
from autoscaler.controller.configuration import Configuration
from autoscaler.controller.deciding import NOT_MADE_YET, no_outlook
from autoscaler.controller.evaluation import Evaluation
from autoscaler.controller.forecasts.request import ForecastRequest, forecast_request
from autoscaler.controller.forecasts.service import Forecasts
from autoscaler.controller.looking import Looking
from autoscaler.controller.loop import Loop
from autoscaler.controller.observing.pods import PodIndex
from autoscaler.controller.observing.sources import MetricSources
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.telling.events import Recorder
from autoscaler.controller.telling.ledger import StoreLedger
from autoscaler.controller.telling.metrics import Metrics
from autoscaler.controller.telling.part_figures import export_forecasts, export_journal, export_sources
from autoscaler.controller.telling.reporting import Reporter
from autoscaler.controller.telling.server import HealthServer
from autoscaler.controller.watches import Watches
from autoscaler.planning.curve import Curve
from autoscaler.planning.observation import Outlook
from autoscaler.store.journal import Journal
from autoscaler.store.store import Store

_LOG = structlog.get_logger(__name__)
_SLOTS = 5
_REQUESTS_AT_ONCE = 8
_STUCK_PERIODS = 6
_STUCK_S = 60.0
_SETTLING_S = 30.0
_FINISHING_S = 5.0
_ENDS_WITHIN_S = 9.0
_LISTENS_EVERY_S = 0.5


class Operator:
    """Runs until SIGTERM or SIGINT. `port` is where health and metrics are served.

    kubeconfig, context: how to reach the cluster from outside of it.
    """

    def __init__(
        self, configuration: Configuration, kubeconfig: Path | None = None, context: str = ""
    ) -> None:
        self._configuration = configuration
        self._metrics = metrics = Metrics(configuration.period_s)
        self._identity = f"{socket.gethostname()}_{uuid.uuid4()}"

        def connect() -> Cluster:
            return Cluster.connect(kubeconfig, context, on_request=metrics.requested)

        # Separate connections, so that neither statuses nor watches can keep a scale write or the
        # renewal of the lease waiting.
        self._cluster, watching, reporting = connect(), connect(), connect()
        self._clusters = [self._cluster, watching, reporting]
        self._pods, self._rivals = PodIndex(), Rivals()
        self._catalog = Catalog(_SLOTS, self._rivals)
        self._watches = Watches(
            watching, configuration.watch_namespaces, self._catalog, self._pods, self._rivals
        )
        self._sources = MetricSources.of(configuration.sources, configuration.period_s / 2)
        self._forecasts = Forecasts(
            configuration.forecasts.history_folder, model_folder=configuration.forecasts.model_folder
        )
        self._journal = Journal(
            lambda: Store.open(configuration.store.url), retention=configuration.store.limits()
        )
        self._ledger = StoreLedger(self._journal, self._forecasts.fan)
        self._leader = self._elected(connect())
        self._label = self._labelled(reporting)
        self._recorder = Recorder(reporting, self._identity)
        self._reporter = Reporter(
            reporting, self._leader, self._recorder, self._forecasts.fan, self._store_is_down
        )
        self._pool = ThreadPoolExecutor(_REQUESTS_AT_ONCE, thread_name_prefix="evaluate")
        self._discovery = Discovery(self._cluster)
        self._loop = Loop(
            self._catalog,
            self._sources,
            Evaluation(
                cluster=self._cluster,
                looking=Looking(self._cluster, self._discovery, self._pods, self._catalog.__len__, time.time),
                rivals=self._rivals,
                outlooks=_Outlooks(self._forecasts),
                ledger=self._ledger,
                leading=self._leader,
                stands=self._catalog.stands,
                pool=self._pool,
                blindness=self._watches.blind,
            ),
            self._leader,
            _Announcer(metrics, self._reporter, self._ledger),
            self._ledger.take_over,
            self._ledger.memory,
            self._keep_house,
            configuration.period_s,
            self._ledger.writes,
            self._ledger.shadow,
        )
        self._server = HealthServer(
            configuration.server.address,
            configuration.server.port,
            alive=self._stuck,
            ready=self._watches.problem,
            metrics=metrics.text,
        )
        self._export()
        self._stopping = threading.Event()

    @property
    def port(self) -> int:
        """Where health and metrics are served."""
        return self._server.port

    def run(self) -> None:
        """Start everything, wait for a signal, and stop within ten seconds of it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        self.start()
        # Python handles a signal in this thread, which it does not wake for one that another thread received.
        while not self._stopping.wait(_LISTENS_EVERY_S):
            pass
        # Whatever may hang now, a log that nobody reads included: the lease is not renewed any more, and the
        # pod must not be killed for it.
        last_resort = threading.Timer(_ENDS_WITHIN_S, os._exit, (1,))
        last_resort.daemon = True
        last_resort.start()
        _LOG.info("stopping")
        self.stop()
        last_resort.cancel()

    def start(self) -> None:
        """Start every part; leadership is sought once it is known what there is in the cluster."""
        self._server.start()
        self._journal.start()
        self._watches.start()
        self._forecasts.start()
        self._settle()
        self._leader.start()
        if self._label is not None:
            self._label.start()
        self._loop.start()
        _LOG.info("started", identity=self._identity, port=self.port, resources=len(self._catalog))

    def stop(self) -> None:
        """Finish what is being evaluated and told, give up the lease, and end every part."""
        self._loop.stop()
        finishing = threading.Thread(target=self._sources.close, daemon=True)
        finishing.start()
        finishing.join(_FINISHING_S)
        self._reporter.stop()
        self._leader.stop()
        if self._label is not None:
            self._label.stop()
        self._recorder.stop()
        self._forecasts.stop()
        self._watches.stop()
        self._journal.close(2.0)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._server.stop()
        for cluster in self._clusters:
            cluster.close()

    def _elected(self, cluster: Cluster) -> Leader:
        wanted = self._configuration.leader_election
        self._clusters.append(cluster)
        if not wanted.enabled:
            return AlwaysLeading(self._identity)
        return Leadership(
            cluster,
            wanted.namespace or cluster.namespace,
            wanted.name,
            self._identity,
            lease_s=wanted.lease_duration_s,
            renew_deadline_s=wanted.renew_deadline_s,
            retry_s=wanted.retry_period_s,
        )

    def _labelled(self, cluster: Cluster) -> LeaderLabel | None:
        if not self._configuration.leader_election.label_pod:
            return None
        pod = os.environ.get("POD_NAME") or socket.gethostname()
        return LeaderLabel(cluster, cluster.namespace, pod, self._leader)

    def _settle(self) -> None:
        """Wait until the first lists are there, or it is known why not: decisions made blind only hold."""
        give_up_s = time.monotonic() + _SETTLING_S
        while not self._watches.settled() and time.monotonic() < give_up_s and not self._stopping.wait(0.05):
            pass

    def _store_is_down(self) -> bool:
        return self._journal.condition.is_down

    def _keep_house(self) -> None:
        self._forecasts.set_requests(self._requests())
        # Those that went just now, and those that went while nobody led.
        self._ledger.drop([key for key in self._journal.shown() if self._is_gone(key)])
        for scaler in abandoned(self._rivals, self._catalog):
            if self._watches.sees_resources(scaler.namespace):
                self._pool.submit(put_back, self._cluster, self._discovery, scaler, self._leader)

    def _is_gone(self, key: str) -> bool:
        namespace, _, _ = key.partition("/")
        return self._catalog.get(key) is None and self._watches.sees_resources(namespace)

    def _requests(self) -> dict[str, ForecastRequest]:
        wanted: dict[str, ForecastRequest] = {}
        for workload in self._catalog.all():
            source = self._sources.named(workload.spec.load.source) if workload.spec is not None else None
            if workload.resource is None or source is None or workload.deleting:
                continue
            lead_time_s, per_replica = self._loop.lead_time_s(workload), self._loop.per_replica(workload)
            request = forecast_request(
                workload.key, workload.resource, source.connection, lead_time_s, per_replica
            )
            if request is not None:
                wanted[workload.key] = request
        return wanted

    def _stuck(self) -> str:
        """Why the process should be replaced. Followers, and leaders without resources, are well."""
        idle_s = self._loop.idle_s()
        longest_s = max(_STUCK_S, _STUCK_PERIODS * self._configuration.period_s)
        return f"no decision was completed for {idle_s:.0f} s" if idle_s > longest_s else ""

    def _export(self) -> None:
        watch = self._metrics.watch
        watch("leader", "1 while this process leads.", lambda: float(self._leader.holds()))
        watch("resources", "PredictiveAutoscalers known.", lambda: float(len(self._catalog)))
        watch(
            "namespaces_unseen",
            "Watched namespaces of which resources, pods or other autoscalers cannot be seen.",
            lambda: float(self._watches.namespaces_unseen()),
        )
        watch("idle_seconds", "Time since a decision was last completed.", self._loop.idle_s)
        watch(
            "status_write_failures",
            "Statuses that could not be written.",
            lambda: float(self._reporter.failed),
        )
        export_forecasts(self._metrics, self._forecasts)
        export_journal(self._metrics, self._journal)
        export_sources(self._metrics, self._sources)


class _Outlooks:
    """Forecasts as evaluations ask for them."""

    def __init__(self, forecasts: Forecasts) -> None:
        self._forecasts = forecasts

    def outlook(
        self, key: str, now_s: float, lead_time_s: float, quantile: float, headroom: float = 1.0
    ) -> Outlook:
        fan = self._forecasts.fan(key)
        if fan is None:
            return no_outlook(self._forecasts.failure(key) or NOT_MADE_YET)
        return fan.outlook(now_s, lead_time_s, quantile, headroom)

    def curve(self, key: str) -> Curve | None:
        fan = self._forecasts.fan(key)
        return None if fan is None else fan.curve


class _Announcer:
    """Passes on what came of evaluations to everybody who shows it."""

    def __init__(self, metrics: Metrics, reporter: Reporter, ledger: StoreLedger) -> None:
        self._metrics = metrics
        self._reporter = reporter
        self._ledger = ledger

    def evaluated(
        self, source: str, outcomes: Sequence[Outcome], running: Sequence[Running], took_s: float
    ) -> None:
        self._metrics.evaluated(source, outcomes, running, took_s)
        for outcome, one in zip(outcomes, running, strict=True):
            if outcome.write in (Write.DONE, Write.FAILED, Write.UNKNOWN):
                _log_write(outcome)
            try:
                self._reporter.report(outcome, one)
            except Exception:  # noqa: BLE001 - what cannot be told of one must not keep others from being told
                _LOG.exception("outcome not reported", resource=outcome.workload.key)

    def skipped(self, source: str, workloads: Sequence[Workload]) -> None:
        self._metrics.skipped(source, workloads)
        _LOG.debug("evaluations left out: the source is busy", source=source, resources=len(workloads))

    def gone(self, key: str | None) -> None:
        self._metrics.gone(key)
        self._reporter.forget(key)
        if key is not None:
            self._ledger.forget(key)


def _log_write(outcome: Outcome) -> None:
    before = outcome.setting.replicas if outcome.setting is not None else None
    known = {
        "resource": outcome.workload.key,
        "decision": outcome.id,
        "before": before,
        "after": outcome.count,
    }
    if outcome.fault is None:
        _LOG.info("scaled", **known)
    else:
        _LOG.warning("not scaled", **known, reason=outcome.fault.reason, error=outcome.fault.message)
