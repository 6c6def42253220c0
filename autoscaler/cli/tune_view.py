"""What `autoscaler tune` shows of a proposal: on the terminal, as JSON, as manifests and as a picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autoscaler.backtest.report.table import figure, printable, unserved
from autoscaler.backtest.tuning.proposal import Objective, Proposal, Tried
from autoscaler.backtest.tuning.settings import Setting

FORMAT = 1
"""Version of the JSON document; grows when a key changes its meaning or goes."""

_SHORT_NAMES = {"stabilizationWindowSeconds": "window s"}
"""Headings for fields whose names are wider than a column."""

_FIGURES: tuple[tuple[str, Callable[[Tried], str]], ...] = (
    ("cost/need", lambda one: figure(3)(one.cost)),
    ("unserved %", lambda one: unserved(one.unserved_share)),
    ("min short/wk", lambda one: figure(0)(one.minutes_short_per_week)),
    ("vs HPA", lambda one: figure(2)(one.equal_cost)),
    ("money/d", lambda one: figure(2)(one.money_per_day)),
    ("changes/d", lambda one: figure(0)(one.changes_per_day)),
)
"""In order of importance: a narrow terminal shows the first ones."""

_GAP = 3
"""Cells between two columns of a table."""


def print_proposal(
    proposal: Proposal,
    settings: Sequence[Setting],
    objective: Objective | None,
    chosen: Tried | None,
    console: Console,
) -> None:
    """The front with the present policy among it, cheapest first, and a sentence on what there is to gain."""
    console.print(_table(proposal, settings, chosen, console.width))
    console.print(
        Text(
            f"{len(proposal.tried)} policies tried; shown are those that nothing else beats. vs HPA: "
            "unserved load relative to a tuned HPA of the same cost.",
            style="dim",
        )
    )
    for sentence in sentences(proposal, settings, objective, chosen):
        console.print(Text(sentence, style="bold"))


def _table(proposal: Proposal, settings: Sequence[Setting], chosen: Tried | None, width: int) -> Table:
    """Marks, settings, and as many figures as there is room for."""
    shown = [one for one in proposal.tried if one in proposal.front or one is proposal.present]
    columns = [
        ("", ["present" if one is proposal.present else "chosen" if one is chosen else "" for one in shown]),
        *(
            (_short_name(setting), [_value(one, index, setting) for one in shown])
            for index, setting in enumerate(settings)
        ),
        *((heading, [text(one) for one in shown]) for heading, text in _FIGURES),
    ]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    fitting = []
    for number, (heading, cells) in enumerate(columns):
        width -= max(len(heading), *map(len, cells)) + _GAP
        if width < -_GAP and number > len(settings) + 2:
            break
        fitting.append(cells)
        table.add_column(heading, justify="right" if number else "left", no_wrap=width >= -_GAP)
    for one, row in zip(shown, zip(*fitting, strict=True), strict=True):
        table.add_row(*row, style="bold" if one is chosen or one is proposal.present else "")
    return table


def sentences(
    proposal: Proposal, settings: Sequence[Setting], objective: Objective | None, chosen: Tried | None
) -> list[str]:
    """What the proposal means, in words."""
    present = proposal.present
    if objective is not None and chosen is present:
        return ["The present policy is within the objective, and nothing else within it does better."]
    if objective is not None and chosen is not None:
        return [
            f"Within the objective, take {_named(chosen, settings)}: compared with the present policy it "
            f"costs {_change(present.cost, chosen.cost)} and misses "
            f"{_change(present.unserved_share, chosen.unserved_share)}."
        ]
    if objective is not None:
        nearest, reached = objective.nearest(proposal.tried)
        return [
            f"Nothing tried stays within {objective.limit} {objective.at_most:g}; the nearest is "
            f"{_named(nearest, settings)} with {reached:.3g}."
        ]
    cheaper, better = proposal.cheaper, proposal.better_served
    told = []
    if better is not None:
        told.append(
            f"At no higher cost, {_named(better, settings)} misses "
            f"{_change(present.unserved_share, better.unserved_share)}."
        )
    if cheaper is not None:
        told.append(
            f"Missing no more load, {_named(cheaper, settings)} costs {_change(present.cost, cheaper.cost)}."
        )
    return told or [
        "Nothing tried is cheaper or better served than the present policy without being worse in the other."
    ]


def json_bytes(
    proposal: Proposal, chosen: Tried | None, settings: Sequence[Setting], traces: Sequence[str]
) -> bytes:
    """Every policy that was tried with its figures, over all traces and on each; NaN becomes null."""
    document = {
        "format": FORMAT,
        "traces": list(traces),
        "policies": [
            {
                "settings": {s.name: value for s, value in zip(settings, one.variant.chosen, strict=False)},
                "present": one is proposal.present,
                "onFront": one in proposal.front,
                "chosen": one is chosen,
                "costRatio": one.cost,
                "unservedShare": one.unserved_share,
                "minutesShortPerWeek": one.minutes_short_per_week,
                "moneyPerDay": one.money_per_day,
                "changesPerDay": one.changes_per_day,
                "equalCost": one.equal_cost,
                "byTrace": [
                    {
                        "costRatio": scores.cost_ratio,
                        "unservedShare": scores.unserved_share,
                        "minutesShort": scores.minutes_short,
                        "longestShortageSeconds": scores.longest_shortage_s,
                        "replicaHours": scores.replica_hours,
                        "money": scores.money,
                        "changesPerDay": scores.changes_per_day,
                        "equalCost": scores.equal_cost,
                    }
                    for scores in one.scores
                ],
            }
            for one in proposal.tried
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def manifest_text(one: Tried) -> str:
    """The policy ready to be applied, with what it would have cost and missed on top."""
    return (
        f"# On the recorded load: cost / need {one.cost:.3f}, unserved {100 * one.unserved_share:.4f} %, "
        f"{one.minutes_short_per_week:.0f} minutes short a week.\n{one.variant.policy.as_yaml}"
    )


def front_picture(proposal: Proposal, chosen: Tried | None) -> bytes:
    """Cost against unserved load as PNG: all that was tried, the front, the present and the chosen one."""
    # Loaded only when something is drawn; drawn without a display.
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(8, 5), dpi=150, layout="constrained")
    axes = drawing.add_subplot()
    axes.scatter(*_points(proposal.tried), s=14, color="#b8bec8", label="tried")
    axes.plot(*_points(proposal.front), marker="o", color="#1f6feb", label="nothing beats these")
    axes.scatter(*_points([proposal.present]), s=90, marker="D", color="#d1242f", label="present", zorder=3)
    if chosen is not None:
        axes.scatter(*_points([chosen]), s=140, marker="*", color="#1a7f37", label="chosen", zorder=4)
    axes.set(xlabel="cost / need (1 pays for exactly what was needed)", ylabel="unserved load, %")
    axes.set_ylim(bottom=0.0)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    file = io.BytesIO()
    drawing.savefig(file, format="png")
    return file.getvalue()


def _points(tried: Sequence[Tried]) -> tuple[list[float], list[float]]:
    return [one.cost for one in tried], [100.0 * one.unserved_share for one in tried]


def _value(one: Tried, index: int, setting: Setting) -> str:
    """Its value of a setting; of the present policy what is written, as far as something is."""
    value = one.variant.chosen[index] if one.variant.chosen else _written(one, setting)
    return "–" if value is None else printable(str(value))


def _short_name(setting: Setting) -> str:
    return _SHORT_NAMES.get(setting.path[-1], setting.path[-1])


def _written(one: Tried, setting: Setting) -> Any:
    value: Any = one.variant.policy.manifest["spec"]
    for key in setting.path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _named(one: Tried, settings: Sequence[Setting]) -> str:
    if not one.variant.chosen:
        return "the present policy"
    pairs = zip(settings, one.variant.chosen, strict=True)
    return ", ".join(f"{_short_name(setting)} {printable(str(value))}" for setting, value in pairs)


def _change(before: float, after: float) -> str:
    if before == after:
        return "the same"
    if before == 0.0:
        return "more than nothing"
    share = abs(after / before - 1.0)
    return f"{100 * share:.3g} % {'less' if after < before else 'more'}"
