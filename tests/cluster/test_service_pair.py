"""Two replicas of the service and one operator on one PostgreSQL that fails and is upgraded."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psycopg
import pytest
import requests
from control_plane import ControlPlane, wait_until
from custom_kinds import install_ours
from databases import NEXT_RELEASE
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad
from real_postgresql import RealPostgresql, running_postgresql
from service_process import ServiceProcess
from tcp_proxy import TcpProxy

from autoscaler.store.store import Store

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.prometheus,
    pytest.mark.postgresql,
    pytest.mark.slow,
    pytest.mark.timeout(240),
]

_AWAY_S = 8.0


@pytest.fixture(scope="module")
def postgresql() -> Iterator[RealPostgresql]:
    with running_postgresql() as server:
        yield server


class Stream:
    """A client of `/watch`, for as long as the context lasts. decisions: what it was told of, in order."""

    def __init__(self, service: ServiceProcess, token: str) -> None:
        self.decisions: list[str] = []
        self.ended = False
        self._answer = requests.get(
            f"{service.url}/api/v1/watch",
            headers={"Authorization": f"Bearer {token}"},
            stream=True,
            timeout=(5, 60),
        )
        assert self._answer.status_code == 200
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._answer.close()

    def _run(self) -> None:
        event = ""
        try:
            for line in self._answer.iter_lines(decode_unicode=True):
                name, _, value = line.partition(": ")
                event = value if name == "event" else event
                if name == "id" and event == "decision":
                    self.decisions.append(value)
        except (requests.RequestException, AttributeError):
            pass  # the test is over
        self.ended = True


@dataclass
class Stage:
    """An operator that decides about `web`, and two services that show it, who reach the database through a
    proxy."""

    plane: ControlPlane
    namespace: str
    postgresql: RealPostgresql
    url: str
    operator: OperatorProcess
    services: tuple[ServiceProcess, ServiceProcess]
    load: SteadyLoad
    proxy: TcpProxy
    wanted: int = field(default=4)

    def asked(self, service: ServiceProcess, path: str) -> requests.Response:
        return service.ask("GET", f"/api/v1{path}", self.plane.admin_token)

    def decisions(self, service: ServiceProcess) -> list[str]:
        """Identifiers of all decisions, oldest first."""
        answer = self.asked(service, f"/decisions?namespace={self.namespace}&limit=500")
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]][::-1]

    def ask_for_one_more(self) -> None:
        """Raise the load by what one more replica serves, and wait until there is one."""
        self.wanted += 1
        self.load.values["load_web"] += 10.0
        wait_until(
            lambda: self.plane.replicas("web", self.namespace) == self.wanted, 30, f"{self.wanted} replicas"
        )

    def all_answer(self) -> bool:
        """Whether both services read the store."""
        return all(self.asked(each, "/decisions").status_code == 200 for each in self.services)

    def spooled(self) -> float:
        """Rows that wait in the operator."""
        return self.operator.metrics()["predictive_autoscaler_journal_spooled_rows"]

    def agree(self) -> bool:
        """Whether both services show the same decisions, and none waits to be written."""
        first, second = (self.decisions(each) for each in self.services)
        return self.spooled() == 0 and first == second


@pytest.fixture
def stage(
    control_plane: ControlPlane, namespace: str, postgresql: RealPostgresql, tmp_path: Path
) -> Iterator[Stage]:
    install_ours(control_plane)
    url = postgresql.url(postgresql.new_database())
    control_plane.deployment("web", namespace, 1, start_up="100ms")
    kubeconfig = control_plane.kubeconfig()
    with ExitStack() as stack:
        prometheus = stack.enter_context(LivePrometheus(tmp_path / "prometheus"))
        load = stack.enter_context(SteadyLoad(prometheus, {"load_web": 35.0}))
        proxy = stack.enter_context(TcpProxy(f"{url}?user=postgres"))
        waiting = tuple(ServiceProcess(tmp_path / str(number), kubeconfig, proxy.url) for number in (1, 2))
        for each in waiting:
            each.process.start()
            stack.callback(each.stop)
        _says_that_there_are_no_tables(waiting)
        operator = OperatorProcess(
            tmp_path / "operator",
            kubeconfig,
            prometheus.url,
            store={"url": url},
            watchNamespaces=[namespace],
        )
        stack.enter_context(operator)
        for each in waiting:
            wait_until(each.ready, 30, "the service to be ready")
        made = Stage(
            control_plane, namespace, postgresql, url, operator, (waiting[0], waiting[1]), load, proxy
        )
        Resources(control_plane, namespace).create("web")
        wait_until(lambda: control_plane.replicas("web", namespace) == 4, 30, "4 replicas for a load of 35")
        wait_until(made.agree, 20, "both services to show the decisions")
        for each in waiting:
            wait_until(
                lambda each=each: made.asked(each, "/workloads").json().get("items"), 40, "the workload"
            )
        yield made


def _says_that_there_are_no_tables(services: tuple[ServiceProcess, ...]) -> None:
    for each in services:
        wait_until(lambda each=each: each.says("the store has no tables yet"), 60, "the service to say so")


def test_both_replicas_go_on_by_themselves_when_the_database_was_away(stage: Stage) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(Stream(each, stage.plane.admin_token)) for each in stage.services]
        before = stage.decisions(stage.services[0])
        stage.postgresql.stop()
        away_s = time.monotonic()
        stage.ask_for_one_more()
        stage.ask_for_one_more()
        for each in stage.services:
            answer = stage.asked(each, "/decisions")
            assert (answer.status_code, answer.json()["code"]) == (503, "StoreUnavailable")
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["Retry-After"] == "5"
            assert stage.asked(each, "/workloads").json()["items"], "what was read before is shown"
            assert each.ready(), "and so it stays ready"
        wait_until(lambda: _outdated(stage), 20, "both to say that what they show is old")
        time.sleep(max(0.0, _AWAY_S - (time.monotonic() - away_s)))
        assert stage.spooled() > 0
        stage.postgresql.start()
        back_s = time.monotonic()
        wait_until(stage.all_answer, 20, "both to answer again")
        print(f"\nboth answered {time.monotonic() - back_s:.1f} s after the database was back")
        wait_until(
            lambda: stage.agree() and len(stage.decisions(stage.services[0])) >= len(before) + 2,
            60,
            "the operator to have written what waited",
        )
        after = stage.decisions(stage.services[0])
        made = [one for one in after if one not in before]
        assert after[: len(before)] == before
        for stream in streams:
            wait_until(lambda stream=stream: set(made) <= set(stream.decisions), 20, "the stream to tell")
            assert not stream.ended
        stage.ask_for_one_more()
        wait_until(
            lambda: all(len(set(stream.decisions)) > len(made) for stream in streams), 20, "streams to go on"
        )
    assert stage.operator.metrics()["predictive_autoscaler_journal_dropped_rows"] == 0


def _outdated(stage: Stage) -> bool:
    lists = (stage.asked(each, "/workloads").json() for each in stage.services)
    return all(one["metadata"]["outdatedSince"] for one in lists)


def test_a_database_that_does_not_answer_holds_nobody_up_beyond_the_deadline(stage: Stage) -> None:
    stage.proxy.hang()
    for each in stage.services:
        began_s = time.monotonic()
        answer = stage.asked(each, "/decisions")
        # By a connection that is open already nobody answers, and a new one cannot be opened.
        assert answer.status_code in (503, 504), answer.text
        assert answer.json()["code"] in ("DeadlineExceeded", "StoreUnavailable"), answer.text
        assert time.monotonic() - began_s < 13, "the deadline of 10 s, and what a busy machine takes"
    wait_until(lambda: _outdated(stage), 5, "lists to say so")
    began_s = time.monotonic()
    assert _outdated(stage) and time.monotonic() - began_s < 5, "and they are answered at once"
    assert all(each.ready() for each in stage.services)
    # The address leads to another server from now on; connections to the one before are gone.
    stage.proxy.refuse()
    for each in stage.services:
        wait_until(lambda each=each: stage.asked(each, "/decisions").status_code == 503, 20, "an error")
    stage.proxy.forward()
    wait_until(stage.all_answer, 20, "both to answer again")
    stage.ask_for_one_more()
    wait_until(stage.agree, 20, "both to show what was decided")
    wait_until(lambda: not _outdated(stage), 10, "lists to be up to date")


def test_everybody_goes_on_through_an_upgrade_and_who_starts_late_says_why_not(stage: Stage) -> None:
    before = stage.decisions(stage.services[0])
    with _Reading(stage) as seen:
        with psycopg.connect(stage.url) as connection:
            for statement in NEXT_RELEASE:
                connection.execute(statement.encode())
            # Other processes see nothing of it, and those that need its locks wait.
            time.sleep(2)
        stage.ask_for_one_more()
        wait_until(
            lambda: stage.agree() and len(stage.decisions(stage.services[0])) > len(before), 30, "decisions"
        )
    assert seen and set(seen) == {200}
    stage.postgresql.stop()
    stage.postgresql.start()
    stage.ask_for_one_more()
    wait_until(stage.agree, 60, "the operator to write to the tables of a newer release after an outage")

    late = stage.services[1]
    late.process.stop()
    late.process.start()
    wait_until(lambda: late.says("newer release (schema 9999"), 60, "a service that starts now to say so")
    assert not late.ready()
    assert stage.asked(late, "/decisions").status_code == 503
    assert stage.services[0].ready()

    store = Store.open(stage.url)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    store.close()
    wait_until(lambda: late.says("older release (schema 0001"), 20, "it to say that they are older")


class _Reading:
    """Reads decisions of both services over and over while the context lasts; gives the statuses."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._stop = stage, threading.Event()
        self._seen: list[int] = []
        self._threads = [
            threading.Thread(target=self._run, args=(each,), daemon=True) for each in stage.services
        ]

    def __enter__(self) -> list[int]:
        for thread in self._threads:
            thread.start()
        return self._seen

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _run(self, service: ServiceProcess) -> None:
        while not self._stop.wait(0.2):
            self._seen.append(self._stage.asked(service, "/decisions").status_code)
