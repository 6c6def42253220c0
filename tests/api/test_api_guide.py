"""The commands of docs/api.md do what the page says, against a service that listens."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guide_commands import needs_curl_and_jq
from served import served
from whole_service import service_over

from autoscaler.api.app import API
from autoscaler.api.health import WorkloadProblem

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|json)\n(.*?)```", PAGE, re.DOTALL)
MARK = "@@@ the end of block {} @@@"

pytestmark = needs_curl_and_jq


@pytest.fixture(scope="module")
def url(a_quarter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    copy = shutil.copy(a_quarter, tmp_path_factory.mktemp("guide") / "store.db")
    with service_over(copy) as made, served(made.app) as found:
        yield found


@pytest.fixture(scope="module")
def outputs(url: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block of commands printed; all were run one after the other in one shell."""
    commands = [text for kind, text in BLOCKS if kind == "sh"]
    script = "".join(f"{text}\necho '{MARK.format(at)}'\n" for at, text in enumerate(commands))
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path_factory.mktemp("commands"),
        env={**os.environ, "API": f"{url}{API}", "TOKEN": "root-token"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return re.split(r"@@@ the end of block \d+ @@@\n", ended.stdout)


def last_json(text: str) -> Any:
    """The last of several JSON texts."""
    decoder, at, value = json.JSONDecoder(), 0, None
    while at < len(text.rstrip()):
        value, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
    return value


def alike(shown: Any, told: Any) -> bool:
    """Whether who reads the one expects the other: the same fields with the same kinds of values."""
    match shown:
        case dict():
            same = isinstance(told, dict) and shown.keys() == told.keys()
            return same and all(alike(shown[name], told[name]) for name in shown)
        case list():
            return isinstance(told, list) and len(shown) == len(told) and all(map(alike, shown, told))
        case int() | float() if not isinstance(shown, bool):
            return isinstance(told, int | float)
        case str():
            return isinstance(told, str) and bool(shown) == bool(told)
        case _:
            return bool(shown == told)


def shown_after() -> Iterator[tuple[int, Any]]:
    """What the page shows after which block of commands."""
    commands = -1
    for kind, text in BLOCKS:
        if kind == "sh":
            commands += 1
        else:
            yield commands, json.loads(text)


@pytest.mark.parametrize(("block", "shown"), list(shown_after()), ids=lambda value: str(value)[:30])
def test_what_the_page_shows_is_what_is_answered(outputs: list[str], block: int, shown: Any) -> None:
    told = last_json(outputs[block])
    assert alike(shown, told), told


def test_every_command_of_the_page_answers_with_something(outputs: list[str]) -> None:
    silent = [text for (_, text), out in zip(_commands(), outputs, strict=False) if not out.strip()]
    assert [text.splitlines()[0][:12] for text in silent] == ["ask() { curl", 'ask -G "$API'], (
        "a function, and a file"
    )


def test_no_answer_of_the_page_is_a_problem_but_the_one_it_shows(outputs: list[str]) -> None:
    assert sum('"about:blank"' in out for out in outputs) == 1
    assert outputs[-2].count('"errors"') == 1


def test_the_stream_begins_at_once(outputs: list[str]) -> None:
    (stream,) = [out for out in outputs if out.startswith("retry: ")]
    assert re.match(r"retry: 2000\nid: [0-9a-z]{13}\n", stream)


def test_the_table_of_problems_names_them_all() -> None:
    rows = re.findall(r"^\| `([A-Z][A-Za-z]+)` \|", PAGE, re.MULTILINE)
    assert rows == [str(problem) for problem in WorkloadProblem]


def _commands() -> list[tuple[str, str]]:
    return [block for block in BLOCKS if block[0] == "sh"]
