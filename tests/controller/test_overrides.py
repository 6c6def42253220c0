"""The annotation by which a person fixes the count for a while."""

from __future__ import annotations

import pytest
from workload_making import NOW_S

from autoscaler.controller.acting.overrides import ANNOTATION, NOTHING_ASKED, Asked, Override, asked_for
from autoscaler.controller.acting.verdict import count_to_write
from autoscaler.spec.units import format_time, parse_time

LATER = format_time(NOW_S + 60.0)


def test_without_the_annotation_nothing_is_asked_for() -> None:
    assert asked_for({"other": "12"}, NOW_S) is NOTHING_ASKED


@pytest.mark.parametrize("text", [f"12 until {LATER}", f"  12  until  {LATER} ", f"012 until {LATER}"])
def test_a_count_and_its_end_are_read(text: str) -> None:
    assert asked_for({ANNOTATION: text}, NOW_S) == Asked(Override(12, NOW_S + 60.0))


@pytest.mark.parametrize(
    "text",
    [
        "", "12", "12 until", f"until {LATER}", f"-1 until {LATER}", f"1.5 until {LATER}",
        "12 until tomorrow", "12 until 2026-11-27", "12 until 2026-13-27T18:00:00Z", f"no until {LATER}",
        "12 until 2026-11-27T18:00:00", f"12345678 until {LATER}", f"12 until {LATER} please",
        f"١٢ until {LATER}",
        "12 until 9999-12-31T23:59:59-23:59", "12 until 0001-01-01T00:00:00+23:59",
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


@pytest.mark.parametrize(("asked", "written"), [(0, 0), (12, 12), (20, 20), (21, 20), (9_999_999, 20)])
def test_a_fixed_count_replaces_what_was_decided_but_never_exceeds_the_maximum(
    asked: int, written: int
) -> None:
    assert count_to_write(7, Override(asked, NOW_S), most=20) == written
    assert count_to_write(7, None, most=20) == 7
