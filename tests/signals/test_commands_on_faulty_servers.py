"""Whatever the server of `--prometheus` does, a command ends with one line, code 2 and no file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from faulty_server import Answer, Conversation, FaultyServer
from real_prometheus import free_port

from autoscaler.cli import main
from autoscaler.signals import prometheus
from autoscaler.signals.settings import ConnectionSettings, settings_from_environment

Serve = Callable[[Answer], FaultyServer]


def impatient(url: str) -> ConnectionSettings:
    """As the command line connects, with bounds short enough for a test."""
    bounds = {"connect_timeout_s": 1.0, "read_timeout_s": 0.5, "total_timeout_s": 1.5}
    return replace(settings_from_environment(url), retries=0, max_bytes=2**20, **bounds)  # type: ignore[arg-type]  # by name


def hangs(conversation: Conversation) -> None:
    conversation.wait_until_closed()


def breaks_down(conversation: Conversation) -> None:
    conversation.reply(b"<html><h1>500</h1>\nsecret upstream text</html>", 500, {"Content-Type": "text/html"})


def redirects(conversation: Conversation) -> None:
    conversation.reply(b"", 302, {"Location": "http://elsewhere.example/login"})


def never_ends(conversation: Conversation) -> None:
    conversation.begin(200, {"Content-Type": "application/json"})
    for _ in range(64):
        conversation.wfile.write(b" " * 2**16)
    conversation.close_connection = True


def closes_at_once(conversation: Conversation) -> None:
    conversation.close_connection = True


@pytest.mark.parametrize("command", ["backtest", "forecast", "tune"])
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        pytest.param(None, "no connection to the server", id="closed port"),
        pytest.param(hangs, "did not answer in time", id="hangs"),
        pytest.param(breaks_down, "HTTP 500", id="500 with a page"),
        pytest.param(redirects, "redirects (HTTP 302)", id="302"),
        pytest.param(never_ends, "exceeds 1 MiB", id="enormous"),
        pytest.param(closes_at_once, "the connection broke before the answer was complete", id="hangs up"),
    ],
)
def test_trouble_with_the_server_is_one_line_code_2_and_no_file(
    command: str,
    answer: Answer | None,
    says: str,
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(prometheus, "settings_from_environment", impatient)
    url = f"http://127.0.0.1:{free_port()}" if answer is None else serve(answer).url
    line = f"autoscaler {command} --prometheus {url} --query load --history 1h --json out.json --png out.png"
    monkeypatch.setattr(sys, "argv", line.split())
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capfd.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("autoscaler: ")
    assert says in err
    assert "secret" not in err
    assert "elsewhere" not in err
    assert not list(tmp_path.iterdir())
