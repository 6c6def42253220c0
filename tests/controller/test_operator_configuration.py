"""The operator's own file: what may be in it, and what is said about what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoscaler.controller.configuration import read_configuration
from autoscaler.settings_file import ConfigurationError
from autoscaler.store.pruning import Retention

_DAY_S = 86_400.0
LEAST = "sources: [{url: 'http://prometheus:9090'}]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def faults(file: Path, text: str) -> list[str]:
    """What is said about a file with this text, without its path."""
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_configuration(file)
    return [line.removeprefix(f"{file}: ") for line in str(raised.value).splitlines()]


def test_only_the_url_of_a_source_has_to_be_said(file: Path) -> None:
    file.write_text(LEAST)
    found = read_configuration(file)
    (source,) = found.sources
    assert (source.name, source.method, source.timeout_s) == ("default", "POST", 10.0)
    assert (found.period_s, found.watch_namespaces, found.server.port) == (15.0, (), 8080)
    assert found.store.limits() == Retention(), "what the store forgets by itself"
    election = found.leader_election
    assert election.enabled
    assert (election.lease_duration_s, election.renew_deadline_s, election.retry_period_s) == (
        15.0,
        10.0,
        2.0,
    )


def test_everything_can_be_said(file: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    file.write_text(
        f"""
sources:
  - name: first
    url: https://a.example/prometheus
    tokenFile: {tmp_path / "token"}
    headers: {{X-Scope-OrgID: team-a}}
    method: GET
    timeout: 3s
  - {{name: second, url: "http://b.example"}}
watchNamespaces: [shop, bank]
period: 30s
leaderElection: {{namespace: ops, name: op, leaseDuration: 30s, renewDeadline: 20s, retryPeriod: 5s}}
store:
  url: "postgresql+psycopg://u@db/p"
  maxBytes: 20Gi
  retention: {{decisions: 90d, observations: 2d, hours: 52w, forecasts: 1d, audit: 999d, states: 36h}}
forecasts: {{historyFolder: {tmp_path}}}
server: {{address: 127.0.0.1, port: 0}}
log: {{level: debug, format: console}}
"""
    )
    found = read_configuration(file)
    assert [source.name for source in found.sources] == ["first", "second"]
    assert found.sources[0].connection().total_timeout_s == 3.0
    assert (found.watch_namespaces, found.period_s) == (("shop", "bank"), 30.0)
    assert found.store.limits() == Retention(
        decisions_s=90 * _DAY_S,
        observations_s=2 * _DAY_S,
        hours_s=364 * _DAY_S,
        forecasts_s=_DAY_S,
        audit_s=999 * _DAY_S,
        states_s=1.5 * _DAY_S,
        max_bytes=20 * 2**30,
    )
    assert (found.leader_election.namespace, found.forecasts.history_folder) == ("ops", tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must be a mapping with at least 'sources'"),
        ("- a", "must be a mapping with at least 'sources'"),
        ("period: 15s", "sources: is required"),
        ("sources: []", "sources: "),
        ("sources: [{name: a}]", "sources.0.url: is required"),
        (LEAST + "perod: 15s", "perod: is unknown; check the spelling"),
        (LEAST + "log: {levle: info}", "log.levle: is unknown; check the spelling"),
        ("sources: [{url: 'http://a', token: x}]", "sources.0.token: is unknown; check the spelling"),
        (LEAST + "period: 15", 'period: must be a duration such as "90s"'),
        (LEAST + "period: 0s", "period must be between 1s and 5m"),
        (LEAST + "period: 6m", "period must be between 1s and 5m"),
        (LEAST + "log: {level: chatty}", "log.level: "),
        (LEAST + "server: {port: 70000}", "server.port: "),
        (LEAST + "store: {maxBytes: 1Mi}", "store.maxBytes: must be at least 64Mi"),
        (LEAST + "store: {maxBytes: none}", "store.maxBytes: must be a quantity"),
        (LEAST + "store: {retention: {decisions: 1h}}", "store.retention.decisions: must be between 1d and "),
        (LEAST + "store: {retention: {audit: forever}}", "store.retention.audit: must be a duration"),
        (LEAST + "store: {retention: {memories: 9d}}", "store.retention.memories: is unknown"),
        (LEAST + "store: {retention: {hours: 2d}}", "store.retention: hours must be at least observations"),
        (LEAST + "leaderElection: {renewDeadline: 20s}", "leaderElection: must have leaseDuration > "),
        (LEAST + "leaderElection: {retryPeriod: 0s}", "leaderElection: must have leaseDuration > "),
        ("sources: [{url: 'http://a'}, {url: 'http://b'}]", "names of sources must be unique"),
        ("sources: [{name: 'No Label', url: 'http://a'}]", "sources.0.name: "),
        ("sources: [{url: 'http://a', method: PUT}]", "sources.0.method: "),
        ("sources: [{url: 'ftp://a'}]", "source default: "),
        ("sources: [{url: 'http://a', tokenFile: /does/not/exist}]", "source default: "),
        ("sources: [{url: 'http://a', caFile: /does/not/exist}]", "source default: "),
        ("sources: [{url: 'http://a'", "line 1: not YAML: "),
        ("sources: !!python/object/apply:os.system [ls]", "sources"),
        (LEAST + "period: 30s\nperiod: 15s", "line 3: period: written twice (first on line 2): remove one"),
        (LEAST + "log: {level: info, level: debug}", "line 2: log.level: written twice"),
        (LEAST + LEAST, "line 2: sources: written twice"),
        (LEAST + "---\n" + LEAST, "line 3: a second document"),
        (LEAST + "watch_namespaces: [shop]", "watch_namespaces: is unknown; check the spelling"),
        (LEAST + "period_s: 15s", "period_s: is unknown; check the spelling"),
        ("sources: [{url: 'http://a', timeout_s: 3s}]", "sources.0.timeout_s: is unknown"),
        (LEAST + "leaderElection: {lease_duration: 15s}", "leaderElection.lease_duration: is unknown"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_name(file: Path, text: str, told: str) -> None:
    assert faults(file, text)[0].startswith(told)


def test_every_fault_is_told_at_once(file: Path) -> None:
    found = faults(file, LEAST + "perod: 15s\nlog: {level: chatty}\nserver: {port: -1}\n")
    assert [line.partition(":")[0] for line in found] == ["log.level", "perod", "server.port"] or len(
        found
    ) == 3


def test_a_secret_in_the_wrong_place_is_not_repeated(file: Path) -> None:
    assert "hunter2" not in "".join(faults(file, "sources: [{url: 'http://a', password: hunter2}]"))


def test_a_file_that_is_missing_or_far_too_large_is_told(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_configuration(file)
    assert faults(file, "#" * (1024 * 1024 + 1)) == ["is larger than 1 MiB; name the right file"]
