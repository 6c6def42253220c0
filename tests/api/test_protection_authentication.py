"""Who is let in: how tokens are shown, what strangers are told, and how often they may try."""

from __future__ import annotations

import pytest
from guarded_service import HOST, GuardedService, MadeUpAccess
from starlette.websockets import WebSocketDisconnect

from autoscaler.api.access.access import Unavailable

WHOAMI = "/api/v1/whoami"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"Authorization": "Bearer wrong"}, id="a wrong token"),
        pytest.param({"Authorization": "Bearer"}, id="no token"),
        pytest.param({"Authorization": "Bearer  "}, id="blanks"),
        pytest.param({"Authorization": "anna-token"}, id="no scheme"),
        pytest.param({"Authorization": "Basic anna-token"}, id="another scheme"),
        pytest.param({"Authorization": "Bearer anna-token root-token"}, id="two tokens"),
        pytest.param({"Authorization": "Bearer anna-token\t\u00e9".encode("latin-1")}, id="not ASCII"),
        pytest.param({"Authorization": "Bearer " + "x" * 20_000}, id="endless"),
        pytest.param({"Cookie": "pa_session=wrong"}, id="a wrong cookie"),
        pytest.param({"Cookie": "other=anna-token"}, id="another cookie"),
        pytest.param(
            {"Authorization": "Bearer wrong", "Cookie": "pa_session=anna-token"},
            id="a wrong token in the header outranks the cookie",
        ),
        pytest.param({"X-Remote-User": "anna", "Impersonate-User": "anna"}, id="claims"),
    ],
)
def test_who_shows_no_valid_token_is_refused(headers: dict[str, str]) -> None:
    with GuardedService().client() as client:
        answer = client.get(WHOAMI, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "Unauthenticated"


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/api/v1/none", "/healthz/", "/login/x", "//"]
)
def test_a_stranger_is_not_told_which_paths_exist(path: str) -> None:
    with GuardedService().client() as client:
        assert client.get(path).status_code == 401
        assert client.post(path).status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/login", "/login.js"])
def test_health_and_login_are_open(path: str) -> None:
    service = GuardedService()
    with service.client() as client:
        assert client.get(path).status_code == 200
        assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 200
    assert service.access.asked == []


def test_a_token_is_shown_in_the_header_or_by_cookie() -> None:
    with GuardedService().client() as client:
        for headers in (
            {"Authorization": "Bearer anna-token"},
            {"Authorization": "bearer  anna-token"},
            {"Cookie": "pa_session=anna-token"},
        ):
            assert client.get(WHOAMI, headers=headers).json()["name"] == "anna"


def test_a_browser_is_sent_to_the_login_page_and_back() -> None:
    with GuardedService().client() as client:
        answer = client.get("/workloads/shop/a?range=7d&x=1", headers={"Accept": "text/html,*/*"})
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/login?next=%2Fworkloads%2Fshop%2Fa%3Frange%3D7d%26x%3D1"
        # What a script fetches is not shown to anybody.
        assert client.get(WHOAMI, headers={"Accept": "*/*"}).status_code == 401
        assert client.post("/", headers={"Accept": "text/html"}).status_code == 401


def test_strangers_are_limited_by_address_whatever_they_show() -> None:
    service = GuardedService(anonymous_per_minute=5)
    with service.client(address="192.0.2.7") as client:
        answers = [client.get(WHOAMI, headers={"Authorization": f"Bearer t{n}"}) for n in range(8)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 3
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert client.get("/login").status_code == 429
        assert client.post("/login", data={"token": "anna-token"}).status_code == 429
        assert client.get("/healthz").status_code == 200
    assert len(service.access.asked) == 5
    with service.client(address="192.0.2.8") as client:
        assert client.get(WHOAMI).status_code == 401


def test_callers_behind_the_address_of_a_stranger_stay_in() -> None:
    service = GuardedService(anonymous_per_minute=5)
    with service.client() as client:
        anna = {"Authorization": "Bearer anna-token"}
        assert client.get(WHOAMI, headers=anna).status_code == 200
        for _ in range(10):
            client.get(WHOAMI)
        assert client.get(WHOAMI).status_code == 429
        assert client.get(WHOAMI, headers=anna).status_code == 200


def test_callers_use_up_nothing_of_what_strangers_may() -> None:
    service = GuardedService(anonymous_per_minute=5)
    with service.client() as client:
        for number in range(20):
            service.access.tokens[f"t{number}"] = service.access.tokens["anna-token"]
            assert client.get(WHOAMI, headers={"Authorization": f"Bearer t{number}"}).status_code == 200


def test_a_token_that_was_taken_back_is_a_strangers() -> None:
    service = GuardedService(anonymous_per_minute=3)
    with service.client("anna-token") as client:
        assert client.get(WHOAMI).status_code == 200
        del service.access.tokens["anna-token"]
        assert [client.get(WHOAMI).status_code for _ in range(6)] == [401] * 4 + [429] * 2


def test_who_cannot_be_identified_for_lack_of_an_answer_is_refused() -> None:
    access = MadeUpAccess(is_away=True)
    with GuardedService(access).client("root-token") as client:
        answer = client.get(WHOAMI)
    assert answer.status_code == 503
    assert answer.json()["detail"] == f"{Unavailable('the test does not answer')}; try again in a few seconds"


def test_websockets_are_refused() -> None:
    with (
        GuardedService().client("root-token") as client,
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"ws://{HOST}/api/v1/watch"),
    ):
        pass
