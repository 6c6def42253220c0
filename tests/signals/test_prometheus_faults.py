"""Whatever a server does, the outcome is typed, in time, bounded in memory, and gives no secret away."""

from __future__ import annotations

import gzip
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from faulty_server import Answer, Conversation, FaultyServer
from real_prometheus import free_port

from autoscaler.series import Reading, State
from autoscaler.signals.errors import InputError
from autoscaler.signals.history import History, usable_series
from autoscaler.signals.instant import InstantQuery
from autoscaler.signals.prometheus import Prometheus
from autoscaler.signals.settings import ConnectionSettings, settings_from_environment

Serve = Callable[[Answer], FaultyServer]

SECRET = "s3cr3t-t0k3n"
START = 1_704_067_200


def settings(url: str, **more: object) -> ConnectionSettings:
    """Bounds short enough for tests."""
    bounds: dict[str, object] = {
        "connect_timeout_s": 1.0,
        "read_timeout_s": 0.8,
        "total_timeout_s": 1.5,
        "retries": 0,
        "max_bytes": 2**20,
    }
    return ConnectionSettings(url, **(bounds | more))  # type: ignore[arg-type]  # settings vary by test


def ask_range(url: str, steps: int = 10, **more: object) -> History:
    with Prometheus(settings(url, **more)) as prometheus:
        return prometheus.read_range("load", START, START + (steps - 1) * 60, 60)


def ask_now(url: str, *queries: str, now_s: float = START, **more: object) -> list[Reading]:
    with Prometheus(settings(url, **more)) as prometheus:
        return prometheus.read_now([InstantQuery(query) for query in queries], now_s)


def endless(chunk: bytes, headers: dict[str, str], limit: int) -> Answer:
    """Send `chunk` again and again, up to `limit` bytes."""

    def answer(conversation: Conversation) -> None:
        conversation.begin(200, headers)
        for _ in range(limit // len(chunk)):
            conversation.wfile.write(chunk)
        conversation.close_connection = True

    return answer


def drip_body(conversation: Conversation) -> None:
    conversation.begin(200, {"Content-Length": "1000"})
    for _ in range(100):
        conversation.wfile.write(b" ")
        time.sleep(0.1)


def drip_headers(conversation: Conversation) -> None:
    for character in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 200:
        conversation.wfile.write(bytes([character]))
        conversation.wfile.flush()
        time.sleep(0.1)


def hang(conversation: Conversation) -> None:
    conversation.wait_until_closed()


def hang_in_body(conversation: Conversation) -> None:
    conversation.begin(200, {"Content-Length": "1000"})
    conversation.wfile.write(b'{"status":')
    conversation.wait_until_closed()


def drip_until_closed(conversation: Conversation) -> None:
    """A body without stated length looks complete when the connection is cut."""
    conversation.begin(200, {"Connection": "close"})
    conversation.wfile.write(b'{"status":"success","data":{"resultType":"matrix","result":[]}}')
    for _ in range(100):
        conversation.wfile.write(b" ")
        time.sleep(0.1)


@pytest.mark.parametrize("answer", [drip_body, drip_headers, hang, hang_in_body, drip_until_closed])
def test_the_deadline_holds_however_slowly_a_server_answers(serve: Serve, answer: Answer) -> None:
    began = time.monotonic()
    history = ask_range(serve(answer).url, total_timeout_s=1.0)
    assert time.monotonic() - began < 5.0
    assert history.state is State.FAILED
    assert "deadline" in history.detail or "in time" in history.detail


@pytest.mark.parametrize("answer", [drip_body, hang])
def test_present_values_have_one_deadline_for_all(serve: Serve, answer: Answer) -> None:
    began = time.monotonic()
    readings = ask_now(serve(answer).url, *(f"q{n}" for n in range(100)), total_timeout_s=1.0)
    assert time.monotonic() - began < 5.0
    assert {reading.state for reading in readings} == {State.FAILED}


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    began = time.monotonic()
    url = f"http://127.0.0.1:{free_port()}"
    assert "no connection" in ask_range(url, total_timeout_s=30.0).detail
    readings = ask_now(url, *(f"q{n}" for n in range(200)), total_timeout_s=30.0)
    assert time.monotonic() - began < 5.0
    assert {reading.state for reading in readings} == {State.FAILED}


HUGE = 500 * 2**20
BOMB = gzip.compress(b" " * 2**24, 9)

ENORMOUS = {
    "stated length": endless(b" " * 2**16, {"Content-Length": str(HUGE)}, HUGE),
    "no stated length": endless(b" " * 2**16, {"Connection": "close"}, HUGE),
    "chunked": endless(b"10000\r\n" + b" " * 2**16 + b"\r\n", {"Transfer-Encoding": "chunked"}, HUGE),
    "gzip bomb": lambda c: c.reply(BOMB, headers={"Content-Encoding": "gzip"}),
    "gzip bomb of many members": lambda c: c.reply(BOMB * 40, headers={"Content-Encoding": "gzip"}),
    "an enormous error": endless(b" " * 2**16, {"Connection": "close"}, HUGE),
}


@pytest.mark.parametrize("answer", ENORMOUS.values(), ids=ENORMOUS)
def test_an_enormous_answer_is_refused_in_little_memory(serve: Serve, answer: Answer) -> None:
    server = serve(answer)
    tracemalloc.start()
    try:
        began = time.monotonic()
        history = ask_range(server.url, total_timeout_s=30.0)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 5.0
    assert history.state is State.FAILED
    assert "exceeds 1 MiB" in history.detail


def test_a_redirect_with_an_enormous_body_is_not_read(serve: Serve) -> None:
    def answer(conversation: Conversation) -> None:
        conversation.begin(302, {"Location": "/elsewhere", "Content-Length": str(HUGE)})
        for _ in range(HUGE // 2**16):
            conversation.wfile.write(b" " * 2**16)

    tracemalloc.start()
    try:
        assert "redirects" in ask_range(serve(answer).url).detail
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def reply(body: bytes, status: int = 200, **headers: str) -> Answer:
    return lambda c: c.reply(body, status, {name.replace("_", "-"): text for name, text in headers.items()})


def truncated(conversation: Conversation) -> None:
    conversation.begin(200, {"Content-Length": "1000"})
    conversation.wfile.write(b'{"status":"success","data":{')
    conversation.close_connection = True


def success(kind: str, result: str) -> bytes:
    return f'{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}'.encode()


FAILING = {
    "500 with HTML": (reply(b"<html>secret upstream text</html>", 500), "HTTP 500"),
    "502": (reply(b"secret upstream text", 502), "HTTP 502"),
    "200 with HTML": (reply(b"<html>secret upstream text</html>"), "not JSON"),
    "bad JSON": (reply(b'{"status": secret upstream text'), "not JSON"),
    "deep JSON": (reply(b"[" * 500_000), "not JSON"),
    "deep object": (reply(b'{"a":' * 100_000), "not JSON"),
    "empty body": (reply(b""), "not JSON"),
    "other JSON": (reply(b"[1]"), "no answer of a Prometheus"),
    "status error": (lambda c: c.reply_error(200, "execution"), "error (execution)"),
    "error of unknown kind": (lambda c: c.reply_error(200, "secret upstream text"), "error (unknown)"),
    "400": (lambda c: c.reply_error(400, "bad_data"), "malformed"),
    "401": (lambda c: c.reply_error(401, "x"), "HTTP 401"),
    "403": (reply(b"", 403), "HTTP 403"),
    "404": (reply(b"404 page not found", 404), "HTTP 404"),
    "422": (lambda c: c.reply_error(422, "execution"), "HTTP 422"),
    "503 timeout": (lambda c: c.reply_error(503, "timeout"), "timeout"),
    "503": (reply(b"", 503), "HTTP 503"),
    "truncated": (truncated, "broke"),
    "text for a range": (reply(success("string", "[]")), "no range"),
    "no result": (reply(b'{"status":"success","data":{"resultType":"matrix"}}'), "no result"),
    "series that is none": (reply(success("matrix", "[7]")), "series that is none"),
    "values that are none": (reply(success("matrix", '[{"metric":{},"values":7}]')), "without values"),
    "text for a value": (
        reply(success("matrix", '[{"metric":{},"values":[[1704067200,"x"]]}]')),
        "no numbers",
    ),
    "no pairs": (reply(success("matrix", '[{"metric":{},"values":[[1704067200]]}]')), "no numbers"),
    "other times": (reply(success("matrix", '[{"metric":{},"values":[[5,"1"]]}]')), "not asked for"),
    "endless times": (reply(success("matrix", '[{"metric":{},"values":[[1e400,"1"]]}]')), ""),
    "native histograms": (reply(success("matrix", '[{"metric":{},"histograms":[1]}]')), "histograms"),
    "unasked compression": (reply(b"x", Content_Encoding="br"), "compression"),
    "damaged gzip": (reply(b"not gzip", Content_Encoding="gzip"), "damaged"),
    "gzip that ends early": (
        reply(gzip.compress(os.urandom(999))[:-30], Content_Encoding="gzip"),
        "ends early",
    ),
    "no HTTP": (lambda c: c.wfile.write(b"\0\0\0\0\r\n\r\n") and None, ""),
}


@pytest.mark.parametrize(("answer", "says"), FAILING.values(), ids=FAILING)
def test_what_is_no_success_is_a_failure_that_tells_nothing_secret(
    serve: Serve, answer: Answer, says: str, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(SECRET)
    url = serve(answer).url
    history = ask_range(url, bearer_token_file=token, headers={"X-Scope-OrgID": "secret-tenant"})
    assert history.state is State.FAILED
    assert np.isnan(history.series.values).all() and not history.answered.any()
    assert says in history.detail
    for reading in ask_now(url, "a", "b", bearer_token_file=token):
        assert reading.state is State.FAILED
        for text in (history.detail, reading.detail):
            assert text and "\n" not in text
            assert SECRET not in text and "secret" not in text


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_credentials_go_nowhere_else(self, serve: Serve, tmp_path: Path, status: int) -> None:
        thief = serve(lambda c: c.reply_steps())
        honest = serve(lambda c: c.reply(b"", status, {"Location": thief.url + "/api/v1/query_range"}))
        token = tmp_path / "token"
        token.write_text(SECRET)
        history = ask_range(honest.url, bearer_token_file=token, headers={"X-Scope-OrgID": "a"})
        assert history.state is State.FAILED and "redirects" in history.detail
        assert thief.asked == []
        assert len(honest.asked) == 1


class TestCredentials:
    def guarded(self, accepted: Callable[[], str]) -> Answer:
        def answer(conversation: Conversation) -> None:
            if conversation.asked.headers.get("Authorization") == accepted():
                conversation.reply_steps()
            else:
                conversation.reply_error(401, "unauthorized")

        return answer

    def test_a_rotated_token_is_used_at_once(self, serve: Serve, tmp_path: Path) -> None:
        token = tmp_path / "token"
        token.write_text("one\n")
        server = serve(self.guarded(lambda: f"Bearer {token.read_text().strip()}"))
        with Prometheus(settings(server.url, bearer_token_file=token)) as prometheus:
            for secret in ("one", "two", "three"):
                token.write_text(secret)
                assert prometheus.read_range("load", START, START, 60).state is State.VALUE
        assert len(server.asked) == 3

    def test_a_refusal_makes_it_look_again(self, serve: Serve, tmp_path: Path) -> None:
        token = tmp_path / "token"
        token.write_text("one")
        server = serve(self.guarded(lambda: f"Bearer {token.read_text()}"))
        with Prometheus(settings(server.url, bearer_token_file=token)) as prometheus:
            assert prometheus.read_range("load", START, START, 60).state is State.VALUE
            before = token.stat()
            with token.open("r+") as file:
                file.write("two")
            os.utime(token, ns=(before.st_atime_ns, before.st_mtime_ns))
            assert prometheus.read_range("load", START, START, 60).state is State.VALUE
        assert len(server.asked) == 3

    def test_a_refusal_is_not_repeated_with_the_same_token(self, serve: Serve, tmp_path: Path) -> None:
        token = tmp_path / "token"
        token.write_text("one")
        server = serve(self.guarded(lambda: "Bearer other"))
        history = ask_range(server.url, bearer_token_file=token, retries=2)
        assert "credentials" in history.detail and len(server.asked) == 1

    @pytest.mark.parametrize("content", ["", "two\nlines", "\x00", "ü"])
    def test_a_file_without_a_token_sends_nothing(self, serve: Serve, tmp_path: Path, content: str) -> None:
        token = tmp_path / "token"
        token.write_text(content)
        server = serve(lambda c: c.reply_steps())
        assert "token" in ask_range(server.url, bearer_token_file=token).detail
        assert server.asked == []

    def test_a_token_file_that_vanished_is_a_failure(self, serve: Serve, tmp_path: Path) -> None:
        token = tmp_path / "token"
        token.write_text("one")
        server = serve(lambda c: c.reply_steps())
        with Prometheus(settings(server.url, bearer_token_file=token)) as prometheus:
            token.unlink()
            assert prometheus.read_range("load", START, START, 60).state is State.FAILED

    def test_basic_authentication_follows_its_file(self, serve: Serve, tmp_path: Path) -> None:
        password = tmp_path / "password"
        password.write_text("p\n")
        server = serve(lambda c: c.reply_steps())
        with Prometheus(
            settings(server.url, basic_user="u", basic_password_file=password, headers={"X-Scope-OrgID": "t"})
        ) as prometheus:
            prometheus.read_range("load", START, START, 60)
            password.write_text("qq")
            prometheus.read_range("load", START, START, 60)
        sent = [asked.headers["Authorization"] for asked in server.asked]
        assert sent == ["Basic dTpw", "Basic dTpxcQ=="]
        assert {asked.headers["X-Scope-OrgID"] for asked in server.asked} == {"t"}

    def test_the_environment_adds_none(
        self, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login u password p\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
        server = serve(lambda c: c.reply_steps())
        assert ask_range(server.url).state is State.VALUE
        assert "Authorization" not in server.asked[0].headers

    def test_cookies_are_not_kept(self, serve: Serve) -> None:
        def answer(conversation: Conversation) -> None:
            conversation.reply(success("matrix", "[]"), headers={"Set-Cookie": "a=b"})

        server = serve(answer)
        with Prometheus(settings(server.url)) as prometheus:
            for _ in range(2):
                prometheus.read_range("load", START, START, 60)
        assert "Cookie" not in server.asked[1].headers


class TestSettings:
    @pytest.mark.parametrize(
        "more",
        [
            {"url": "prometheus:9090"},
            {"url": "ftp://prometheus"},
            {"url": "http://"},
            {"url": "http://host:99999"},
            {"url": "http://host:port"},
            {"url": f"http://user:{SECRET}@host"},
            {"url": "http://host/?query=up"},
            {"url": "http://host/a b"},
            {"url": "http://[::1"},
            {"headers": {"Authorization": f"Bearer {SECRET}"}},
            {"headers": {"X-A": f"{SECRET}\r\nX-B: c"}},
            {"headers": {"X A": "b"}},
            {"basic_user": "u"},
            {"bearer_token_file": Path("/nowhere/token")},
            {"ca_file": Path("/nowhere/ca")},
            {"method": "PUT"},
            {"total_timeout_s": 0.0},
            {"max_bytes": -1},
            {"connect_timeout_s": float("nan")},
        ],
    )
    def test_what_cannot_work_is_refused_in_one_line(self, more: dict[str, object]) -> None:
        url = str(more.pop("url", "http://host"))
        with pytest.raises(InputError) as caught:
            settings(url, **more)
        assert "\n" not in str(caught.value) and SECRET not in str(caught.value)

    def test_headers_are_not_shown(self) -> None:
        assert SECRET not in repr(settings("http://host", headers={"X-Scope-OrgID": SECRET}))

    def test_a_path_belongs_to_the_url(self, serve: Serve) -> None:
        server = serve(lambda c: c.reply_steps())
        ask_range(server.url + "/tenant/prometheus/")
        assert server.asked[0].path == "/tenant/prometheus/api/v1/query_range"


class TestEnvironment:
    def test_it_names_credentials_by_file(self, tmp_path: Path) -> None:
        token = tmp_path / "token"
        token.write_text(SECRET)
        named = settings_from_environment(
            "http://host",
            {"PROMETHEUS_TOKEN_FILE": str(token), "PROMETHEUS_HEADERS": "X-Scope-OrgID: a; X-B:c:d;"},
        )
        assert named.bearer_token_file == token
        assert named.headers == {"X-Scope-OrgID": "a", "X-B": "c:d"}

    def test_an_empty_one_names_none(self) -> None:
        assert settings_from_environment("http://host", {}) == ConnectionSettings("http://host")

    def test_headers_without_a_value_are_refused(self) -> None:
        with pytest.raises(InputError, match="PROMETHEUS_HEADERS"):
            settings_from_environment("http://host", {"PROMETHEUS_HEADERS": SECRET})


class TestLoad:
    def test_it_begins_where_the_server_does(self, serve: Serve) -> None:
        server = serve(lambda c: c.reply_matrix([(START + 60, "1"), (START + 180, "2")]))
        with Prometheus(settings(server.url)) as prometheus:
            series = prometheus.read_load("load", START + 0.7, START + 299.9, 60.0)
        assert (series.start_s, series.step_s) == (START + 60, 60)
        np.testing.assert_array_equal(series.values, [1, np.nan, 2, np.nan])

    @pytest.mark.parametrize("step_s", [0.0, 0.5, 1.5, 90_000.0])
    def test_a_step_is_whole_seconds(self, step_s: float) -> None:
        with (
            Prometheus(settings("http://127.0.0.1:1")) as prometheus,
            pytest.raises(InputError, match="step"),
        ):
            prometheus.read_load("load", START, START + 600, step_s)

    def test_a_failure_is_one_line(self, serve: Serve) -> None:
        server = serve(reply(b"<html>", 500))
        with Prometheus(settings(server.url)) as prometheus, pytest.raises(InputError) as caught:
            prometheus.read_load("load", START, START + 600, 60)
        assert "HTTP 500" in str(caught.value) and "\n" not in str(caught.value)


class TestRetries:
    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_a_passing_failure_is_asked_again(self, serve: Serve, status: int) -> None:
        server = serve(lambda c: c.reply_steps() if len(server.asked) > 2 else c.reply(b"", status))
        assert ask_range(server.url, retries=2).state is State.VALUE
        assert len(server.asked) == 3

    def test_a_broken_connection_is_asked_again(self, serve: Serve) -> None:
        server = serve(lambda c: c.reply_steps() if len(server.asked) > 1 else truncated(c))
        assert ask_range(server.url, retries=1).state is State.VALUE

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500])
    def test_another_is_not(self, serve: Serve, status: int) -> None:
        server = serve(lambda c: c.reply_error(status, "execution"))
        ask_range(server.url, retries=2)
        assert len(server.asked) == 1

    def test_a_wait_that_outlasts_the_deadline_is_not_begun(self, serve: Serve) -> None:
        server = serve(reply(b"", 503, Retry_After="60"))
        began = time.monotonic()
        assert "HTTP 503" in ask_range(server.url, retries=2, total_timeout_s=30.0).detail
        assert time.monotonic() - began < 5.0 and len(server.asked) == 1

    def test_a_stated_wait_is_kept(self, serve: Serve) -> None:
        server = serve(
            lambda c: c.reply_steps() if len(server.asked) > 1 else c.reply(b"", 429, {"Retry-After": "1"})
        )
        began = time.monotonic()
        assert ask_range(server.url, retries=1, total_timeout_s=5.0).state is State.VALUE
        assert time.monotonic() - began >= 1.0


OUTCOMES = {
    "nothing": (lambda c: c.reply_matrix(), State.EMPTY),
    "only NaN": (lambda c: c.reply_matrix([(START, "NaN")]), State.NOT_A_NUMBER),
    "only Inf": (lambda c: c.reply_matrix([(START, "-Inf")]), State.NOT_A_NUMBER),
    "two series": (lambda c: c.reply_matrix([(START, "1")], [(START, "2")]), State.SEVERAL_SERIES),
    "warnings": (lambda c: c.reply_steps(warnings=["secret"]), State.PARTIAL),
    "no warnings": (lambda c: c.reply_steps(warnings=[], infos=["fine"]), State.VALUE),
}


class TestRanges:
    def test_long_ranges_are_chunked_and_stitched(self, serve: Serve) -> None:
        server = serve(lambda c: c.reply_steps())
        history = ask_range(server.url, 25_000, max_bytes=2**22)
        assert len(server.asked) == 3
        assert history.state is State.VALUE
        np.testing.assert_array_equal(history.series.values, history.series.times_s)

    def test_a_422_halves_what_is_asked_for(self, serve: Serve) -> None:
        def answer(conversation: Conversation) -> None:
            asked = conversation.asked.parameters
            if int(asked["end"]) - int(asked["start"]) >= 150 * 60:
                conversation.reply_error(422, "execution")
            else:
                conversation.reply_steps()

        server = serve(answer)
        history = ask_range(server.url, 1000)
        np.testing.assert_array_equal(history.series.values, history.series.times_s)
        assert history.answered.all() and len(server.asked) == 3 + 8

    def test_halving_ends(self, serve: Serve) -> None:
        server = serve(lambda c: c.reply_error(422, "execution"))
        history = ask_range(server.url, 1000)
        assert history.state is State.FAILED and "422" in history.detail
        assert len(server.asked) < 8

    def test_an_answer_that_is_too_long_is_asked_for_in_parts(self, serve: Serve) -> None:
        server = serve(lambda c: c.reply_steps())
        history = ask_range(server.url, 5000, max_bytes=40_000)
        assert history.state is State.VALUE
        np.testing.assert_array_equal(history.series.values, history.series.times_s)

    def test_a_gap_is_not_zero(self, serve: Serve) -> None:
        server = serve(lambda c: c.reply_matrix([(START, "1"), (START + 120, "NaN"), (START + 180, "4")]))
        history = ask_range(server.url, 5)
        np.testing.assert_array_equal(history.series.values, [1, np.nan, np.nan, 4, np.nan])
        assert history.state is State.VALUE and history.answered.all()

    def test_infinity_is_no_number(self, serve: Serve) -> None:
        server = serve(lambda c: c.reply_matrix([(START, "+Inf"), (START + 60, "2")]))
        history = ask_range(server.url, 2)
        np.testing.assert_array_equal(history.series.values, [np.nan, 2])
        assert "1 infinite" in history.detail

    def test_what_was_read_before_a_failure_is_kept_and_marked(self, serve: Serve) -> None:
        server = serve(lambda c: c.reply_steps() if len(server.asked) < 2 else c.reply(b"", 500))
        history = ask_range(server.url, 15_000, max_bytes=2**22)
        assert history.state is State.FAILED
        assert history.answered.tolist() == [True] * 10_000 + [False] * 5_000
        assert np.isfinite(history.series.values).sum() == 10_000

    @pytest.mark.parametrize(("answer", "state"), OUTCOMES.values(), ids=OUTCOMES)
    def test_each_outcome_is_typed(self, serve: Serve, answer: Answer, state: State) -> None:
        history = ask_range(serve(answer).url)
        assert history.state is state
        assert bool(history.detail) == (state is not State.VALUE)
        if state is not State.VALUE:
            with pytest.raises(InputError, match="'load'"):
                usable_series(history, "http://host")

    def test_one_series_after_another_is_several(self, serve: Serve) -> None:
        def answer(conversation: Conversation) -> None:
            time_s = int(conversation.asked.parameters["start"])
            series = [[], [(time_s, "1")]][:: 1 if len(server.asked) % 2 else -1]
            found = [{"metric": {"pod": str(n)}, "values": v} for n, v in enumerate(series) if v]
            conversation.reply_json({"status": "success", "data": {"resultType": "matrix", "result": found}})

        server = serve(answer)
        assert ask_range(server.url, 15_000).state is State.SEVERAL_SERIES

    def test_a_negative_load_is_no_load(self, serve: Serve) -> None:
        history = ask_range(serve(lambda c: c.reply_steps(lambda t: -1.0)).url)
        with pytest.raises(InputError, match="negative"):
            usable_series(history, "http://host")

    @pytest.mark.parametrize(("end_s", "step_s"), [(START - 60, 60), (START, 0), (START, -60)])
    def test_an_unusable_range_is_refused(self, end_s: int, step_s: int) -> None:
        with Prometheus(settings("http://127.0.0.1:1")) as prometheus, pytest.raises(InputError):
            prometheus.read_range("load", START, end_s, step_s)


def test_a_long_query_travels_in_the_body(serve: Serve) -> None:
    server = serve(lambda c: c.reply_steps())
    query = "sum(" + " + ".join(f"load_{n}" for n in range(5000)) + ")"
    with Prometheus(settings(server.url)) as prometheus:
        assert prometheus.read_range(query, START, START, 60).state is State.VALUE
    assert server.asked[0].method == "POST" and server.asked[0].parameters["query"] == query
