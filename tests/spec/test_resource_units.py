"""Texts with units."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.spec import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("1m30s500ms", 90.5),
        ("28d", 28 * 86_400),
        ("2w", 14 * 86_400),
    ],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "5 m",
        "-5m",
        "+5m",
        "m",
        "1d12h",
        "1.5d",
        "5min",
        "5M",
        "1e3s",
        "5m\n",
        "٥m",
        "1h" * 13,
        60,
        1.5,
        True,
    ],
    ids=repr,
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="must be a duration"):
        units.parse_duration(text)


@given(st.integers(min_value=0, max_value=999_999 * 3_600_000))
def test_a_duration_survives_being_written(milliseconds: int) -> None:
    text = units.format_duration(milliseconds / 1000)
    assert round(units.parse_duration(text) * 1000) == milliseconds


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (120, 120),
        (0, 0),
        ("120", 120),
        ("1.5k", 1500),
        ("500m", 0.5),
        ("250u", 0.00025),
        ("3n", 3e-9),
        ("2M", 2e6),
        ("1E", 1e18),
        ("1Ki", 1024),
        ("1.5Gi", 1.5 * 2**30),
    ],
)
def test_a_quantity_is_a_number(value: object, number: float) -> None:
    assert units.parse_quantity(value) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    "value", ["", "k", "-1", "+1", "1e3", "1K", "1 k", ".5", "1.", "١", "1\n", 1.5, -1, True], ids=repr
)
def test_what_is_no_quantity_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be a quantity"):
        units.parse_quantity(value)


@pytest.mark.parametrize(
    ("value", "share"),
    [("5%", 0.05), ("0.05", 0.05), (".5", 0.5), ("99.99%", 0.9999), ("0%", 0.0), ("0.5%", 0.005)],
)
def test_a_share_is_below_one(value: str, share: float) -> None:
    assert units.parse_share(value) == share


@pytest.mark.parametrize("value", ["", "100%", "1", "1.0", "-5%", "5 %", "5", 0.5, 5, "%"], ids=repr)
def test_what_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be a share"):
        units.parse_share(value)


@pytest.mark.parametrize(("value", "level"), [("0.95", 0.95), (".5", 0.5), (95, 0.95), (1, 0.01), (99, 0.99)])
def test_a_quantile_is_a_text_or_an_integer_percent(value: object, level: float) -> None:
    assert units.parse_quantile(value) == level


@pytest.mark.parametrize("value", ["95", "1", "1.0", "95%", 0.95, 0, 100, True, ""], ids=repr)
def test_what_is_no_quantile_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be a quantile"):
        units.parse_quantile(value)


def test_money_keeps_every_digit() -> None:
    assert units.parse_money("0.10") + units.parse_money("0.20") == Decimal("0.30")


@pytest.mark.parametrize("value", ["", "-1", "1e3", "1.", "€5", 5, 0.12, "NaN", "Infinity"], ids=repr)
def test_what_is_no_money_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="amount of money"):
        units.parse_money(value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01T00:00:00-01:00", 3600.0),
        ("2026-11-27T08:00:00+01:00", 1_795_762_800.0),
        ("1970-01-01T00:00:00.123456789Z", 0.123456),
    ],
)
def test_a_time_is_epoch_seconds(text: str, seconds: float) -> None:
    assert units.parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-27",
        "2026-11-27T08:00:00",
        "2026-11-27 08:00:00Z",
        "2026-11-27t08:00:00z",
        "2026-13-01T00:00:00Z",
        "20261127T080000Z",
        0,
        "",
    ],
    ids=repr,
)
def test_what_is_no_time_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        units.parse_time(text)


@given(st.integers(min_value=0, max_value=4_000_000_000))
def test_a_time_survives_being_written(seconds: int) -> None:
    assert units.parse_time(units.format_time(seconds)) == seconds


@given(st.decimals(min_value=0, max_value=10**12 - 1, places=6))
def test_money_survives_being_written(amount: Decimal) -> None:
    assert units.parse_money(units.format_money(amount)) == amount


@pytest.mark.parametrize(
    ("parse", "write", "places", "highest"),
    [
        (units.parse_quantity, units.format_quantity, 6, 10**9),
        (units.parse_share, units.format_share, 6, 10**6 - 1),
        (units.parse_quantile, units.format_quantile, 6, 10**6 - 1),
    ],
    ids=["quantity", "share", "quantile"],
)
@given(data=st.data())
def test_a_number_survives_being_written(
    parse: Callable[[object], float],
    write: Callable[[float], str],
    places: int,
    highest: int,
    data: st.DataObject,
) -> None:
    value = data.draw(st.integers(min_value=1, max_value=highest)) / 10**places
    assert math.isclose(parse(write(value)), value, rel_tol=1e-12)
