"""Tables are upgraded under operators and services, who go on: decided, answered, and nothing lost."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic import command
from control_plane import ControlPlane, wait_until
from custom_kinds import install_ours
from live_prometheus import LivePrometheus
from next_release import make_next_release, newest_revision
from operator_pair import LEASE_S, RENEW_S, RETRY_S
from operator_process import OperatorProcess, Resources, SteadyLoad
from real_postgresql import RealPostgresql, running_postgresql
from rowmaking import decision, memory, observed
from service_process import ServiceProcess

from autoscaler.store.engine import WRITING
from autoscaler.store.migrating import alembic_config
from autoscaler.store.store import Store

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.prometheus,
    pytest.mark.postgresql,
    pytest.mark.slow,
    pytest.mark.timeout(240),
]

_BEFORE = "0002"
"""A revision of the tables that there was, older than the newest."""

_LOCKED_S = 9.0
"""Longer than a statement waits for a lock."""

_HOUR_S = 3600.0


@pytest.fixture(scope="module")
def postgresql() -> Iterator[RealPostgresql]:
    with running_postgresql() as server:
        yield server


class Rollout:
    """`web` under a load, and operators with one lease and services that come and go on one database."""

    def __init__(
        self, plane: ControlPlane, namespace: str, url: str, folder: Path, prometheus: LivePrometheus
    ) -> None:
        self.plane, self.namespace, self.url = plane, namespace, url
        self._folder, self._prometheus = folder, prometheus
        self._load = SteadyLoad(prometheus, {"load_web": 35.0})
        self._wanted = 4
        self._lease = f"upgrade-{secrets.token_hex(4)}"

    def __enter__(self) -> Rollout:
        self.plane.deployment("web", self.namespace, 1, start_up="100ms")
        Resources(self.plane, self.namespace).create("web")
        with ExitStack() as stack:
            stack.enter_context(self._load)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def operator(self, launcher: Sequence[str] = ()) -> OperatorProcess:
        """One more replica, as the chart configures it; it runs when this returns."""
        election = {
            "enabled": True,
            "namespace": "default",
            "name": self._lease,
            "leaseDuration": f"{LEASE_S:g}s",
            "renewDeadline": f"{RENEW_S:g}s",
            "retryPeriod": f"{RETRY_S * 1000:g}ms",
        }
        return self._stack.enter_context(
            OperatorProcess(
                self._folder / f"operator-{secrets.token_hex(4)}",
                self.plane.kubeconfig(),
                self._prometheus.url,
                launcher,
                store={"url": self.url},
                watchNamespaces=[self.namespace],
                leaderElection=election,
            )
        )

    def service(self, launcher: Sequence[str] = ()) -> ServiceProcess:
        """One more replica; it is started, and not ready yet."""
        folder = self._folder / f"service-{secrets.token_hex(4)}"
        made = ServiceProcess(folder, self.plane.kubeconfig(), self.url, launcher)
        self._stack.callback(made.stop)
        made.process.start()
        return made

    def scaled(self) -> None:
        """Wait until there are as many replicas as the load needs."""
        wait_until(
            lambda: self.plane.replicas("web", self.namespace) == self._wanted, 40, f"{self._wanted} replicas"
        )

    def ask_for_one_more(self) -> None:
        """Raise the load by what one more replica serves, and wait until there is one."""
        self._wanted += 1
        self._load.values["load_web"] += 10.0
        self.scaled()

    def changes(self) -> list[tuple[int, int]]:
        """Counts before and after, of every change that the store says was carried out, in the order of
        their identifiers."""
        query = (
            'SELECT "before", "after" FROM decisions JOIN workloads ON workloads.id = workload_id'
            " WHERE name = 'web' AND outcome = 'Done' AND \"before\" <> \"after\" ORDER BY decisions.id"
        )
        with psycopg.connect(self.url) as connection:
            return [(int(before), int(after)) for before, after in connection.execute(query)]

    def all_is_told(self) -> bool:
        """Whether the store leads from the first count to the last without a gap."""
        changes = self.changes()
        counts = [1, *(after for _, after in changes)]
        return [before for before, _ in changes] == counts[:-1] and counts[-1] == self._wanted

    def revision(self) -> str:
        """Of the tables, as others see it."""
        with psycopg.connect(self.url) as connection:
            ((found,),) = connection.execute("SELECT version_num FROM alembic_version").fetchall()
            return str(found)

    def locked(self, table: str) -> bool:
        """Whether somebody keeps even readers of a table out."""
        query = (
            "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock'"
            f" AND relation = '{table}'::regclass"
        )
        with psycopg.connect(self.url) as connection:
            ((found,),) = connection.execute(query.encode()).fetchall()
            return int(found) > 0

    def shown(self, service: ServiceProcess) -> list[str]:
        """Identifiers of the decisions that a service shows, oldest first."""
        answer = service.ask("GET", "/api/v1/decisions?limit=500", self.plane.admin_token)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]][::-1]


class _Asking:
    """Asks services for decisions and for workloads over and over while the context lasts.

    seen: how often each path was answered with which status and code.
    """

    def __init__(self, token: str, *services: ServiceProcess) -> None:
        self.seen: Counter[tuple[str, int, str]] = Counter()
        self._token, self._stop = token, threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(each, path), daemon=True)
            for each in services
            for path in ("decisions", "workloads")
        ]

    def __enter__(self) -> _Asking:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _run(self, service: ServiceProcess, path: str) -> None:
        while not self._stop.wait(0.1):
            answer = service.ask("GET", f"/api/v1/{path}", self._token)
            code = "" if answer.status_code == 200 else answer.json()["code"]
            self.seen[path, answer.status_code, code] += 1


def _spooled(operator: OperatorProcess) -> float:
    return operator.metrics()["predictive_autoscaler_journal_spooled_rows"]


def _says_that_it_knows_nothing(rollout: Rollout, service: ServiceProcess) -> bool:
    listed = service.ask("GET", "/api/v1/workloads", rollout.plane.admin_token).json()
    return listed["items"] == [] and listed["metadata"]["outdatedSince"] is not None


def _leads(operator: OperatorProcess) -> bool:
    return operator.metrics()["predictive_autoscaler_leader"] == 1.0


@pytest.fixture
def rollout(
    control_plane: ControlPlane, namespace: str, postgresql: RealPostgresql, tmp_path: Path
) -> Iterator[Rollout]:
    install_ours(control_plane)
    url = postgresql.url(postgresql.new_database())
    with (
        LivePrometheus(tmp_path / "prometheus") as prometheus,
        Rollout(control_plane, namespace, url, tmp_path, prometheus) as made,
    ):
        yield made


def _fill_as_the_release_before(url: str) -> list[str]:
    """Tables of an older revision with a day in them; the identifiers of its decisions, oldest first."""
    store = Store.open(url)
    store.migrate()
    now_s = time.time()
    made = [decision(now_s - 60 * (200 - number)) for number in range(100)]
    store.write([*made, memory(now_s - _HOUR_S), *(observed(each.at_s) for each in made)])
    with store.engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
        command.downgrade(alembic_config(connection), _BEFORE)
    store.close()
    return [each.id for each in made]


@contextmanager
def _nobody_can_finish_a_migration(url: str) -> Iterator[None]:
    """The number of the revision can be read, and not be changed."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE alembic_version IN SHARE MODE")
        yield


def test_operators_decide_and_services_wait_while_older_tables_are_brought_up_to_date(
    rollout: Rollout,
) -> None:
    before = _fill_as_the_release_before(rollout.url)
    with ExitStack() as stack:
        with _nobody_can_finish_a_migration(rollout.url):
            services = [rollout.service() for _ in range(2)]
            operators = [rollout.operator() for _ in range(2)]
            for each in services:
                wait_until(
                    lambda each=each: each.says(f"older release (schema {_BEFORE}"), 60, "it to say so"
                )
            asking = stack.enter_context(_Asking(rollout.plane.admin_token, *services))
            rollout.scaled()
            rollout.ask_for_one_more()
            assert rollout.revision() == _BEFORE, "and yet there were decisions"
            assert sum(_spooled(each) for each in operators) > 0
            assert not any(each.ready() for each in services)
            decisions = {(status, code) for path, status, code in asking.seen if path == "decisions"}
            assert decisions == {(503, "StoreUnavailable")}
            assert all(_says_that_it_knows_nothing(rollout, each) for each in services)
        for each in services:
            wait_until(each.ready, 30, "the service to be ready")
        rollout.ask_for_one_more()
        wait_until(rollout.all_is_told, 30, "every decision to be in the store")
    assert rollout.revision() == newest_revision()
    for each in services:
        shown = rollout.shown(each)
        assert shown[: len(before)] == before and len(shown) > len(before)
    assert {status for _, status, _ in asking.seen} == {200, 503}
    for operator in operators:
        assert operator.metrics()["predictive_autoscaler_journal_dropped_rows"] == 0


def test_the_next_release_upgrades_the_tables_under_this_one_and_takes_over_from_it(
    rollout: Rollout, tmp_path: Path
) -> None:
    coming = make_next_release(tmp_path / "next", _LOCKED_S)
    old = rollout.operator()
    services = [rollout.service() for _ in range(2)]
    for each in services:
        wait_until(each.ready, 60, "the service to be ready")
    rollout.scaled()
    wait_until(rollout.all_is_told, 20, "the decisions to be in the store")
    with _Asking(rollout.plane.admin_token, *services) as asking:
        new = rollout.operator(coming.launcher)
        wait_until(lambda: rollout.locked("decisions"), 30, "the migration")
        rollout.ask_for_one_more()
        assert rollout.locked("decisions"), "and yet there was a decision"
        assert _spooled(old) > 0 and _leads(old)
        wait_until(lambda: rollout.revision() == coming.revision, 2 * _LOCKED_S, "the tables of the next")
        wait_until(rollout.all_is_told, 40, "what was decided meanwhile to be in the store")
        rollout.ask_for_one_more()
        wait_until(rollout.all_is_told, 20, "the operator of this release to write to them")

        successor = rollout.service(coming.launcher)
        wait_until(successor.ready, 60, "the service of the next release to be ready")
        old.process.stop()
        wait_until(lambda: _leads(new), 30, "the operator of the next release to lead")
        rollout.ask_for_one_more()
        wait_until(rollout.all_is_told, 20, "every decision to be in the store")
        shown = rollout.shown(successor)
        assert [rollout.shown(each) for each in services] == [shown, shown]
    print(f"\nanswered meanwhile: {dict(asking.seen)}")
    decisions = {(status, code) for path, status, code in asking.seen if path == "decisions"}
    assert {status for path, status, _ in asking.seen if path == "workloads"} == {200}
    assert (200, "") in decisions
    assert decisions <= {(200, ""), (503, "StoreUnavailable"), (503, "DeadlineExceeded")}
    assert new.metrics()["predictive_autoscaler_journal_dropped_rows"] == 0
