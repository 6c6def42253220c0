"""Recorded files are read exactly, or refused in one line that says what, where and what to do."""

from __future__ import annotations

import gzip
import json
import os
import resource
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.signals.errors import InputError
from autoscaler.signals.recorded import read_recorded

HEADER = "timestamp,value\n"
SAMPLES = Path(__file__).resolve().parents[2] / "autoscaler" / "backtest" / "samples"
TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file and give its path."""

    def write(content: str | bytes, name: str = "load.csv") -> Path:
        path = tmp_path / name
        raw = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return path

    return write


def refusal(path: Path, **settings: object) -> str:
    """The message with which a file is refused."""
    with pytest.raises(InputError) as caught:
        read_recorded(path, **settings)  # type: ignore[arg-type]  # settings vary by test
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


@pytest.mark.parametrize(
    ("rows", "start_s"),
    [
        pytest.param("2024-01-01T00:00:00Z,1\n2024-01-01T00:01:00Z,2.5\n", 1704067200, id="ISO with Z"),
        pytest.param(
            "2024-01-01T01:00:00+01:00,1\n2024-01-01T01:01:00+01:00,2.5\n", 1704067200, id="ISO with offset"
        ),
        pytest.param(
            "2024-01-01 00:00:00.000Z,1\n2024-01-01 00:01:00.000Z,2.5\n", 1704067200, id="fractions"
        ),
        pytest.param("1704067200,1\n1704067260,2.5\n", 1704067200, id="epoch seconds"),
        pytest.param("1704067200000,1\n1704067260000,2.5\n", 1704067200, id="epoch milliseconds"),
        pytest.param("0,1\n60,2.5\n", 0, id="relative seconds"),
        pytest.param('"2024-01-01T00:00:00Z","1"\n"2024-01-01T00:01:00Z","2.5"\n', 1704067200, id="quoted"),
        pytest.param("2024-01-01T00:00:00Z,1\r\n2024-01-01T00:01:00Z,2.5\r\n", 1704067200, id="CRLF"),
        pytest.param(
            "2024-01-01T00:00:00Z,1\n\n2024-01-01T00:01:00Z,2.5", 1704067200, id="blank line, no end"
        ),
    ],
)
def test_a_file_is_read_as_written(write: Write, rows: str, start_s: int) -> None:
    series = read_recorded(write(HEADER + rows))
    assert (series.name, series.start_s, series.step_s) == ("load", start_s, 60)
    assert series.values.tolist() == [1.0, 2.5]


def test_offsets_may_change_within_a_file(write: Write) -> None:
    rows = "2024-03-31T01:00:00+01:00,1\n2024-03-31T03:00:00+02:00,2\n2024-03-31T04:00:00+02:00,3\n"
    assert read_recorded(write(HEADER + rows)).step_s == 3600


@pytest.mark.parametrize("name", ["load.csv", "load.csv.gz"])
def test_the_name_is_the_file_without_endings(write: Write, name: str) -> None:
    assert read_recorded(write(HEADER + "0,1\n1,2\n", name)).name == "load"


def test_a_byte_order_mark_is_no_part_of_the_header(write: Write) -> None:
    assert len(read_recorded(write(b"\xef\xbb\xbf" + (HEADER + "0,1\n1,2\n").encode()))) == 2


@pytest.mark.parametrize("step_s", [1, 15, 3600, 86_400])
def test_the_step_is_the_most_common_difference(write: Write, step_s: int) -> None:
    times = [0, 1, 2, 5, 6]
    series = read_recorded(write(HEADER + "".join(f"{t * step_s},{t}\n" for t in times)))
    assert series.step_s == step_s
    np.testing.assert_array_equal(series.values, [0, 1, 2, np.nan, np.nan, 5, 6])


def test_a_gap_is_not_zero(write: Write) -> None:
    values = read_recorded(write(HEADER + "0,1\n60,\n120,0\n240,NaN\n300,3\n")).values
    np.testing.assert_array_equal(values, [1, np.nan, 0, np.nan, np.nan, 3])


def test_values_keep_every_bit(write: Write) -> None:
    written = [0.1, 1 / 3, 1e-300, 123456789.123456789, 5e-324]
    rows = "".join(f"{i},{value!r}\n" for i, value in enumerate(written))
    assert read_recorded(write(HEADER + rows)).values.tolist() == written


def test_constant_and_zero_loads_are_loads(write: Write) -> None:
    assert read_recorded(write(HEADER + "0,0\n1,0\n2,0\n")).values.tolist() == [0, 0, 0]


class TestFurtherColumns:
    CONTENT = "timestamp,value,cpu,label,wild\n0,1,-0.5,a,inf\n60,2,,b,1\n180,3,0.7,c,2\n"

    def test_numbers_are_read_and_others_left_out(self, write: Write) -> None:
        columns = read_recorded(write(self.CONTENT)).columns
        assert list(columns) == ["cpu"]
        np.testing.assert_array_equal(columns["cpu"], [-0.5, np.nan, np.nan, 0.7])

    def test_a_named_one_must_be_there(self, write: Write) -> None:
        assert "no column 'gpu'" in refusal(write(self.CONTENT), columns=["gpu"])

    @pytest.mark.parametrize(("name", "line"), [("label", "line 2"), ("wild", "line 2")])
    def test_a_named_one_must_be_numbers(self, write: Write, name: str, line: str) -> None:
        message = refusal(write(self.CONTENT), columns=[name])
        assert line in message and name in message

    def test_only_the_named_ones_are_read(self, write: Write) -> None:
        assert read_recorded(write(self.CONTENT), columns=[]).columns == {}


GOOD = "2024-01-01T00:00:00Z,1\n2024-01-01T00:01:00Z,2\n2024-01-01T00:02:00Z,3\n"

BAD = {
    "empty": ("", ["is empty"]),
    "only white space": (" \n\n", ["is empty"]),
    "only a header": (HEADER, ["no data"]),
    "no header": (GOOD, ["line 1", "timestamp,value"]),
    "other columns": ("time,load\n0,1\n", ["line 1", "time,load"]),
    "semicolons": ("timestamp;value\n0;1\n", ["line 1", "commas"]),
    "a column twice": ("timestamp,value,value\n0,1,1\n", ["line 1", "twice"]),
    "text in numbers": (HEADER + "0,1\n60,many\n", ["line 3", "'many'", "not a finite number"]),
    "text after a blank line": (HEADER + "0,1\n\n60,many\n", ["line 4", "'many'"]),
    "a truth value": (HEADER + "0,True\n60,False\n", ["line 2", "'True'"]),
    "hexadecimal": (HEADER + "0,1\n60,0x10\n", ["line 3", "0x10"]),
    "underscores": (HEADER + "0,1\n60,1_000\n", ["line 3", "1_000"]),
    "infinite": (HEADER + "0,1\n60,inf\n", ["line 3", "'inf'"]),
    "beyond what a float holds": (HEADER + "0,1\n60,1e400\n", ["line 3", "1e400"]),
    "negative": (HEADER + "0,1\n60,-2\n", ["line 3", "-2 is negative"]),
    "a field missing": (HEADER + "0,1\n60\n", ["line 3", "1 fields", "2"]),
    "a field too many": (HEADER + "0,1\n60,2,3\n", ["line 3", "3 fields", "2"]),
    "short and long rows in balance": ("timestamp,value,x\n0,1\n60,2,3,4\n", ["line 2", "2 fields"]),
    "single point": (HEADER + "0,1\n", ["single sample"]),
    "all missing": (HEADER + "0,\n60,\n", ["every value is missing"]),
    "unsorted": (HEADER + "0,1\n120,1\n60,1\n", ["line 4", "earlier", "sort"]),
    "duplicate": (HEADER + "0,1\n60,1\n60,2\n", ["line 4", "repeats"]),
    "irregular": (HEADER + "0,1\n60,1\n121,2\n180,1\n240,1\n", ["line 4", "61 s", "60 s"]),
    "steps below a second": (HEADER + "0,1\n0.5,1\n1,1\n", ["0.5 s apart", "between 1 s and 1 d"]),
    "steps of a week": (HEADER + "0,1\n604800,1\n1209600,1\n", ["604800 s apart"]),
    "one timestamp far away": (HEADER + "0,1\n1,1\n2,1\n1704067200,1\n", ["line 5", "steps"]),
    "no time": (HEADER + "2024-01-01T00:00:00Z,1\nyesterday,2\n", ["line 3", "'yesterday'"]),
    "no time in the first row": (HEADER + "yesterday,1\n2024-01-01T00:01:00Z,2\n", ["line 2", "'yesterday'"]),
    "no day of the calendar": (
        HEADER + "2024-02-30T00:00:00Z,1\n2024-02-30T00:01:00Z,1\n",
        ["line 2", "02-30"],
    ),
    "no timestamp": (HEADER + "0,1\n,2\n", ["line 3", "''"]),
    "numbers, then a date": (HEADER + "0,1\n2024-01-01T00:00:00Z,2\n", ["line 3", "epoch"]),
    "before the epoch": (HEADER + "-60,1\n0,2\n", ["line 2", "-60"]),
    "microseconds": (HEADER + "1704067200000000,1\n1704067260000000,1\n", ["line 2", "milliseconds"]),
    "naive local time": (HEADER + "2024-01-01T00:00,1\n2024-01-01T00:01,1\n", ["line 2", "--time-zone"]),
    "naive and absolute": (
        HEADER + "2024-01-01T00:00:00Z,1\n2024-01-01T00:01:00,2\n",
        ["line 3", "offset"],
    ),
    "an unclosed quote": (HEADER + '0,1\n60,"2\n120,3\n', ["no readable CSV"]),
}


@pytest.mark.parametrize(("content", "says"), BAD.values(), ids=BAD)
def test_bad_content_is_refused_where_it_stands(write: Write, content: str, says: list[str]) -> None:
    message = refusal(write(content))
    for words in says:
        assert words in message


def test_a_nul_byte_never_passes(write: Write) -> None:
    refusal(write(HEADER + "0,1\n60,\0\n"))


def test_not_utf8_names_the_line(write: Write) -> None:
    assert "line 3 is not UTF-8" in refusal(write(HEADER.encode() + b"0,1\n60,\xff\n"))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nowhere.csv")


def test_a_directory_is_said(tmp_path: Path) -> None:
    assert "is a directory" in refusal(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    assert "not a regular file" in refusal(path)


def test_truncated_gzip_is_said(write: Write) -> None:
    path = write(HEADER + "".join(f"{i},{i % 7}\n" for i in range(5000)), "load.csv.gz")
    path.write_bytes(path.read_bytes()[:-200])
    assert "ends early" in refusal(path)


def test_damaged_gzip_is_said(write: Write) -> None:
    path = write(HEADER + "".join(f"{i},{i % 7}\n" for i in range(5000)), "load.csv.gz")
    raw = bytearray(path.read_bytes())
    raw[-6] ^= 0xFF
    path.write_bytes(bytes(raw))
    assert "damaged" in refusal(path)


class TestSize:
    def test_a_file_of_a_gigabyte_is_refused_unread(self, tmp_path: Path) -> None:
        path = tmp_path / "huge.csv"
        with path.open("wb") as file:
            file.write(HEADER.encode())
            file.truncate(2**30)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert "256 MiB" in refusal(path)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000

    def test_a_gzip_bomb_is_refused_without_holding_it(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.csv.gz"
        with gzip.open(path, "wb", compresslevel=1) as file:
            for _ in range(64):
                file.write(b"0" * 2**20)
        tracemalloc.start()
        try:
            assert "32 MiB" in refusal(path, max_bytes=32 * 2**20)
            assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
        finally:
            tracemalloc.stop()

    def test_the_cap_is_the_callers(self, write: Write) -> None:
        path = write(HEADER + GOOD)
        assert "MiB" in refusal(path, max_bytes=50)
        assert len(read_recorded(path, max_bytes=200)) == 3


class TestLocalTime:
    def naive_rows(self, zone: str, start: datetime, steps: int, step: timedelta) -> str:
        """Rows as a recorder writes them that knows only its wall clock."""
        moments = (start + i * step for i in range(steps))
        local = (moment.astimezone(ZoneInfo(zone)) for moment in moments)
        return HEADER + "".join(f"{moment:%Y-%m-%dT%H:%M:%S},{i}\n" for i, moment in enumerate(local))

    @pytest.mark.parametrize(
        "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
    )
    @pytest.mark.parametrize("minutes", [15, 60])
    def test_a_year_of_wall_clock_is_unrolled(self, write: Write, zone: str, minutes: int) -> None:
        start = datetime(2024, 1, 1, tzinfo=UTC)
        steps = 366 * 24 * 60 // minutes
        rows = self.naive_rows(zone, start, steps, timedelta(minutes=minutes))
        series = read_recorded(write(rows), time_zone=zone)
        assert (series.start_s, series.step_s) == (int(start.timestamp()), minutes * 60)
        np.testing.assert_array_equal(series.values, np.arange(steps))

    @pytest.mark.parametrize("minute", range(0, 180, 20))
    def test_a_file_may_begin_around_the_repeated_hour(self, write: Write, minute: int) -> None:
        start = datetime(2024, 10, 26, 23, 0, tzinfo=UTC) + timedelta(minutes=minute)
        rows = self.naive_rows("Europe/Berlin", start, 40, timedelta(minutes=20))
        series = read_recorded(write(rows), time_zone="Europe/Berlin")
        assert series.start_s == int(start.timestamp())
        np.testing.assert_array_equal(series.values, np.arange(40))

    def test_an_hour_that_never_was_is_said(self, write: Write) -> None:
        rows = HEADER + "2024-03-31T01:30:00,1\n2024-03-31T02:30:00,2\n"
        message = refusal(write(rows), time_zone="Europe/Berlin")
        assert "line 3" in message and "does not exist" in message

    def test_it_does_not_move_absolute_times(self, write: Write) -> None:
        assert read_recorded(write(HEADER + GOOD), time_zone="Asia/Kathmandu").start_s == 1704067200

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "Europe"])
    def test_an_unknown_one_is_said(self, write: Write, zone: str) -> None:
        with pytest.raises(InputError, match="not a known time zone"):
            read_recorded(write(HEADER + GOOD), time_zone=zone)


def answer(*series: list[list[object]], kind: str = "matrix") -> str:
    result = [{"metric": {"i": str(i)}, "values": values} for i, values in enumerate(series)]
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


class TestSavedAnswers:
    @pytest.mark.parametrize("name", ["load.json", "load.json.gz"])
    def test_the_one_series_is_read_with_its_gaps(self, write: Write, name: str) -> None:
        series = read_recorded(write(answer([[60, "1"], [120, "NaN"], [180.0, "2.5"], [300, "4"]]), name))
        assert (series.name, series.start_s, series.step_s) == ("load", 60, 60)
        np.testing.assert_array_equal(series.values, [1, np.nan, 2.5, np.nan, 4])

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            pytest.param(answer([[60, "1"], [120, "1"]], [[60, "2"], [120, "2"]]), "2 series", id="several"),
            pytest.param(answer(), "found nothing", id="none"),
            pytest.param(answer([]), "found nothing", id="no samples"),
            pytest.param(answer([[60, "1"]]), "single sample", id="single"),
            pytest.param(answer([[60, "1"], [120, "+Inf"]]), "sample 2 is infinite", id="infinite"),
            pytest.param(answer([[60, "1"], [120, "-1"]]), "sample 2 is negative", id="negative"),
            pytest.param(answer([[60, "NaN"], [120, "NaN"]]), "every value is missing", id="all NaN"),
            pytest.param(answer([[60, "1"], [120, "a"]]), "no numbers", id="text"),
            pytest.param(answer([[60, "1"], [60, "2"]]), "sample 2 repeats", id="duplicate"),
            pytest.param(answer(kind="vector"), "'vector', not a range", id="instant answer"),
            pytest.param('{"status":"error","errorType":"bad_data","error":"x"}', "saved error", id="error"),
            pytest.param('{"status":"success"}', "no answer of", id="no data"),
            pytest.param("[1, 2]", "no answer of", id="list"),
            pytest.param('{"status":"succ', "not JSON", id="cut off"),
            pytest.param("[" * 100_000, "not JSON", id="deep"),
        ],
    )
    def test_what_is_no_load_is_refused(self, write: Write, content: str, says: str) -> None:
        assert says in refusal(write(content, "load.json"))

    def test_it_has_no_further_columns(self, write: Write) -> None:
        assert "no column 'cpu'" in refusal(write(answer([[60, "1"], [120, "1"]])), columns=["cpu"])


@settings(deadline=None)
@given(
    start_s=st.integers(0, 2_000_000_000),
    step_s=st.integers(1, 86_400),
    values=st.lists(st.floats(0, 1e300) | st.just(float("nan")), min_size=3, max_size=40),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, start_s: int, step_s: int, values: list[float]
) -> None:
    values[0] = 1.0
    rows = "".join(f"{start_s + i * step_s},{'' if v != v else repr(v)}\n" for i, v in enumerate(values))
    path = tmp_path_factory.mktemp("written") / "load.csv"
    path.write_text(HEADER + rows)
    series = read_recorded(path)
    assert (series.start_s, series.step_s) == (start_s, step_s)
    np.testing.assert_array_equal(series.values, values)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: (HEADER + text).encode()))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "load.csv"
    path.write_bytes(content)
    try:
        assert len(read_recorded(path)) >= 2
    except InputError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["ms_mongo_machine_01_1min", "ms_mongo_app_04_1min"])
def test_the_shipped_samples_are_whole(name: str) -> None:
    series = read_recorded(SAMPLES / f"{name}.csv.gz")
    assert series.step_s == 60 and not series.columns
    assert len(series) in (14 * 1440, 11 * 1440)
    assert np.isfinite(series.values).all()


@pytest.mark.traces
@pytest.mark.parametrize("path", sorted(TRACES.glob("*.csv.gz")), ids=lambda path: path.name)
def test_every_recorded_trace_is_read(path: Path) -> None:
    with gzip.open(path, "rt") as file:
        rows = file.read().splitlines()[1:]
    series = read_recorded(path)
    written = [float(row.split(",")[1] or "nan") for row in rows]
    recorded = series.values[np.isfinite(series.values)]
    np.testing.assert_array_equal(recorded, [value for value in written if value == value])
