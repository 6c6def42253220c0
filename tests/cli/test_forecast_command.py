"""`autoscaler forecast`: a history in, a fan of quantiles out, in every form."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from command import GOOD, STEPS, Autoscaler, csv_of


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / "good.csv").write_text(GOOD)
    return tmp_path


def fan(path: Path) -> tuple[list[str], list[list[float]]]:
    header, *rows = list(csv.reader(path.read_text().splitlines()))
    return header, [[float(value) if value else float("nan") for value in row[1:]] for row in rows]


@pytest.mark.parametrize("model", ["trend", "seasonal-naive", "fourier", "auto"])
def test_every_fast_model_gives_a_fan_that_opens_in_order(
    model: str, good: Path, autoscaler: Autoscaler
) -> None:
    line = f"forecast good.csv --model {model} --horizon 2h --quantiles 0.9,0.1,0.5 --csv f.csv --quiet"
    ended = autoscaler(line)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    header, rows = fan(good / "f.csv")
    assert header[0] == "timestamp"
    assert len(header) == 4
    assert len(rows) == 24
    first, last = (good / "f.csv").read_text().splitlines()[1], (good / "f.csv").read_text().splitlines()[-1]
    assert first.startswith("2024-01-04T00:00:00Z,")
    assert last.startswith("2024-01-04T01:55:00Z,")
    for low, middle, high in rows:
        assert 0 <= low <= middle <= high < 1000


def test_all_outputs_are_written_and_the_terminal_shows_the_fan(good: Path, autoscaler: Autoscaler) -> None:
    line = "forecast good.csv --model trend --csv f.csv --json f.json --png f.png --html f.html"
    ended = autoscaler(line)
    assert (ended.code, ended.err) == (0, "")
    assert "good" in ended.out
    assert (good / "f.png").read_bytes().startswith(b"\x89PNG")
    assert (good / "f.html").read_text().lower().startswith("<!doctype html>")
    document = json.loads((good / "f.json").read_text())
    assert "trend" in json.dumps(document)
    assert len(fan(good / "f.csv")[1]) == 12


def test_as_of_a_time_nothing_later_is_used(good: Path, autoscaler: Autoscaler) -> None:
    lines = GOOD.splitlines()
    (good / "early.csv").write_text("\n".join(lines[:601]) + "\n")
    until = lines[600].split(",")[0]
    autoscaler(f"forecast good.csv --until {until} --csv a.csv --quiet")
    autoscaler("forecast early.csv --csv b.csv --quiet")
    assert (good / "a.csv").read_text() == (good / "b.csv").read_text()


def test_history_limits_how_far_back_is_looked(good: Path, autoscaler: Autoscaler) -> None:
    values: list[object] = [1_000_000.0] * (STEPS - 288) + [100.0] * 288
    (good / "step.csv").write_text(csv_of(values))
    autoscaler("forecast step.csv --model trend --history 1d --quantiles 0.5,0.99 --csv f.csv --quiet")
    assert max(max(row) for row in fan(good / "f.csv")[1]) == pytest.approx(100.0)


@pytest.mark.parametrize("model", ["trend", "seasonal-naive", "fourier", "auto"])
@pytest.mark.parametrize("samples", [2, 3, 12, 287, 288])
def test_a_short_history_degrades_and_never_raises(
    model: str, samples: int, tmp_path: Path, autoscaler: Autoscaler
) -> None:
    (tmp_path / "short.csv").write_text(csv_of([50 + index % 3 for index in range(samples)]))
    ended = autoscaler(f"forecast short.csv --model {model} --csv f.csv")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out
    assert len(fan(tmp_path / "f.csv")[1]) == 12


@pytest.mark.slow
@pytest.mark.parametrize("model", ["holt-winters", "stl"])
def test_a_slow_model_answers_from_its_worker(model: str, good: Path, autoscaler: Autoscaler) -> None:
    ended = autoscaler(f"forecast good.csv --model {model} --csv f.csv --json f.json --quiet")
    assert (ended.code, ended.out) == (0, "")
    assert model in (good / "f.json").read_text()
    assert all(0 <= row[0] <= row[-1] < 1000 for row in fan(good / "f.csv")[1])


def test_what_a_manifest_knows_of_the_future_is_in_the_forecast(good: Path, autoscaler: Autoscaler) -> None:
    """GOOD ends on 3 January at midnight; the launch at half past is like that of the 2nd, ten times."""
    (good / "known.yaml").write_text(
        "apiVersion: predictive-autoscaler.dev/v1alpha1\n"
        "kind: PredictiveAutoscaler\n"
        "metadata: {name: checkout}\n"
        "spec:\n"
        "  scaleTargetRef: {kind: Deployment, name: checkout}\n"
        "  maxReplicas: 9\n"
        "  load: {query: up, perReplica: 10}\n"
        "  events:\n"
        "    - name: launch\n"
        "      start: 2024-01-04T00:30:00Z\n"
        "      end: 2024-01-04T02:00:00Z\n"
        "      like: {start: 2024-01-02T00:30:00Z, factor: 10}\n"
    )
    line = "forecast good.csv --model trend --csv {}.csv --json {}.json --quiet"
    assert autoscaler(line.replace("{}", "plain")).code == 0
    ended = autoscaler(line.replace("{}", "known") + " --policy known.yaml")
    assert (ended.code, ended.err) == (0, "")
    plain, known = fan(good / "plain.csv")[1], fan(good / "known.csv")[1]
    assert known[:6] == plain[:6]
    assert min(known[6]) > 3 * max(plain[6])
    assert (
        "event launch: at least the load from 2024-01-02T00:30Z on, times 10"
        in (good / "known.json").read_text()
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--holidays XX", "--holidays 'XX' must be a country whose public holidays are known, such as DE"),
        ("--policy none.yaml", "none.yaml"),
    ],
)
def test_a_future_that_is_not_known_is_refused(
    line: str, told: str, good: Path, autoscaler: Autoscaler
) -> None:
    ended = autoscaler(f"forecast good.csv {line} --quiet")
    assert ended.code != 0
    assert told in ended.err


@pytest.fixture
def tiers(tmp_path: Path) -> Path:
    """A follower whose front, a column beside it, has begun to rise two steps ago; the lag is three."""
    random = np.random.default_rng(5)
    front = 100 * random.lognormal(0, 0.1, 3 * 288)
    front[-2:] = 300.0
    own = 0.5 * np.concatenate([np.full(3, 100.0), front[:-3]]) * random.lognormal(0, 0.02, len(front))
    times = (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=5 * n) for n in range(len(front)))
    rows = zip(times, own.tolist(), front.tolist(), strict=True)
    lines = [f"{time.isoformat()},{mine},{ahead}" for time, mine, ahead in rows]
    (tmp_path / "tiers.csv").write_text("\n".join(["timestamp,value,frontend", *lines]) + "\n")
    return tmp_path


def test_what_the_tier_in_front_saw_is_forecast_of_the_one_behind(
    tiers: Path, autoscaler: Autoscaler
) -> None:
    line = "forecast tiers.csv --quantiles 0.1,0.5,0.9 --horizon 40m --csv f.csv"
    ended = autoscaler(f"{line} --follows frontend")
    assert (ended.code, ended.err) == (0, "")
    assert "follows" in ended.out and "frontend 900 s later at a ratio of 0.5" in " ".join(ended.out.split())
    _, rows = fan(tiers / "f.csv")
    middles = [row[1] for row in rows]
    assert middles[0] < 75 < 130 < min(middles[1:3])
    autoscaler(line)
    _, alone = fan(tiers / "f.csv")
    assert max(row[1] for row in alone) < 75


def test_a_column_to_follow_that_is_not_there_is_named(good: Path, autoscaler: Autoscaler) -> None:
    ended = autoscaler("forecast good.csv --follows frontend")
    assert ended.code == 2
    assert "--follows frontend: good has no such column" in ended.err
