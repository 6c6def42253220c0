"""The ranking on the terminal: one table for each trace, a summary over several, and the verdict.

Which columns are shown depends on the width, so that a table never wraps. The oracle stands apart
below a line: it knows the future and is a bound, not a rival.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoscaler.backtest.report.verdict import representative
from autoscaler.backtest.result import Comparison, Kind, Run, Scores, TraceResult
from autoscaler.backtest.yardstick import geometric_mean

_NONE = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """One figure, smaller being better: heading, where it comes from and how it reads."""

    heading: str
    value: Callable[[Scores], float]
    text: Callable[[float], str]


def figure(digits: int) -> Callable[[float], str]:
    """Formats with a fixed number of decimals and thousands separators, a dash for NaN."""

    def text(value: float) -> str:
        return _NONE if math.isnan(value) else f"{value:,.{digits}f}"

    return text


def unserved(value: float) -> str:
    """A share of the load in per cent; tiny shares keep a sign of life instead of reading 0."""
    if math.isnan(value):
        return _NONE
    if value == 0.0:
        return "0"
    return f"{100 * value:.3f}" if value >= 1e-5 else "<0.001"


def duration(seconds: float) -> str:
    """Seconds as `45s`, `12m`, `3h05m`, `2d04h`."""
    if math.isnan(seconds):
        return _NONE
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds:.0f}s"
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"


COLUMNS = (
    Column("unserved %", lambda s: s.unserved_share, unserved),
    Column("cost / need", lambda s: s.cost_ratio, figure(2)),
    Column("vs tuned HPA", lambda s: s.equal_cost, figure(2)),
    Column("min short", lambda s: s.minutes_short, figure(0)),
    Column("money", lambda s: s.money, figure(2)),
    Column("changes/d", lambda s: s.changes_per_day, figure(0)),
    Column("longest", lambda s: s.longest_shortage_s, duration),
    Column("replica-h", lambda s: s.replica_hours, figure(0)),
    Column("vs oracle", lambda s: s.oracle_ratio, figure(2)),
    Column("reversals/d", lambda s: s.reversals_per_day, figure(1)),
    Column("too few % of time", lambda s: 100 * s.under_timeshare, figure(1)),
    Column("too many % of time", lambda s: 100 * s.over_timeshare, figure(1)),
)
"""In order of importance: a narrow terminal shows the first ones."""

_GAP = 3
"""Cells between two columns of a table."""

LEGEND = (
    "unserved: share of the load above capacity · cost / need: 1.00 pays for exactly what was needed · "
    "vs tuned HPA: unserved load relative to a yardstick, the mean of 3 minutes with its headroom tuned in "
    "hindsight to the same cost (not the row hpa-tuned); below 1 is better"
)


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print every trace's table, a summary of several, and the verdict."""
    console.print(comparison_view(comparison, console.width))


def comparison_view(comparison: Comparison, width: int) -> RenderableType:
    """What `print_comparison` prints, for a terminal of `width` cells."""
    parts: list[RenderableType] = []
    for trace in comparison.traces:
        parts.extend([trace_table(trace, width), Text()])
        promises = [(run.policy, run.promise) for run in trace.runs if run.promise is not None]
        parts.extend(Text(printable(f"{name}: {promise.sentence}.")) for name, promise in promises)
        parts.extend([Text()] if promises else [])
    if len(comparison.traces) > 1:
        for trace in comparison.traces:
            parts.append(
                Text.assemble((printable(trace.series.name), "bold"), ": ", printable(trace.verdict))
            )
        parts.extend([Text(), summary_table(comparison, width), Text()])
    parts.append(Text(LEGEND, style="dim"))
    parts.append(Text(printable(comparison.verdict), style="bold"))
    return Group(*parts)


def trace_table(trace: TraceResult, width: int) -> Table:
    """Policies over one trace, best first; the best figure of each column is marked with a star."""
    ranked = ranking([run for run in trace.runs if run.kind is not Kind.ORACLE])
    oracles = [run for run in trace.runs if run.kind is Kind.ORACLE]
    names = [printable(run.policy) for run in ranked] + [_oracle_name(run) for run in oracles]
    name_width = min(32, max(map(len, ["policy", *names])))
    table = _table(printable(trace.series.name))
    table.add_column("policy", width=name_width, no_wrap=True, overflow="ellipsis")
    rows = [[Text(name, style=_style(run))] for name, run in zip(names, [*ranked, *oracles], strict=True)]
    free = width - name_width - 2
    for column in COLUMNS:
        cells = _cells(column, ranked, oracles)
        free -= max(len(column.heading), *map(len, cells)) + _GAP if cells else 0
        if free < 0:
            break
        table.add_column(column.heading, justify="right", no_wrap=True)
        for row, cell in zip(rows, cells, strict=True):
            row.append(cell)
    for i, row in enumerate(rows):
        if 0 < i == len(ranked):
            table.add_section()
        table.add_row(*row)
    return table


def summary_table(comparison: Comparison, width: int) -> Table:
    """One row a trace: our policy's figures, and the geometric mean of the equal-cost ratios."""
    runs = [representative(trace.runs) for trace in comparison.traces]
    table = _table("all traces")
    table.add_column("trace", no_wrap=True, overflow="ellipsis", max_width=max(12, width - 54))
    table.add_column("policy", no_wrap=True, overflow="ellipsis", max_width=22)
    for column in COLUMNS[:3]:
        table.add_column(column.heading, justify="right", no_wrap=True)
    for trace, run in zip(comparison.traces, runs, strict=True):
        name = Text(printable(trace.series.name))
        if run is None:
            table.add_row(name, _NONE, _NONE, _NONE, _NONE)
            continue
        figures = (column.text(column.value(run.scores)) for column in COLUMNS[:3])
        table.add_row(name, Text(printable(run.policy), style="cyan"), *figures)
    mean = geometric_mean([run.scores.equal_cost for run in runs if run is not None])
    table.add_section()
    table.add_row(Text("geometric mean", style="bold"), "", "", "", Text(figure(2)(mean), style="bold"))
    return table


def ranking(runs: Sequence[Run]) -> list[Run]:
    """Best first: by overload at equal cost, then those without by unserved load, then by cost."""

    def place(run: Run) -> tuple[bool, float, float, float]:
        scores = run.scores
        return (
            math.isnan(scores.equal_cost),
            0.0 if math.isnan(scores.equal_cost) else scores.equal_cost,
            math.inf if math.isnan(scores.unserved_share) else scores.unserved_share,
            math.inf if math.isnan(scores.cost_ratio) else scores.cost_ratio,
        )

    return sorted(runs, key=place)


def printable(text: str) -> str:
    """Text from outside without characters that could steer a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _table(title: str) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.show_edge = False
    return table


def _oracle_name(run: Run) -> str:
    return f"{printable(run.policy)} (unreachable)"


def _style(run: Run) -> str:
    return {Kind.POLICY: "bold cyan", Kind.BASELINE: "", Kind.ORACLE: "dim italic"}[run.kind]


def _cells(column: Column, ranked: Sequence[Run], oracles: Sequence[Run]) -> list[Text]:
    values = [column.value(run.scores) for run in ranked]
    known = [value for value in values if not math.isnan(value)]
    best = min(known) if len(known) > 1 else math.nan
    cells = [
        Text(column.text(value) + "*", style="bold green")
        if value == best
        else Text(column.text(value) + " ")
        for value in values
    ]
    return cells + [Text(column.text(column.value(run.scores)) + " ", style="dim") for run in oracles]
