"""Bad input: one line on stderr that says what, where and what to do; code 2; nothing written."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from command import GOOD, MANIFEST, STEPS, Autoscaler, csv_of, timestamps

TIMES = timestamps(STEPS)
NUMBERS: list[object] = [100 + index % 50 for index in range(STEPS)]


def with_value(at: int, value: object) -> str:
    return csv_of([*NUMBERS[:at], value, *NUMBERS[at + 1 :]])


FILES: dict[str, str] = {
    "good.csv": GOOD,
    "empty.csv": "",
    "blank.csv": "\n\n  \n",
    "header.csv": "timestamp,value\n",
    "columns.csv": csv_of(NUMBERS, header="time,load"),
    "text.csv": with_value(5, "many"),
    "infinite.csv": with_value(5, "inf"),
    "negative.csv": with_value(5, -1),
    "short-row.csv": GOOD.replace(",105\n", "\n", 1),
    "unsorted.csv": csv_of(NUMBERS, [*TIMES[9:], *TIMES[:9]]),
    "duplicate.csv": csv_of(NUMBERS, [*TIMES[:9], TIMES[8], *TIMES[10:]]),
    "irregular.csv": csv_of(NUMBERS, [*TIMES[:9], TIMES[9].replace(":00Z", ":17Z"), *TIMES[10:]]),
    "local.csv": csv_of(NUMBERS, [time[:-1] for time in TIMES]),
    "nonsense-time.csv": csv_of(NUMBERS, [*TIMES[:5], "yesterday", *TIMES[6:]]),
    "nothing.csv": csv_of(["" for _ in NUMBERS]),
    "nan.csv": csv_of(["NaN" for _ in NUMBERS]),
    "one.csv": csv_of([5]),
    "zero.csv": csv_of([0 for _ in NUMBERS]),
    "broken.json": '{"status": "success", "data": ',
    "error.json": '{"status": "error", "errorType": "bad_data", "error": "parse error"}',
    "samples.txt": "60\n90\nsoon\n",
    "slow-samples.txt": "60\n" * 99 + "300000\n",
    "no-samples.txt": "# nothing yet\n",
    "ok.yaml": MANIFEST.format(low=1, high=60, per_replica=10),
    "twin.yaml": MANIFEST.format(low=1, high=60, per_replica=10),
    "hpa.yaml": MANIFEST.format(low=1, high=60, per_replica=10).replace(
        "name: checkout, namespace", "name: hpa, namespace"
    ),
    "min-above-max.yaml": MANIFEST.format(low=5, high=2, per_replica=10),
    "per-replica-0.yaml": MANIFEST.format(low=1, high=2, per_replica=0),
    "not.yaml": "spec: [",
    "deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n",
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "binary.csv").write_bytes(bytes(range(128, 256)) * 10)
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(GOOD.encode())[:-200])
    (tmp_path / "folder").mkdir()
    with (tmp_path / "gigabyte.csv").open("wb") as file:
        file.truncate(2**30)  # sparse
    return tmp_path


BAD = [
    ("missing.csv", r"missing\.csv: no such file"),
    ("empty.csv", r"empty\.csv: is empty"),
    ("blank.csv", r"blank\.csv: is empty"),
    ("header.csv", r"header\.csv: .*no data"),
    ("folder", r"folder: is a directory"),
    ("columns.csv", r"columns\.csv: line 1 .*timestamp,value"),
    ("text.csv", r"text\.csv: line 7: .*'many'"),
    ("infinite.csv", r"infinite\.csv: line 7: .*inf"),
    ("negative.csv", r"negative\.csv: line 7: .*negative"),
    ("short-row.csv", r"short-row\.csv: line 7"),
    ("unsorted.csv", r"unsorted\.csv: line \d+ .*sort"),
    ("duplicate.csv", r"duplicate\.csv: line 11 repeats"),
    ("irregular.csv", r"irregular\.csv: line 11 .*resample"),
    ("local.csv", r"local\.csv: line 2: .*--time-zone"),
    ("local.csv --time-zone Mars/Olympus", r"'Mars/Olympus' is not a known time zone"),
    ("nonsense-time.csv", r"nonsense-time\.csv: line 7: .*yesterday"),
    ("nothing.csv", r"nothing\.csv: every value is missing"),
    ("nan.csv", r"nan\.csv: every value is missing"),
    ("one.csv", r"one\.csv: .*single sample"),
    ("zero.csv", r"zero: the load is zero throughout; give --per-replica"),
    ("gigabyte.csv", r"gigabyte\.csv: holds more than 256 MiB"),
    ("binary.csv", r"binary\.csv: line 1 is not UTF-8"),
    ("cut.csv.gz", r"cut\.csv\.gz: the gzip data ends early"),
    ("broken.json", r"broken\.json"),
    ("error.json", r"error\.json"),
    ("good.csv missing.csv", r"missing\.csv: no such file"),
    ("good.csv good.csv", r"two traces are called good"),
    ("good.csv --warm-up 3d", r"good: --warm-up 3d leaves nothing to score of 3 days; give a shorter"),
    ("good.csv --warm-up soon", r"--warm-up 'soon': must be a duration"),
    ("good.csv --from 2025-01-01T00:00:00Z", r"good: nothing is left between --from and --until"),
    ("good.csv --until yesterday", r"--until 'yesterday': must be an RFC 3339 time"),
    ("good.csv --baselines hap", r"no baseline 'hap'; did you mean 'hpa'"),
    ("good.csv --baselines hpa,none", r"none stands alone"),
    ("good.csv --baselines hpa:target=x", r"target=x"),
    ("good.csv --baselines static:replicas=0", r"replicas=0"),
    ("good.csv --policy min-above-max.yaml", r"min-above-max\.yaml:6: spec\.minReplicas: .*maxReplicas"),
    (
        "good.csv --policy per-replica-0.yaml",
        r"per-replica-0\.yaml:8: spec\.load\.perReplica: .*more than zero",
    ),
    ("good.csv --policy not.yaml", r"not\.yaml:1: not YAML"),
    ("good.csv --policy deployment.yaml", r"deployment\.yaml"),
    ("good.csv --policy missing.yaml", r"missing\.yaml: no such file"),
    ("good.csv --policy ok.yaml --policy twin.yaml", r"two policies are called checkout"),
    ("good.csv --policy hpa.yaml", r"policy hpa is called like a baseline"),
    ("good.csv --quantiles 0.5,1.5", r"--quantiles: 1\.5 is not between 0 and 1"),
    ("good.csv --quantiles often", r"--quantiles 'often': is not a number"),
    ("good.csv --start-up fast", r"--start-up 'fast': must be a duration"),
    ("good.csv --start-up 72h", r"--start-up: .*as long as good"),
    ("good.csv --start-up-from samples.txt", r"samples\.txt:3: 'soon': is not a number"),
    ("good.csv --start-up-from no-samples.txt", r"no-samples\.txt: holds no sample"),
    ("good.csv --start-up-from slow-samples.txt", r"--start-up-from: 300000 s is as long as good"),
    ("good.csv --start-up-from missing.txt", r"missing\.txt: cannot be read"),
    ("good.csv --seed -1", r"--seed"),
    ("good.csv --metric-lag late", r"--metric-lag 'late': must be a duration"),
    ("good.csv --metric-lag 72h", r"--metric-lag: .*as long as good"),
    ("good.csv --jobs 0", r"--jobs.*greater than or equal to 1"),
    ("good.csv --jobs many", r"--jobs.*integer"),
    ("good.csv --price -1", r"--price -1 must be a number of at least zero"),
    ("good.csv --price nan", r"--price nan must be a number of at least zero"),
    ("good.csv --price cheap", r"--price.*number"),
    ("good.csv --per-replica 0", r"--per-replica 0 must be a number above zero"),
    ("good.csv --per-replica nan", r"--per-replica nan must be a number above zero"),
    ("good.csv --per-replica 1e-9", r"good: the peak needs .* replicas"),
    ("good.csv --fleet 0", r"--fleet 0 must be a number above zero"),
    ("good.csv --fleet 5 --per-replica 5", r"--per-replica or --fleet, not both"),
    ("good.csv --model crystal-ball", r"--model 'crystal-ball' is unknown; choose one of auto"),
    ("good.csv --history 2d", r"--history 2d: is for --prometheus; of a file use --from and --until"),
    ("good.csv --step 5m", r"--step 5m: is for --prometheus"),
    ("good.csv --query up", r"--query up: is for --prometheus"),
    ("good.csv --prometheus http://localhost", r"either files or --prometheus, not both"),
    ("--prometheus http://localhost", r"--prometheus needs --query"),
    ("", r"name a recorded file"),
    ("good.csv --html no/where/report.html", r"cannot write no/where/report\.html: .*does not exist"),
    ("good.csv --json folder", r"cannot write folder: it is a directory"),
    ("good.csv --turbo", r"--turbo.*--help"),
]


def one_line(err: str) -> str:
    """The line, after checking that it is one and no traceback."""
    assert "Traceback" not in err
    lines = err.splitlines()
    assert len(lines) == 1, err
    return lines[0]


@pytest.mark.parametrize(("options", "says"), [pytest.param(*case, id=case[0] or "no input") for case in BAD])
def test_a_backtest_of_bad_input_says_so_in_one_line_and_writes_nothing(
    options: str, says: str, files: Path, autoscaler: Autoscaler
) -> None:
    older = {"out.html", "out.json", "out.png", "out.csv"}
    for name in older:
        (files / name).write_text(f"older {name}")
    before = sorted(path.name for path in files.iterdir())
    outputs = "--html out.html --json out.json --png out.png --timeline out.csv"
    # The last of an option given twice counts, so the case's own come last.
    ended = autoscaler(f"backtest --quiet {outputs} {options}")
    assert ended.code == 2
    assert ended.out == ""
    assert re.search(says, one_line(ended.err)), ended.err
    assert ended.err.startswith("autoscaler: ")
    assert sorted(path.name for path in files.iterdir()) == before
    for name in older:
        assert (files / name).read_text() == f"older {name}"


FORECAST_BAD = [
    ("missing.csv", r"missing\.csv: no such file"),
    ("nan.csv", r"every value is missing"),
    ("one.csv", r"single sample"),
    ("", r"name a recorded file"),
    ("good.csv --horizon 0s", r"--horizon '0s'"),
    ("good.csv --horizon 99999h", r"--horizon 99999h is .* steps"),
    ("good.csv --quantiles 0", r"--quantiles: 0 is not between 0 and 1"),
    ("good.csv --quantiles ,", r"--quantiles is empty"),
    ("good.csv --seasons monthly", r"--seasons 'monthly': must be a duration"),
    ("good.csv --history 0s", r"--history '0s'"),
    ("good.csv --step 5m", r"--step 5m: is for --prometheus"),
    ("good.csv --query up", r"--query up: is for --prometheus"),
    ("good.csv --model crystal-ball", r"--model 'crystal-ball' is unknown"),
    ("good.csv --until 2023-01-01T00:00:00Z", r"nothing is left"),
    ("good.csv --png folder", r"cannot write folder"),
    ("good.csv good.csv", r"unexpected extra argument"),
]


@pytest.mark.parametrize(
    ("options", "says"), [pytest.param(*case, id=case[0] or "no input") for case in FORECAST_BAD]
)
def test_a_forecast_of_bad_input_says_so_in_one_line_and_writes_nothing(
    options: str, says: str, files: Path, autoscaler: Autoscaler
) -> None:
    before = sorted(path.name for path in files.iterdir())
    ended = autoscaler(f"forecast --csv out.csv --html out.html {options}")
    assert (ended.code, ended.out) == (2, "")
    assert re.search(says, one_line(ended.err)), ended.err
    assert sorted(path.name for path in files.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("good.csv --history 2d", r"--history 2d: is for --prometheus"),
        ("good.csv --step 5m", r"--step 5m: is for --prometheus"),
        ("good.csv --query up --policy ok.yaml", r"--query up: is for --prometheus"),
    ],
)
def test_tuning_on_a_file_takes_nothing_that_is_for_prometheus(
    options: str, says: str, files: Path, autoscaler: Autoscaler
) -> None:
    ended = autoscaler(f"tune --quiet --json out.json {options}")
    assert (ended.code, ended.out) == (2, "")
    assert re.search(says, one_line(ended.err)), ended.err
    assert not (files / "out.json").exists()


def test_a_directory_that_nobody_may_write_to_is_refused(files: Path, autoscaler: Autoscaler) -> None:
    # Not even root makes files there, so this holds for whoever runs the test.
    ended = autoscaler("backtest good.csv --quiet --model trend --baselines none --html /proc/report.html")
    assert (ended.code, ended.out) == (2, "")
    assert "cannot write /proc/report.html" in one_line(ended.err)


def test_an_output_below_a_file_is_refused(files: Path, autoscaler: Autoscaler) -> None:
    ended = autoscaler("backtest good.csv --html good.csv/report.html")
    assert ended.code == 2
    assert "is not a directory" in one_line(ended.err)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("backtest good.csv --timeline good.csv", r"--timeline good\.csv: this file is also read"),
        ("backtest good.csv --timeline ./folder/../good.csv", r"good\.csv: this file is also read"),
        ("backtest good.csv --json linked.csv", r"--json linked\.csv: this file is also read"),
        ("backtest good.csv --json same-file.csv", r"--json same-file\.csv: this file is also read"),
        ("backtest good.csv --policy ok.yaml --json ok.yaml", r"--json ok\.yaml: this file is also read"),
        ("backtest good.csv --start-up-from s.txt --png s.txt", r"--png s\.txt: this file is also read"),
        (
            "backtest good.csv --baselines hpa:behavior=b.json --json b.json",
            r"b\.json: this file is also read",
        ),
        ("backtest good.csv --html same --json same", r"--json same: --html is written there too"),
        ("forecast good.csv --csv good.csv", r"--csv good\.csv: this file is also read"),
        ("forecast good.csv --policy ok.yaml --html ok.yaml", r"--html ok\.yaml: this file is also read"),
        ("forecast good.csv --csv same --json same", r"--json same: --csv is written there too"),
        ("tune good.csv --json good.csv", r"--json good\.csv: this file is also read"),
        ("tune good.csv --policy ok.yaml --png ok.yaml", r"--png ok\.yaml: this file is also read"),
        ("tune good.csv --png same --json same", r"--png same: --json is written there too"),
    ],
)
def test_an_output_never_replaces_an_input_or_another_output(
    line: str, says: str, files: Path, autoscaler: Autoscaler
) -> None:
    (files / "linked.csv").symlink_to("good.csv")
    (files / "same-file.csv").hardlink_to(files / "good.csv")
    (files / "s.txt").write_text("60\n")
    (files / "b.json").write_text("{}")
    before = {path: path.stat().st_mtime_ns for path in files.iterdir()}
    ended = autoscaler(f"{line} --quiet")
    assert (ended.code, ended.out) == (2, "")
    assert re.search(says, one_line(ended.err)), ended.err
    assert {path: path.stat().st_mtime_ns for path in files.iterdir()} == before


def test_several_outputs_may_go_to_a_device(files: Path, autoscaler: Autoscaler) -> None:
    nowhere = "--csv /dev/null --json /dev/null"
    assert autoscaler(f"forecast good.csv --model trend --quiet {nowhere}").code == 0


@pytest.mark.parametrize("level", [7, 0.001])
def test_a_constant_load_is_a_load(level: float, tmp_path: Path, autoscaler: Autoscaler) -> None:
    (tmp_path / "constant.csv").write_text(csv_of([level] * STEPS))
    ended = autoscaler("backtest constant.csv --model trend --baselines hpa,oracle")
    assert (ended.code, ended.err) == (0, "")
    assert "constant" in ended.out


def test_a_load_of_zero_is_reported_honestly_once_a_capacity_is_stated(
    files: Path, autoscaler: Autoscaler
) -> None:
    ended = autoscaler(
        "backtest zero.csv --per-replica 10 --model trend --baselines hpa,oracle --json zero.json"
    )
    assert (ended.code, ended.err) == (0, "")
    for policy in json.loads((files / "zero.json").read_text())["traces"][0]["policies"]:
        assert policy["scores"]["unserved_share"] == 0.0  # nothing was asked, so nothing went unserved
        assert policy["scores"]["replica_hours"] == pytest.approx(24.0)  # the one replica of the third day


def test_a_gap_in_the_middle_is_no_fault(tmp_path: Path, autoscaler: Autoscaler) -> None:
    (tmp_path / "gap.csv").write_text(csv_of([*NUMBERS[:500], *[""] * 100, *NUMBERS[600:]]))
    ended = autoscaler("backtest gap.csv --model trend --baselines hpa --timeline t.csv --quiet")
    assert (ended.code, ended.err) == (0, "")
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 1 + 2 * STEPS
