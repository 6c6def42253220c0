"""Tables by column in JSON, and as CSV."""

from __future__ import annotations

import csv
import io

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.api.columns import Table, preferred_format, rounded, whole

TABLE = Table(
    {
        "timestamp": np.array([1_795_802_400, 1_795_802_460]),
        "load": np.array([812.5, np.nan]),
        "ready": whole(np.array([np.nan, 8.0])),
        "problems": [["Short", "AtMax"], []],
        "decision": ['Keep 8, "as wished"', None],
    },
    {"metadata": {"stepSeconds": 60}},
)


def test_json_has_a_list_for_each_column_and_null_for_the_unknown() -> None:
    assert orjson.loads(TABLE.as_json()) == {
        "metadata": {"stepSeconds": 60},
        "columns": {
            "timestamp": [1_795_802_400, 1_795_802_460],
            "load": [812.5, None],
            "ready": [None, 8],
            "problems": [["Short", "AtMax"], []],
            "decision": ['Keep 8, "as wished"', None],
        },
    }


def test_csv_has_the_same_columns_with_readable_times_and_nothing_for_the_unknown() -> None:
    assert TABLE.as_csv().decode().split("\r\n") == [
        "timestamp,load,ready,problems,decision",
        '2026-11-27T18:00:00Z,812.5,,Short AtMax,"Keep 8, ""as wished"""',
        "2026-11-27T18:01:00Z,,8,,",
        "",
    ]


def test_a_table_without_rows_still_has_its_columns() -> None:
    empty = Table({"timestamp": [], "load": []})
    assert orjson.loads(empty.as_json()) == {"columns": {"timestamp": [], "load": []}}
    assert empty.as_csv() == b"timestamp,load\r\n"


@given(st.lists(st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"])), min_size=1))
def test_a_spreadsheet_reads_back_any_text(texts: list[str]) -> None:
    read = list(
        csv.DictReader(
            io.StringIO(Table({"decision": texts, "n": list(range(len(texts)))}).as_csv().decode())
        )
    )
    assert [row["decision"] for row in read] == texts


@given(st.floats(min_value=1e-12, max_value=1e15) | st.just(0.0))
def test_numbers_keep_six_digits_and_no_more(value: float) -> None:
    (short,) = rounded(np.array([value]))
    assert abs(short - value) <= 0.5e-5 * value
    assert float(f"{value:.6g}") == pytest.approx(short, rel=1e-12)
    assert len(orjson.dumps(float(short)).strip(b"0.").replace(b".", b"").split(b"e")[0]) <= 16


def test_a_rounded_number_is_short_when_it_is_sent() -> None:
    loads = np.array([812.3456789, 0.000123456789, 7_654_321.123, 1 / 3, np.nan])
    sent = orjson.loads(orjson.dumps(rounded(loads), option=orjson.OPT_SERIALIZE_NUMPY))
    assert sent == [812.346, 0.000123457, 7_654_320.0, 0.333333, None]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("text/csv", "csv"),
        ("text/csv, */*;q=0.1", "csv"),
        ("TEXT/CSV; q=0.5", "csv"),
        ("text/csv;q=0.5, application/json", "json"),
        ("text/csv, application/json;q=0.9", "csv"),
        ("text/csv;q=0", "json"),
        ("text/csv;q=x", "json"),
        ("text/html,application/xhtml+xml", "json"),
        (",;,q=1", "json"),
    ],
)
def test_csv_is_for_whoever_prefers_it(accept: str, expected: str) -> None:
    assert preferred_format(accept) == expected
