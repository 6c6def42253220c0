"""The verdict says what the scores say: wins, losses, ties, nothing short, nobody to compare with."""

from __future__ import annotations

import math

import pytest
from fixtures_report import bare_run, comparison

from autoscaler.backtest.report.verdict import overall_verdict, percent, representative, trace_verdict
from autoscaler.backtest.result import Kind, Run, TraceResult
from autoscaler.series import Series

NAN = math.nan


def ratio(ours: float, rival: float) -> float:
    """The equal-cost ratio of two overloads in per cent."""
    return (ours + 0.002) / (rival + 0.002)


def ours(unserved: float, rival: float, name: str = "predictive") -> Run:
    return bare_run(name, unserved_share=unserved / 100, equal_cost=ratio(unserved, rival))


@pytest.mark.parametrize(
    ("unserved", "rival", "verdict"),
    [
        pytest.param(
            0.12,
            0.30,
            "At the cost of a tuned HPA, predictive left 0.120 % of the load unserved "
            "instead of about 0.300 %: 60 % less.",
            id="win",
        ),
        pytest.param(
            0.375,
            0.30,
            "At the cost of a tuned HPA, predictive left 0.375 % of the load unserved, 25 % more: "
            "the HPA would have left about 0.300 % and is the better choice here.",
            id="loss",
        ),
        pytest.param(
            0.9,
            0.30,
            "At the cost of a tuned HPA, predictive left 0.900 % of the load unserved, 3.0 times as much: "
            "the HPA would have left about 0.300 % and is the better choice here.",
            id="large-loss",
        ),
        pytest.param(
            1.0,
            1.01,
            "At the cost of a tuned HPA, predictive left 1.00 % of the load unserved, no better and no worse "
            "than the HPA (about 1.01 %).",
            id="tie",
        ),
        pytest.param(
            0.0,
            0.3,
            "At the cost of a tuned HPA, predictive left nothing unserved instead of about 0.300 %.",
            id="nothing-short",
        ),
        pytest.param(
            0.3,
            0.0,
            "At the cost of a tuned HPA, predictive left 0.300 % of the load unserved: "
            "the HPA would have left nothing and is the better choice here.",
            id="rival-perfect",
        ),
        pytest.param(
            0.3,
            1e-15,
            "At the cost of a tuned HPA, predictive left 0.300 % of the load unserved: "
            "the HPA would have left less than 0.001 % and is the better choice here.",
            id="rival-perfect-but-for-rounding",
        ),
        pytest.param(
            0.3,
            0.0015,
            "At the cost of a tuned HPA, predictive left 0.300 % of the load unserved, over 100 times as "
            "much: "
            "the HPA would have left about 0.002 % and is the better choice here.",
            id="beyond-any-factor-worth-telling",
        ),
        pytest.param(
            0.0,
            0.0,
            "At the cost of a tuned HPA, predictive left nothing unserved, and so would the HPA (nothing): "
            "no difference anyone would notice.",
            id="both-perfect",
        ),
    ],
)
def test_at_equal_cost(unserved: float, rival: float, verdict: str) -> None:
    assert trace_verdict([ours(unserved, rival)]) == verdict


def test_without_equal_cost_both_figures_of_both_are_given() -> None:
    mine = bare_run("predictive", unserved_share=0.001, cost_ratio=1.2)
    tuned = bare_run("hpa-tuned", Kind.BASELINE, unserved_share=0.002, cost_ratio=1.0)
    other = bare_run("static:replicas=9", Kind.BASELINE, unserved_share=0.0, cost_ratio=9.0)
    assert trace_verdict([other, mine, tuned]) == (
        "predictive left 0.100 % of the load unserved and hpa-tuned 0.200 %: 50 % less, for 20 % more cost "
        "(their costs do not meet, so this is no comparison at equal cost)."
    )


def test_a_loss_without_equal_cost_is_said() -> None:
    mine = bare_run("predictive", unserved_share=0.004, cost_ratio=1.0)
    rival = bare_run("keda", Kind.BASELINE, unserved_share=0.002, cost_ratio=1.0)
    assert "2.0 times as much, at the same cost" in trace_verdict([mine, rival])


@pytest.mark.parametrize(
    ("theirs", "says"),
    [
        pytest.param(
            0.0, "predictive left 4.00 % of the load unserved and keda nothing: a loss, at", id="none"
        ),
        pytest.param(1e-17, "and keda less than 0.001 %: a loss, at the same cost", id="rounding"),
        pytest.param(2e-5, "and keda 0.002 %: over 100 times as much, at the same cost", id="very little"),
    ],
)
def test_a_loss_to_next_to_nothing_is_no_absurd_factor(theirs: float, says: str) -> None:
    mine = bare_run("predictive", unserved_share=0.04, cost_ratio=1.0)
    rival = bare_run("keda", Kind.BASELINE, unserved_share=theirs, cost_ratio=1.0)
    assert says in trace_verdict([mine, rival])


def test_without_a_rival_nothing_is_claimed() -> None:
    mine = bare_run("predictive", unserved_share=0.001, cost_ratio=1.2)
    oracle = bare_run("oracle", Kind.ORACLE, unserved_share=0.0)
    assert trace_verdict([mine, oracle]) == (
        "predictive left 0.100 % of the load unserved at 1.20 times the cost of what was needed; "
        "there was no rival to compare with."
    )


def test_only_baselines() -> None:
    runs = [
        bare_run("hpa", Kind.BASELINE, unserved_share=0.01),
        bare_run("keda", Kind.BASELINE, unserved_share=0.005, cost_ratio=1.3),
    ]
    assert trace_verdict(runs) == (
        "Only baselines were run; the least load was lost by keda, which left 0.500 % of the load unserved "
        "at 1.30 times the cost of what was needed."
    )


def test_nothing_to_say_without_known_load() -> None:
    assert "nothing can be said" in trace_verdict([bare_run("predictive", unserved_share=NAN)])
    assert trace_verdict([]) == "No policy was run that could be compared."


def test_several_quantiles_are_represented_by_their_median_not_the_luckiest() -> None:
    runs = [ours(0.1, rival, f"p@q{i}") for i, rival in ((0.5, 1.0), (0.8, 0.2), (0.95, 0.05))]
    chosen = representative(runs)
    assert chosen is not None
    assert chosen.policy == "p@q0.8"
    chosen = representative(runs[1:])
    assert chosen is not None
    assert chosen.policy == "p@q0.95", "of two, the worse"
    chosen = representative([*runs, ours(0.1, 0.01, "p")])
    assert chosen is not None
    assert chosen.policy == "p", "the quantile the policy states speaks for it"


def test_the_best_of_several_policies_is_named_as_such() -> None:
    verdict = trace_verdict([ours(0.1, 0.2, "calm"), ours(0.1, 0.4, "bold")])
    assert verdict.startswith("At the cost of a tuned HPA, bold, the best of 2 policies, left 0.100 %")


def traces(*ratios: float) -> list[TraceResult]:
    results = []
    for i, value in enumerate(ratios):
        run = bare_run("predictive", unserved_share=0.001, equal_cost=value)
        series = Series(f"trace{i}", 0, 60, run.ready.astype(float))
        results.append(TraceResult(series, 1.0, 60.0, 0.1, 0, (run,), f"verdict {i}"))
    return results


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        pytest.param((0.5,), "verdict 0", id="one-trace-speaks-for-itself"),
        pytest.param(
            (0.25, 1.0),
            "At the cost of a tuned HPA, predictive scaling had 50 % less overload (geometric mean) "
            "over 2 traces: better on 1, level on 1 (worst: trace1, 1.00 times the HPA's).",
            id="gain",
        ),
        pytest.param(
            (2.0, NAN, 2.0),
            "At the cost of a tuned HPA, predictive scaling had 100 % more overload (geometric mean) "
            "over 2 traces: worse on 2 (worst: trace0, 2.00 times the HPA's); 1 trace could not be compared.",
            id="loss",
        ),
        pytest.param(
            (NAN, NAN),
            "None of the 2 traces allows a comparison with a tuned HPA at equal cost; "
            "see the verdict on each.",
            id="none-comparable",
        ),
        pytest.param(
            (40_000.0, 40_000.0),
            "At the cost of a tuned HPA, predictive scaling had over 100 times the overload (geometric mean) "
            "over 2 traces: worse on 2 (worst: trace0, 40000.00 times the HPA's).",
            id="beyond any figure",
        ),
    ],
)
def test_over_traces(ratios: tuple[float, ...], verdict: str) -> None:
    assert overall_verdict(traces(*ratios)) == verdict


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "nothing"),
        (0.0004, "less than 0.001 %"),
        (0.0123, "0.012 %"),
        (0.5, "0.500 %"),
        (12.345, "12.3 %"),
        (100.0, "100 %"),
        (NAN, "an unknown part"),
    ],
)
def test_per_cent_in_words(value: float, text: str) -> None:
    assert percent(value) == text


def test_a_whole_comparison_has_a_verdict() -> None:
    assert comparison(days=2).verdict.startswith("At the cost of a tuned HPA, predictive")
