"""Tokens in a file: what is kept of them, what they allow, and that changing the file is enough."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
import yaml
from structlog.testing import capture_logs

from autoscaler.api.access.hashed_token import hashed, is_of, new_token
from autoscaler.api.access.token_file import TokenFile
from autoscaler.api.access.verbs import Verb
from autoscaler.cli.token import token as make_token
from autoscaler.settings_file import ConfigurationError
from autoscaler.signals.errors import InputError

SHOP, EVERYTHING, FIGURES = "pa_shop", "pa_everything", "pa_figures"
LINES = [
    {"name": "shop-team", "hash": hashed(SHOP), "verbs": ["read", "write"], "namespaces": ["shop"]},
    {"name": "root", "hash": hashed(EVERYTHING), "verbs": ["read", "write", "metrics"], "namespaces": ["*"]},
    {"name": "prometheus", "hash": hashed(FIGURES), "verbs": ["metrics"]},
]


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Written:
    """A file of tokens, and the access by it."""

    def __init__(self, path: Path, lines: list[dict[str, object]]) -> None:
        self.path, self.clock = path, Clock()
        self.write(lines)
        self.access = TokenFile(path, self.clock)

    def write(self, lines: list[dict[str, object]]) -> None:
        # Replaced as editors and Kubernetes do it, within the same tick of the file system's clock too.
        beside = self.path.with_suffix(".new")
        beside.write_text(yaml.safe_dump({"tokens": lines}))
        beside.replace(self.path)

    def name(self, token: str) -> str | None:
        caller = asyncio.run(self.access.identify(token))
        return caller.name if caller else None

    def allows(self, token: str, verb: Verb, namespace: str) -> bool:
        async def asked() -> bool:
            caller = await self.access.identify(token)
            return caller is not None and await self.access.allows(caller, verb, namespace)

        return asyncio.run(asked())

    def visible(self, token: str) -> frozenset[str] | None:
        async def asked() -> frozenset[str] | None:
            caller = await self.access.identify(token)
            assert caller is not None
            return await self.access.visible(caller, ["pay", "shop"])

        return asyncio.run(asked())


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path / "tokens.yaml", LINES)


@pytest.mark.parametrize(
    ("token", "name"),
    [(SHOP, "shop-team"), (EVERYTHING, "root"), ("", None), ("pa_", None), (LINES[0]["hash"], None)],
)
def test_a_token_is_known_by_its_hash(written: Written, token: str, name: str | None) -> None:
    assert written.name(token) == name


@pytest.mark.parametrize(
    ("token", "verb", "namespace", "allowed"),
    [
        (SHOP, Verb.READ, "shop", True),
        (SHOP, Verb.WRITE, "shop", True),
        (SHOP, Verb.READ, "pay", False),
        (SHOP, Verb.READ, "", False),
        (SHOP, Verb.READ, "*", False),
        (SHOP, Verb.METRICS, "", False),
        (EVERYTHING, Verb.READ, "pay", True),
        (EVERYTHING, Verb.WRITE, "", True),
        (EVERYTHING, Verb.METRICS, "", True),
        (FIGURES, Verb.METRICS, "", True),
        (FIGURES, Verb.READ, "shop", False),
    ],
)
def test_a_token_allows_what_its_line_says(
    written: Written, token: str, verb: Verb, namespace: str, allowed: bool
) -> None:
    assert written.allows(token, verb, namespace) == allowed


def test_a_list_shows_the_namespaces_of_the_line(written: Written) -> None:
    assert written.visible(SHOP) == {"shop"}
    assert written.visible(FIGURES) == frozenset()
    assert written.visible(EVERYTHING) is None


def test_a_line_that_is_removed_is_gone_within_a_second(written: Written) -> None:
    written.write(LINES[1:])
    assert written.name(SHOP) == "shop-team"
    written.clock.now_s += 1.0
    assert written.name(SHOP) is None
    assert written.name(EVERYTHING) == "root"


def test_all_tokens_can_be_taken_back(written: Written) -> None:
    written.write([])
    written.clock.now_s += 1.0
    assert written.name(EVERYTHING) is None


def test_rights_that_are_taken_back_are_gone_for_who_is_known_already(written: Written) -> None:
    caller = asyncio.run(written.access.identify(EVERYTHING))
    assert caller is not None
    written.write(LINES[:1])
    written.clock.now_s += 1.0
    written.name(SHOP)
    assert not asyncio.run(written.access.allows(caller, Verb.READ, "shop"))
    assert asyncio.run(written.access.visible(caller, ["shop"])) == frozenset()


@pytest.mark.parametrize("broken", ["tokens: [", "tokens: [{name: x}]", "- a", None])
def test_a_file_that_became_unusable_changes_nothing_and_is_complained_of(
    written: Written, broken: str | None
) -> None:
    if broken is None:
        written.path.unlink()
    else:
        written.path.write_text(broken)
    written.clock.now_s += 1.0
    with capture_logs() as told:
        assert written.name(SHOP) == "shop-team"
        written.clock.now_s += 1.0
        written.name(SHOP)
    assert [entry["log_level"] for entry in told] == ["error"]
    written.write(LINES[1:])
    written.clock.now_s += 1.0
    assert written.name(SHOP) is None


def test_a_file_that_is_written_in_place_is_noticed(written: Written) -> None:
    written.path.write_text(yaml.safe_dump({"tokens": LINES[1:]}))
    status = written.path.stat()
    os.utime(written.path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    written.clock.now_s += 1.0
    assert written.name(SHOP) is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ({"hash": "pa_a-token-as-it-is"}, "is no hash of a token"),
        ({"hash": "sha256:00:00"}, "is no hash of a token"),
        ({"hash": hashed("x").upper()}, "is no hash of a token"),
        ({"verbs": []}, "verbs"),
        ({"verbs": ["delete"]}, "verbs"),
        ({"namespaces": []}, "needs namespaces"),
        ({"namespaces": [""]}, "namespaces"),
        ({"name": ""}, "name"),
        ({"role": "admin"}, "is unknown"),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused(tmp_path: Path, line: dict[str, object], fault: str) -> None:
    path = tmp_path / "tokens.yaml"
    path.write_text(yaml.safe_dump({"tokens": [{**LINES[0], **line}]}))
    with pytest.raises(ConfigurationError, match=fault) as refused:
        TokenFile(path)
    assert "a-token-as-it-is" not in str(refused.value)


def test_two_lines_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.yaml"
    path.write_text(yaml.safe_dump({"tokens": [LINES[0], {**LINES[1], "name": "shop-team"}]}))
    with pytest.raises(ConfigurationError, match="unique"):
        TokenFile(path)


def test_a_hash_tells_neither_the_token_nor_that_two_are_the_same() -> None:
    token = new_token()
    assert hashed(token) != hashed(token)
    assert token not in hashed(token)
    assert is_of(token, hashed(token))
    assert not is_of(token + "x", hashed(token))


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(token.startswith("pa_") and len(token) >= 46 for token in tokens)


def test_the_line_that_the_command_prints_lets_its_token_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_token('Grafana: "dashboards" # ü', [Verb.READ], ["shop", "pay"])
    printed = capsys.readouterr()
    secret = printed.err.split()[-1]
    assert secret not in printed.out
    path = tmp_path / "tokens.yaml"
    path.write_text(f"tokens:\n{printed.out}", encoding="utf-8")
    caller = asyncio.run(TokenFile(path).identify(secret))
    assert caller is not None
    assert caller.name == 'Grafana: "dashboards" # ü'


@pytest.mark.parametrize(("name", "namespaces"), [("", ["*"]), ("x", []), ("x", [""])])
def test_no_token_is_made_for_a_line_that_would_be_refused(
    name: str, namespaces: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="no token was made"):
        make_token(name, [Verb.READ], namespaces)
    assert capsys.readouterr() == ("", "")
