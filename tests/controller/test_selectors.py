"""Selectors pick what Kubernetes' own documentation says they pick."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.controller.observing.selectors import parse_selector, selects

KEYS = ("app", "tier", "example.com/part-of")
VALUES = ("", "web", "db", "v1.2_3")

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, str, tuple[str, ...]]:
    """A condition as (key, operator, values), and how it is written is up to `written`."""
    operator = draw(st.sampled_from(["=", "==", "!=", "in", "notin", "exists", "absent"]))
    many = draw(st.lists(st.sampled_from(VALUES[1:]), min_size=1, max_size=3, unique=True))
    values = tuple(many) if operator in ("in", "notin") else (draw(st.sampled_from(VALUES)),)
    return draw(st.sampled_from(KEYS)), operator, values


def written(key: str, operator: str, values: tuple[str, ...], space: str) -> str:
    match operator:
        case "in" | "notin":
            return f"{key} {operator} ({(',' + space).join(values)})"
        case "exists":
            return key
        case "absent":
            return f"!{key}"
    return f"{key}{space}{operator}{space}{values[0]}"


def naively(key: str, operator: str, values: tuple[str, ...], of: dict[str, str]) -> bool:
    match operator:
        case "=" | "==" | "in":
            return key in of and of[key] in values
        case "!=" | "notin":
            return key not in of or of[key] not in values
        case "exists":
            return key in of
    return key not in of


@settings(deadline=None)
@given(st.lists(conditions(), max_size=4), labels, st.sampled_from(["", " "]))
def test_a_selector_picks_what_each_of_its_conditions_picks(
    asked: list[tuple[str, str, tuple[str, ...]]], of: dict[str, str], space: str
) -> None:
    text = f",{space}".join(written(*one, space) for one in asked)
    assert selects(parse_selector(text), of) == all(naively(*one, of) for one in asked)


@pytest.mark.parametrize("text", ["", "  ", ","])
def test_an_empty_selector_has_no_requirements(text: str) -> None:
    assert parse_selector(text) == ()


@pytest.mark.parametrize(
    "text", ["a b", "a in b", "a in (b", "=b", "!", "a>1", "-a=b", "a=b c", "a=(b)", "a notinn (b)", "(a)"]
)
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        parse_selector(text)
