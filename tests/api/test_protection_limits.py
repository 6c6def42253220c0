"""How much a caller may ask for, send and wait for."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from guarded_service import GuardedService
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.api.protection.client_address import client_address
from autoscaler.api.protection.token_bucket import Buckets

WHOAMI = "/api/v1/whoami"
THING = "/api/v1/namespaces/shop/thing"


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


# How often


@given(
    per_minute=st.integers(1, 200),
    pauses_s=st.lists(st.floats(0, 5) | st.just(0.0), min_size=1, max_size=300),
)
def test_never_more_than_a_minutes_worth_and_what_was_refilled(
    per_minute: int, pauses_s: list[float]
) -> None:
    clock = Clock()
    buckets = Buckets(per_minute, clock=clock)
    passed = 0
    for pause_s in pauses_s:
        clock.now_s += pause_s
        level = buckets.take("anna")
        passed += level.taken
        assert 0 <= level.left <= per_minute
        elapsed_s = clock.now_s - 1000.0
        assert passed <= per_minute + elapsed_s * per_minute / 60 + 1e-6


@given(per_minute=st.integers(1, 5000))
def test_who_waits_as_long_as_told_is_let_through(per_minute: int) -> None:
    clock = Clock()
    buckets = Buckets(per_minute, clock=clock)
    while (level := buckets.take("anna")).taken:
        pass
    clock.now_s += int(level.headers["Retry-After"])
    assert buckets.take("anna").taken


def test_what_is_given_back_can_be_taken_again_and_no_more() -> None:
    buckets = Buckets(2, clock=Clock())
    buckets.take("a")
    buckets.give_back("a")
    buckets.give_back("a")
    assert [buckets.take("a").taken for _ in range(3)] == [True, True, False]


def test_only_so_many_are_remembered_and_the_busy_ones_longest() -> None:
    buckets = Buckets(1, most=10, clock=Clock())
    buckets.take("busy")
    for number in range(100):
        buckets.take(f"passing {number}")
        assert not buckets.take("busy").taken


def test_a_caller_is_told_what_is_left_and_refused_when_nothing_is() -> None:
    service = GuardedService(requests_per_minute=3)
    with service.client("anna-token") as client:
        answers = [client.get(WHOAMI) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"3"}
    assert answers[-1].json()["code"] == "TooManyRequests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 20
    assert 50 <= int(answers[-1].headers["RateLimit-Reset"]) <= 60


def test_one_caller_uses_up_nothing_of_anothers_limit() -> None:
    service = GuardedService(requests_per_minute=1)
    with service.client() as client:
        for name in ("anna", "root"):
            shown = {"Authorization": f"Bearer {name}-token"}
            assert [client.get(WHOAMI, headers=shown).status_code for _ in range(2)] == [200, 429]


# From where


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.9", 80), "192.0.2.9"),
        (("::ffff:192.0.2.9", 80), "192.0.2.9"),
        (("2001:db8:1:2:3:4:5:6", 80), "2001:db8:1:2::/64"),
        (("2001:db8:1:2::9", 80), "2001:db8:1:2::/64"),
        (("testclient", 80), "unknown"),
        (("", 0), "unknown"),
        (None, "unknown"),
    ],
)
def test_an_address_is_one_home(client: tuple[str, int] | None, address: str) -> None:
    assert client_address({"type": "http", "client": client}) == address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "limited_together"),
    [
        pytest.param((), "198.51.100.{}", True, id="nobody is trusted, so the header is nothing"),
        pytest.param(("203.0.113.0/24",), "198.51.100.{}", True, id="somebody else is trusted"),
        pytest.param(("192.0.2.0/24",), "198.51.100.{}", False, id="a trusted proxy tells clients apart"),
        pytest.param(("192.0.2.0/24",), "10.0.0.{}, 198.51.100.1", True, id="what a client made up"),
        pytest.param(("192.0.2.0/24",), "198.51.100.{}, 192.0.2.77", False, id="two trusted proxies"),
    ],
)
def test_only_a_trusted_proxy_says_who_the_client_is(
    proxies: tuple[str, ...], forwarded: str, limited_together: bool
) -> None:
    networks = [ipaddress.ip_network(proxy) for proxy in proxies]
    service = GuardedService(trusted_proxies=networks, anonymous_per_minute=3)
    with service.client(address="192.0.2.1") as client:
        statuses = [
            client.get(WHOAMI, headers={"X-Forwarded-For": forwarded.format(number)}).status_code
            for number in range(10)
        ]
    assert (429 in statuses) == limited_together


def test_only_a_trusted_proxy_says_that_there_is_tls() -> None:
    headers = {"X-Forwarded-Proto": "https"}
    for proxies, scheme in (((), "http"), ([ipaddress.ip_network("192.0.2.1/32")], "https")):
        with GuardedService(trusted_proxies=proxies).client("anna-token") as client:
            assert client.get(WHOAMI, headers=headers).json()["scheme"] == scheme


# How long


def test_a_body_that_is_too_long_is_refused_before_any_route_sees_it() -> None:
    service = GuardedService(body_bytes=1000)
    with service.client("anna-token") as client:
        assert client.post(THING, content=b"x" * 1000).json()["length"] == 1000
        answer = client.post(THING, content=b"x" * 1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "BodyTooLarge")
    assert len(service.writes) == 1


def test_a_body_that_does_not_say_how_long_it_is_is_counted() -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    service = GuardedService(body_bytes=1000)
    with service.client("anna-token") as client:
        assert client.post(THING, content=pieces()).status_code == 413
    assert service.writes == []


def test_a_strangers_body_is_not_even_read() -> None:
    read = []

    def pieces() -> Iterator[bytes]:
        for number in range(11):
            read.append(number)
            yield b"x" * 100

    with GuardedService(body_bytes=1000).client() as client:
        assert client.post(THING, content=pieces()).status_code == 401


@pytest.mark.parametrize("path", ["/hangs", "/hangs-in-a-thread"])
def test_who_is_kept_waiting_gets_an_answer_at_the_deadline(path: str) -> None:
    with GuardedService(deadline_s="200ms").client("anna-token") as client:
        began_at = time.monotonic()
        answer = client.get(f"/api/v1{path}")
        took_s = time.monotonic() - began_at
    assert (answer.status_code, answer.json()["code"]) == (504, "DeadlineExceeded")
    assert took_s < 2


def test_a_stream_goes_on_after_the_deadline() -> None:
    with GuardedService(deadline_s="200ms").client("anna-token") as client:
        answer = client.get("/api/v1/stream")
    assert answer.text.count("data:") == 4


def test_threads_that_were_left_behind_do_not_use_up_those_of_others() -> None:
    # More than there are threads for routes.
    with GuardedService(deadline_s="1s").client("anna-token") as client, ThreadPoolExecutor(45) as pool:
        hanging = [pool.submit(client.get, "/api/v1/hangs-in-a-thread") for _ in range(45)]
        assert {answer.result().status_code for answer in hanging} == {504}
        assert client.get("/api/v1/in-a-thread").status_code == 200
