"""The terminal table: what it shows at which width, and that names cannot harm it."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest
from fixtures_report import bare_run, comparison
from rich.console import Console

from autoscaler.backtest.report.table import duration, print_comparison, ranking, unserved
from autoscaler.backtest.result import Comparison, Kind


def printed(outcome: Comparison, width: int, styled: bool = False) -> str:
    out = io.StringIO()
    print_comparison(outcome, Console(file=out, width=width, force_terminal=styled, color_system=None))
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 250])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(width: int) -> None:
    text = printed(comparison(days=2), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_wider_terminals_show_more() -> None:
    outcome = comparison(days=2)
    narrow, wide = printed(outcome, 80), printed(outcome, 200)
    for heading in ("unserved %", "cost / need", "vs tuned HPA"):
        assert heading in narrow
    for heading in ("money", "replica-h", "vs oracle", "reversals/d", "longest"):
        assert heading in wide


def test_the_oracle_stands_last_and_is_called_unreachable() -> None:
    outcome = comparison(days=2)
    lines = printed(outcome, 120).splitlines()
    oracle = next(i for i, line in enumerate(lines) if line.startswith("oracle (unreachable)"))
    for run in outcome.traces[0].runs:
        if run.kind is not Kind.ORACLE:
            assert next(i for i, line in enumerate(lines) if line.startswith(run.policy + " ")) < oracle


def test_the_best_figure_is_marked() -> None:
    outcome = comparison(days=2)
    cheapest = min(
        (run for run in outcome.traces[0].runs if run.kind is not Kind.ORACLE),
        key=lambda run: run.scores.cost_ratio,
    )
    line = next(line for line in printed(outcome, 120).splitlines() if line.startswith(cheapest.policy))
    assert f"{cheapest.scores.cost_ratio:.2f}*" in line


def test_ranking_puts_the_incomparable_after_the_compared() -> None:
    runs = [
        bare_run("no-ratio", unserved_share=0.0),
        bare_run("worse", equal_cost=1.2),
        bare_run("better", equal_cost=0.4),
        bare_run("unknown", unserved_share=math.nan, cost_ratio=math.nan),
    ]
    assert [run.policy for run in ranking(runs)] == ["better", "worse", "no-ratio", "unknown"]


def test_several_traces_get_a_summary() -> None:
    outcome = comparison(days=2, traces=("first", "second"))
    text = printed(outcome, 120)
    assert "geometric mean" in text
    assert " ".join(text.split()).endswith(outcome.verdict)


def test_names_cannot_steer_the_terminal_or_the_markup() -> None:
    outcome = comparison(days=2, traces=("evil\x1b[2Jname[red]",), policies=("p[/bold]\x07@q0.9",))
    outcome = replace(outcome, verdict="evil\x1b]0;title\x07")
    text = printed(outcome, 120)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]" in text
    assert "p[/bold]" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (45, "45s"),
        (60, "1m"),
        (3540, "59m"),
        (11_100, "3h05m"),
        (187_200, "2d04h"),
        (math.nan, "–"),
        (0, "0s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0"), (1e-7, "<0.001"), (0.00123, "0.123"), (math.nan, "–"), (1.0, "100.000")]
)
def test_a_tiny_shortage_never_reads_zero(share: float, text: str) -> None:
    assert unserved(share) == text
