"""The command line is a contract: options, names, columns and exit codes stay as they are."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import yaml
from command import GOOD, MANIFEST, STEPS, Autoscaler, timestamps
from typer.core import TyperGroup
from typer.main import get_command

from autoscaler.cli.app import app

BACKTEST = (
    *(
        "--prometheus",
        "--query",
        "--history",
        "--step",
        "--policy",
        "--baselines",
        "--per-replica",
        "--fleet",
    ),
    *("--start-up", "--start-up-from", "--metric-lag", "--quantiles", "--warm-up", "--from", "--until"),
    *("--price", "--jobs", "--html", "--json", "--png", "--timeline", "--quiet", "--time-zone"),
)
FORECAST = (
    *("--prometheus", "--query", "--history", "--step", "--model", "--horizon", "--quantiles", "--until"),
    *("--time-zone", "--html", "--png", "--csv", "--json", "--quiet"),
)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / "good.csv").write_text(GOOD)
    (tmp_path / "checkout.yaml").write_text(MANIFEST.format(low=1, high=60, per_replica=10))
    return tmp_path


@pytest.mark.parametrize(("command", "options"), [("backtest", BACKTEST), ("forecast", FORECAST)])
def test_every_option_of_the_contract_exists(command: str, options: tuple[str, ...]) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    named = {option for parameter in group.commands[command].params for option in parameter.opts}
    assert [option for option in options if option not in named] == []


@pytest.mark.parametrize("command", ["backtest", "tune", "forecast", "check", "crd", "promote", "demo"])
def test_every_command_explains_itself(command: str, autoscaler: Autoscaler) -> None:
    ended = autoscaler(f"{command} -h")
    assert (ended.code, ended.err) == (0, "")
    assert f"autoscaler {command}" in ended.out


def test_the_version_is_printed(autoscaler: Autoscaler) -> None:
    ended = autoscaler("--version")
    assert ended.code == 0
    assert re.fullmatch(r"autoscaler \d+\.\d+\.\d+\S*\n", ended.out)


def test_without_a_command_the_help_is_shown_and_the_code_says_so(autoscaler: Autoscaler) -> None:
    ended = autoscaler("")
    assert ended.code == 2
    assert "backtest" in ended.out
    assert ended.err == "autoscaler: no command given; see autoscaler --help\n"


def test_the_timeline_has_one_row_per_trace_policy_and_step(good: Path, autoscaler: Autoscaler) -> None:
    (good / "other.csv").write_text(GOOD)
    line = "backtest good.csv other.csv --policy checkout.yaml --quantiles 0.8,0.50"
    ended = autoscaler(f"{line} --baselines hpa,static:replicas=20 --quiet --timeline t.csv")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    lines = (good / "t.csv").read_text().splitlines()
    assert lines[0] == "trace,policy,timestamp,load,desired,ready"
    rows = list(csv.reader(lines[1:]))
    names = ["checkout", "checkout@q0.5", "checkout@q0.8", "hpa", "static:replicas=20"]
    expected = [
        (trace, policy, time) for trace in ("good", "other") for policy in names for time in timestamps(STEPS)
    ]
    assert [tuple(row[:3]) for row in rows] == expected
    assert all(row[4].isdigit() and row[5].isdigit() for row in rows)
    assert {row[4] for row in rows if row[1] == "static:replicas=20"} == {"20"}


def test_quiet_is_quiet_and_without_it_the_table_is_on_stdout(good: Path, autoscaler: Autoscaler) -> None:
    quiet = autoscaler("backtest good.csv --model trend --baselines hpa --quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    loud = autoscaler("backtest good.csv --model trend --baselines hpa")
    assert (loud.code, loud.err) == (0, "")
    assert "predictive" in loud.out
    assert "hpa" in loud.out


def test_every_output_is_written_and_replaces_an_older_one(good: Path, autoscaler: Autoscaler) -> None:
    for name in ("r.html", "r.json", "r.png", "t.csv.gz"):
        (good / name).write_text("older")
    line = "backtest good.csv --model trend --baselines hpa,oracle --quiet"
    ended = autoscaler(f"{line} --html r.html --json r.json --png r.png --timeline t.csv.gz")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (good / "r.html").read_text().lower().startswith("<!doctype html>")
    assert [one["policy"] for one in json.loads((good / "r.json").read_text())["traces"][0]["policies"]] == [
        "predictive",
        "hpa",
        "oracle",
    ]
    assert (good / "r.png").read_bytes().startswith(b"\x89PNG")
    assert (good / "t.csv.gz").read_bytes().startswith(b"\x1f\x8b")


def policies(ended_json: Path) -> dict[str, dict[str, object]]:
    (trace,) = json.loads(ended_json.read_text())["traces"]
    return {one["policy"]: one for one in trace["policies"]} | {"": trace}


@pytest.mark.parametrize(
    ("options", "per_replica"),
    [
        pytest.param("--per-replica 12.5", 12.5, id="stated"),
        pytest.param("--fleet 10", 12.43, id="a tenth of the mean load"),
        pytest.param("", 6.215, id="a twentieth without either"),
        pytest.param("--policy checkout.yaml", 10.0, id="the manifest's"),
        pytest.param("--policy checkout.yaml --per-replica 5", 5.0, id="stated beats the manifest"),
    ],
)
def test_capacity_comes_from_where_it_is_said(
    options: str, per_replica: float, good: Path, autoscaler: Autoscaler
) -> None:
    assert autoscaler(f"backtest good.csv --baselines none --quiet --json r.json {options}").code == 0
    assert policies(good / "r.json")[""]["per_replica"] == pytest.approx(per_replica, rel=2e-3)


def test_price_warm_up_and_cut_reach_the_figures(good: Path, autoscaler: Autoscaler) -> None:
    line = "backtest good.csv --model none --baselines static:replicas=10 --quiet --json r.json"
    cut = "--from 2024-01-01T12:00:00Z --until 2024-01-02T11:55:00Z"
    assert autoscaler(f"{line} --price 2 --warm-up 6h {cut}").code == 0
    found = policies(good / "r.json")
    scores = found["static:replicas=10"]["scores"]
    assert (found[""]["steps"], found[""]["scored_steps"]) == (288, 216)
    assert found[""]["scored_from"] == "2024-01-01T18:00:00Z"
    assert isinstance(scores, dict)
    assert scores["replica_hours"] == pytest.approx(180.0)
    assert scores["money"] == pytest.approx(360.0)


def test_recorded_start_up_times_are_drawn_with_the_seed(good: Path, autoscaler: Autoscaler) -> None:
    (good / "starts.txt").write_text("# seconds\n60\n1800\n")

    def timeline(seed: int) -> str:
        line = "backtest good.csv --model none --baselines none --quiet --start-up-from starts.txt"
        assert autoscaler(f"{line} --seed {seed} --timeline t.csv").code == 0
        return (good / "t.csv").read_text()

    assert timeline(1) == timeline(1) != timeline(2)


def test_local_times_are_read_in_their_zone(good: Path, autoscaler: Autoscaler) -> None:
    (good / "local.csv").write_text(GOOD.replace("Z,", ","))
    line = "backtest local.csv --model none --baselines none --quiet --timeline t.csv"
    assert autoscaler(f"{line} --time-zone Asia/Kathmandu").code == 0
    assert (good / "t.csv").read_text().splitlines()[1].split(",")[2] == "2023-12-31T18:15:00Z"


def test_check_answers_with_its_exit_code(good: Path, autoscaler: Autoscaler) -> None:
    fine = autoscaler("check checkout.yaml")
    assert (fine.code, fine.err) == (0, "")
    assert "ok" in fine.out
    (good / "bad.yaml").write_text(MANIFEST.format(low=5, high=2, per_replica=10))
    bad = autoscaler("check bad.yaml")
    assert (bad.code, bad.out) == (1, "")
    assert bad.err.startswith("bad.yaml:6: spec.minReplicas: ")
    absent = autoscaler("check absent.yaml")
    assert (absent.code, absent.out) == (2, "")
    assert absent.err.startswith("absent.yaml: ")


def test_the_crd_is_yaml_and_always_the_same(autoscaler: Autoscaler) -> None:
    first = autoscaler("crd")
    assert (first.code, first.err) == (0, "")
    assert yaml.safe_load(first.out)["kind"] == "CustomResourceDefinition"
    assert autoscaler("crd").out == first.out


@pytest.mark.slow
def test_the_demo_compares_and_names_the_report_it_wrote(tmp_path: Path, autoscaler: Autoscaler) -> None:
    ended = autoscaler("demo --report here.html")
    assert (ended.code, ended.err) == (0, "")
    for word in ("predictive", "hpa-tuned", "keda", "oracle", "here.html"):
        assert word in ended.out
    assert (tmp_path / "here.html").read_text().lower().startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["here.html"]
