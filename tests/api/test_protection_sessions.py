"""Logging in with a browser."""

from __future__ import annotations

from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import pytest
from guarded_service import HOST, GuardedService, MadeUpAccess
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.api.protection.sessions import local_path


def test_a_good_token_becomes_a_cookie_that_no_script_and_no_other_site_can_use() -> None:
    with GuardedService().client() as client:
        answer = client.post("/login", data={"token": " anna-token\n", "next": "/workloads/shop/a?range=7d"})
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/workloads/shop/a?range=7d"
        cookie = SimpleCookie(answer.headers["Set-Cookie"])["pa_session"]
        assert cookie.value == "anna-token"
        assert cookie["httponly"]
        assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == ("strict", "/", "")
        assert client.get("/api/v1/whoami").json()["name"] == "anna"


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_under_tls_the_cookie_is_for_tls_alone(scheme: str, secure: bool) -> None:
    with GuardedService().client(base_url=f"{scheme}://{HOST}") as client:
        answer = client.post("/login", data={"token": "anna-token"})
    assert ("secure" in answer.headers["Set-Cookie"].lower()) == secure


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        pytest.param({"token": "wrong"}, "refused", id="a wrong token"),
        pytest.param({"token": ""}, "refused", id="an empty one"),
        pytest.param({}, "refused", id="none"),
        pytest.param({"token": "a b"}, "refused", id="two words"),
        pytest.param({"token": "x; Domain=elsewhere.test"}, "refused", id="a cookie of its own"),
        pytest.param({"token": "long" * 1000}, "too-long", id="too long for a cookie"),
    ],
)
def test_a_token_that_cannot_be_used_leads_back_to_the_form(fields: dict[str, str], error: str) -> None:
    access = MadeUpAccess()
    access.tokens["long" * 1000] = access.tokens["anna-token"]
    with GuardedService(access).client() as client:
        answer = client.post("/login", data=fields | {"next": "/spend?a=1&b=2"})
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers
    there = urlsplit(answer.headers["Location"])
    assert there.path == "/login"
    assert parse_qs(there.query) == {"error": [error], "next": ["/spend?a=1&b=2"]}
    assert "wrong" not in answer.headers["Location"]


def test_while_nobody_knows_tokens_the_form_says_so() -> None:
    with GuardedService(MadeUpAccess(is_away=True)).client() as client:
        answer = client.post("/login", data={"token": "anna-token"})
    assert answer.headers["Location"] == "/login?error=unavailable&next=%2F"


def test_another_site_cannot_log_anybody_in_or_out() -> None:
    with GuardedService().client() as client:
        for path in ("/login", "/logout"):
            answer = client.post(
                path, data={"token": "anna-token"}, headers={"Origin": "https://elsewhere.test"}
            )
            assert answer.status_code == 403
            assert "Set-Cookie" not in answer.headers


def test_logging_out_takes_the_cookie_away() -> None:
    with GuardedService().client() as client:
        client.post("/login", data={"token": "anna-token"})
        answer = client.post("/logout", headers={"Origin": f"http://{HOST}"})
        assert answer.headers["Location"] == "/login"
        assert client.get("/api/v1/whoami").status_code == 401


@pytest.mark.parametrize(
    "elsewhere",
    [
        "",
        "https://elsewhere.test",
        "//elsewhere.test",
        "///elsewhere.test",
        "/\\elsewhere.test",
        "\\\\elsewhere.test",
        "javascript:alert(1)",
        "/\t/elsewhere.test",
        "/\r\nSet-Cookie: a=b",
        "workloads",
        "/ü",
    ],
)
def test_the_way_back_leads_nowhere_else(elsewhere: str) -> None:
    with GuardedService().client() as client:
        answer = client.post("/login", data={"token": "anna-token", "next": elsewhere})
    assert answer.headers["Location"] == "/"


@given(st.text())
def test_every_way_back_is_a_path_of_ours(text: str) -> None:
    path = local_path(text)
    assert path.startswith("/")
    parts = urlsplit(f"{path}")
    assert (parts.scheme, parts.netloc) == ("", "")
    assert not path.startswith(("//", "/\\"))


def test_a_form_with_endless_fields_is_refused() -> None:
    body = "&".join(f"f{number}=1" for number in range(1000))
    with GuardedService().client() as client:
        answer = client.post(
            "/login", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
    assert answer.status_code == 400
