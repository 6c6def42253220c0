"""`autoscaler demo --serve`, from the outside: what a newcomer sees, and what is left when it has ended."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from running_show import Show, alive, running_show

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are watched through /proc"),
]
WORKLOADS = "/api/v1/namespaces/shop/workloads"


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    with running_show(tmp_path_factory.mktemp("show"), "--for", "10m") as show:
        show.wait_until_open()
        yield show


def _time(workload: dict[str, str]) -> datetime:
    return datetime.fromisoformat(workload["at"])


def test_it_is_healthy_and_has_a_page(show: Show) -> None:
    assert show.get("/healthz").status_code == 200
    page = show.get("/")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")


def test_all_workloads_are_listed_without_a_token(show: Show) -> None:
    assert show.eventually(lambda: len(show.get("/api/v1/workloads").json()["items"]) == 11)
    names = {item["namespace"] for item in show.get("/api/v1/workloads").json()["items"]}
    assert names == {"shop", "payments", "media", "data"}


def test_a_minute_passes_in_about_a_second(show: Show) -> None:
    assert show.eventually(lambda: show.get(f"{WORKLOADS}/checkout").status_code == 200)
    before = _time(show.get(f"{WORKLOADS}/checkout").json())
    assert show.eventually(
        lambda: _time(show.get(f"{WORKLOADS}/checkout").json()) - before >= timedelta(minutes=5)
    )


def test_decisions_are_explained_and_replay_to_the_same(show: Show) -> None:
    listed = show.get("/api/v1/decisions?namespace=shop&workload=checkout&limit=1").json()["items"]
    assert listed[0]["sentence"]
    replay = show.get(f"/api/v1/decisions/{listed[0]['id']}/replay").json()
    assert replay["same"] is True


def test_an_override_is_obeyed(show: Show) -> None:
    assert show.eventually(lambda: show.get(f"{WORKLOADS}/cart").status_code == 200)
    at = _time(show.get(f"{WORKLOADS}/cart").json()).astimezone(UTC)
    until = (at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"kind": "Fixed", "replicas": 31, "until": until, "reason": "a test"}
    made = requests.post(f"{show.url}{WORKLOADS}/cart/overrides", json=body, timeout=20)
    assert made.status_code == 201, made.text
    assert show.eventually(lambda: show.get(f"{WORKLOADS}/cart").json()["replicas"]["current"] == 31)


def test_it_says_aloud_that_everybody_on_this_machine_may_do_everything(show: Show) -> None:
    assert "everybody on this machine may do everything" in show.said


def test_it_listens_to_this_machine_only(show: Show) -> None:
    port = int(show.url.rpartition(":")[2])
    with socket.socket() as elsewhere:
        elsewhere.settimeout(5)
        # Another address of the loopback stands for any other: it is not the one that is served.
        assert elsewhere.connect_ex(("127.0.0.2", port)) != 0


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_ends_it_in_order_and_nothing_is_left_behind(sent: signal.Signals, tmp_path: Path) -> None:
    with running_show(tmp_path, "--for", "10m") as show:
        show.wait_until_open()
        family = show.family()
        os.killpg(show.process.pid, sent)
        assert show.process.wait(60) == 0
    assert len(family) > 1
    assert show.eventually(lambda: not any(alive(pid) for pid in family), 10)
    assert list(show.kept.iterdir()) == []
    assert show.said.splitlines()[-1] == "Ended; nothing is left behind."
    assert "Traceback" not in show.said


def test_it_can_be_interrupted_while_the_past_is_played(tmp_path: Path) -> None:
    with running_show(tmp_path, "--past", "7d") as show:
        assert show.eventually(lambda: len(show.family()) > 1)
        family = show.family()
        os.killpg(show.process.pid, signal.SIGINT)
        assert show.process.wait(60) == 0
    assert show.eventually(lambda: not any(alive(pid) for pid in family), 10)
    assert list(show.kept.iterdir()) == []
    assert "Traceback" not in show.said


def test_it_ends_by_itself(tmp_path: Path) -> None:
    with running_show(tmp_path, "--past", "90s", "--for", "2s") as show:
        assert show.process.wait(200) == 0
    assert list(show.kept.iterdir()) == []
    assert "after 2 s" in show.said


def test_a_player_that_is_lost_ends_it_with_one_line(tmp_path: Path) -> None:
    with running_show(tmp_path, "--for", "10m") as show:
        show.wait_until_open()
        for pid in show.family() - {show.process.pid}:
            # Once one is lost, the others are ended.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert show.process.wait(60) == 2
    assert list(show.kept.iterdir()) == []
    assert show.said.splitlines()[-1].startswith("autoscaler: a process of the demonstration has ended")


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running_show(tmp_path, "--port", str(port)) as show:
            assert show.process.wait(60) == 2
    assert list(show.kept.iterdir()) == []
    last = show.said.splitlines()[-1]
    assert last.startswith(f"autoscaler: port {port} of 127.0.0.1 cannot be served: Address already in use")
    assert last.endswith("; give another --port")
