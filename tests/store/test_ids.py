"""Identifiers are unique, ascend with time, and are refused when they are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.store.ids import first_number, id_number, id_text, id_time_s, new_id

_TIMES = st.floats(0, 4e9)


@given(st.integers(0, 2**63 - 1))
def test_text_and_number_are_the_same_identifier(number: int) -> None:
    assert id_number(id_text(number)) == number


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_texts_sort_like_their_numbers(one: int, other: int) -> None:
    assert (id_text(one) < id_text(other)) == (one < other)


@given(_TIMES, st.floats(0.001, 1e6))
def test_a_later_decision_has_a_larger_identifier(at_s: float, later_s: float) -> None:
    assert new_id(at_s) < new_id(at_s + later_s + 0.001)


@given(_TIMES)
def test_an_identifier_is_not_before_its_time(at_s: float) -> None:
    assert first_number(at_s) <= id_number(new_id(at_s)) < first_number(at_s + 0.002)


@given(_TIMES)
def test_an_identifier_tells_its_time_to_the_millisecond(at_s: float) -> None:
    assert abs(id_time_s(new_id(at_s)) - at_s) < 0.0011


def test_a_hundred_thousand_of_the_same_moment_differ() -> None:
    assert len({new_id(1.7e9) for _ in range(100_000)}) == 100_000


@pytest.mark.parametrize(
    "text", ["", "0", "0" * 12, "0" * 14, "z" * 13, "000000000000I", "000000000000u", "é" * 13]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not the identifier of a decision"):
        id_number(text)
