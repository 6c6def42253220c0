"""The annotation by which a person has a say in the count for a while."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workload_making import NOW_S

from autoscaler.controller.acting.overrides import (
    ANNOTATION,
    NOTHING_ASKED,
    Asked,
    Kind,
    Override,
    asked_for,
)
from autoscaler.controller.acting.verdict import count_to_write
from autoscaler.spec.units import format_time, parse_time

NOW = format_time(NOW_S)
LATER = format_time(NOW_S + 60.0)


def test_without_the_annotation_nothing_is_asked_for() -> None:
    assert asked_for({"other": "12"}, NOW_S) is NOTHING_ASKED


UNTIL_S = NOW_S + 60.0


@pytest.mark.parametrize(
    ("text", "override"),
    [
        ("12 until {later}", Override(12, UNTIL_S)),
        ("  12  until  {later} ", Override(12, UNTIL_S)),
        ("012 until {later}", Override(12, UNTIL_S)),
        ("freeze until {later}", Override(None, UNTIL_S, Kind.FREEZE)),
        ("at least 12 until {later}", Override(12, UNTIL_S, Kind.MINIMUM)),
        ("at  least 0 until {later}", Override(0, UNTIL_S, Kind.MINIMUM)),
        ("from {now} 12 until {later}", Override(12, UNTIL_S, from_s=NOW_S)),
        (
            "from {now} at least 12 until {later} because of a launch ",
            Override(12, UNTIL_S, Kind.MINIMUM, NOW_S, "of a launch"),
        ),
        (
            "freeze until {later} because until we know\nmore",
            Override(None, UNTIL_S, Kind.FREEZE, 0.0, "until we know\nmore"),
        ),
        ("12 until {later} because because", Override(12, UNTIL_S, reason="because")),
        ("12 until {later} because " + "x" * 300, Override(12, UNTIL_S, reason="x" * 256)),
    ],
)
def test_what_is_asked_for_its_end_its_beginning_and_why_are_read(text: str, override: Override) -> None:
    text = text.format(now=NOW, later=LATER)
    assert asked_for({ANNOTATION: text}, NOW_S) == Asked(override)


@pytest.mark.parametrize(
    "text",
    [
        "", "12", "12 until", f"until {LATER}", f"-1 until {LATER}", f"1.5 until {LATER}",
        "12 until tomorrow", "12 until 2026-11-27", "12 until 2026-13-27T18:00:00Z", f"no until {LATER}",
        "12 until 2026-11-27T18:00:00", f"12345678 until {LATER}", f"12 until {LATER} please",
        f"١٢ until {LATER}",
        "freeze", f"4 freeze until {LATER}", f"freeze 4 until {LATER}", f"at least until {LATER}",
        f"least 4 until {LATER}", f"at most 4 until {LATER}", f"Freeze until {LATER}",
        f"atleast 4 until {LATER}", f"from 4 until {LATER}", f"from tomorrow 4 until {LATER}",
        f"4 from {NOW} until {LATER}", f"12 until {LATER} because", f"12 until {LATER} because ",
        f"12 until {LATER}because of it", "12 until 9999-12-31T23:59:59-23:59",
        "12 until 0001-01-01T00:00:00+23:59",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem_in_words_and_changes_nothing(text: str) -> None:
    asked = asked_for({ANNOTATION: text}, NOW_S)
    assert asked.override is None
    assert asked.problem.startswith(f"annotation {ANNOTATION} must be like ")


@pytest.mark.parametrize(("after_s", "in_force"), [(-0.5, True), (0.0, False), (1.0, False)])
def test_an_override_ends_by_itself_at_its_time(after_s: float, in_force: bool) -> None:
    asked = asked_for({ANNOTATION: f"12 until {LATER}"}, parse_time(LATER) + after_s)
    assert (asked.override is not None) is in_force
    assert ("ended at" in asked.problem) is not in_force


@pytest.mark.parametrize(("after_s", "in_force"), [(-0.5, False), (0.0, True), (59.5, True)])
def test_an_override_begins_at_its_time_and_is_known_before(after_s: float, in_force: bool) -> None:
    expected = Override(12, UNTIL_S, from_s=NOW_S)
    asked = asked_for({ANNOTATION: f"from {NOW} 12 until {LATER}"}, NOW_S + after_s)
    assert asked == (Asked(expected) if in_force else Asked(later=expected))


@pytest.mark.parametrize("at_s", [NOW_S - 3600.0, NOW_S + 30.0, NOW_S + 3600.0])
def test_an_override_that_would_end_before_it_begins_is_a_problem_at_any_time(at_s: float) -> None:
    asked = asked_for({ANNOTATION: f"from {LATER} at least 3 until {NOW}"}, at_s)
    assert asked == Asked(problem="the override of at least 3 replicas ends before it begins")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (Override(12, UNTIL_S), "An override asks for 12 replicas."),
        (Override(12, UNTIL_S, Kind.MINIMUM), "An override asks for at least 12 replicas."),
        (Override(None, UNTIL_S, Kind.FREEZE), "An override asks for the present count."),
        (Override(12, UNTIL_S, reason="we launch."), "An override asks for 12 replicas because we launch."),
    ],
)
def test_an_override_says_what_it_asks_for(override: Override, sentence: str) -> None:
    assert override.sentence == sentence


FIXED, FREEZE, MINIMUM = Kind


@pytest.mark.parametrize(
    ("kind", "replicas", "written"),
    [
        (FIXED, 0, 0), (FIXED, 12, 12), (FIXED, 20, 20), (FIXED, 21, 20), (FIXED, 9_999_999, 20),
        (MINIMUM, 0, 7), (MINIMUM, 7, 7), (MINIMUM, 8, 8), (MINIMUM, 21, 20),
        (FREEZE, None, 5),
    ],
)  # fmt: skip
def test_what_is_asked_for_replaces_what_was_decided_but_never_exceeds_the_maximum(
    kind: Kind, replicas: int | None, written: int
) -> None:
    assert count_to_write(7, Override(replicas, NOW_S, kind), current=5, most=20) == written
    assert count_to_write(7, None, current=5, most=20) == 7


def test_a_freeze_keeps_even_a_count_above_a_maximum_that_was_lowered() -> None:
    assert count_to_write(7, Override(None, NOW_S, FREEZE), current=30, most=20) == 30


texts = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(["from", "until", "at least", "freeze", "because", "12", "0", NOW, LATER, "x", "\n"])
    ).map(" ".join),
)


@given(texts)
def test_any_text_is_either_obeyed_or_explained(text: str) -> None:
    asked = asked_for({ANNOTATION: text}, NOW_S)
    assert [asked.override is None, asked.later is None, not asked.problem].count(False) == 1
    found = asked.override or asked.later
    assert found is None or (found.replicas is None) is (found.kind is FREEZE)
