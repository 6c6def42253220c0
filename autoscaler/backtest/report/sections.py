"""The parts of the HTML report that need no script: verdict, tiles, scores, guards, settings, help."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from autoscaler import __version__
from autoscaler.backtest.report.export import plain_number, timestamps
from autoscaler.backtest.report.page import escape
from autoscaler.backtest.report.table import COLUMNS, Column, duration, figure, ranking, unserved
from autoscaler.backtest.report.verdict import representative
from autoscaler.backtest.result import Comparison, GuardTotal, Kind, Run, TraceResult
from autoscaler.backtest.start_ups import SHARE, within_s
from autoscaler.backtest.yardstick import geometric_mean

_HYPHEN = "\N{NON-BREAKING HYPHEN}"


def header(comparison: Comparison) -> str:
    """The verdict, large, and what was compared, small."""
    count = len(comparison.traces)
    traces = "one trace" if count == 1 else f"{count} traces"
    policies = len({run.policy for trace in comparison.traces for run in trace.runs})
    # A figure and its per cent sign stay on one line.
    verdict = escape(comparison.verdict).replace(" %", "&nbsp;%")
    return (
        '<header><p class="eyebrow">Backtest of scaling policies on recorded traffic</p>'
        f'<h1>{verdict}</h1><p class="help">{policies} policies over {traces}, '
        f"simulated with the code that scales for real · autoscaler {escape(__version__)}</p></header>"
    )


def tiles(run: Run) -> str:
    """The four figures everybody asks for first."""
    scores = run.scores
    shown = (
        ("load left unserved", f"{unserved(scores.unserved_share)} %", "share of all load above capacity"),
        (
            "against a tuned HPA",
            _times(scores.equal_cost),
            "its unserved load at equal cost; below 1 is better",
        ),
        ("cost", _times(scores.cost_ratio), "1 pays for exactly what was needed"),
        ("time short", duration(scores.minutes_short * 60), f"longest {duration(scores.longest_shortage_s)}"),
    )
    cells = "".join(
        f'<div class="tile"><span class="label">{label}</span><span class="value">{escape(value)}</span>'
        f'<span class="help">{escape(note)}</span></div>'
        for label, value, note in shown
    )
    return f'<p class="whose">{escape(run.policy)}</p><div class="tiles">{cells}</div>'


def score_table(trace: TraceResult) -> str:
    """Every score of every policy, best first; the oracle apart."""
    ranked = ranking([run for run in trace.runs if run.kind is not Kind.ORACLE])
    oracles = [run for run in trace.runs if run.kind is Kind.ORACLE]
    # Headings may wrap, but not at a hyphen.
    heads = "".join(f'<th class="n">{escape(c.heading.replace("-", _HYPHEN))}</th>' for c in COLUMNS)
    rows = "".join(_score_row(run, ranked) for run in ranked) + "".join(
        _score_row(run, []) for run in oracles
    )
    return (
        f'<div class="scroll"><table class="scores"><thead><tr><th>policy</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        '<p class="help">Best first, by unserved load at equal cost. Green is the best of its column. '
        "The oracle knows the future: a bound, not a rival.</p>"
    )


def summary(comparison: Comparison) -> str:
    """One row a trace with our policy's figures."""
    rows, ratios = "", []
    for trace in comparison.traces:
        run = representative(trace.runs)
        cells = '<td class="n">–</td>' * 3 if run is None else "".join(_plain(c, run) for c in COLUMNS[:3])
        ratios += [run.scores.equal_cost] if run is not None else []
        rows += (
            f"<tr><th>{escape(trace.series.name)}</th><td>{escape(run.policy) if run else '–'}</td>{cells}"
            f'<td class="verdict">{escape(trace.verdict)}</td></tr>'
        )
    heads = "".join(f'<th class="n">{escape(column.heading)}</th>' for column in COLUMNS[:3])
    return (
        '<div class="card wide"><h3>All traces</h3><div class="scroll"><table><thead><tr><th>trace</th>'
        f'<th>policy</th>{heads}<th class="verdict">verdict</th></tr></thead><tbody>{rows}</tbody><tfoot><tr>'
        '<th colspan="4">geometric mean against a tuned HPA</th>'
        f'<td class="n">{figure(2)(geometric_mean(ratios))}</td><td class="verdict"></td></tr>'
        "</tfoot></table></div></div>"
    )


def guard_section(trace: TraceResult) -> str:
    """What each guard did, as a table beside the chart; empty when no policy recorded guards."""
    guarded = [(i, run) for i, run in enumerate(trace.runs) if run.guards]
    if not guarded:
        return ""
    tables = "".join(f'<div data-guards="{i}">{_guard_table(run.guards)}</div>' for i, run in guarded)
    return (
        '<div class="card"><h3>What each guard did</h3><p class="help">A guard is a rule that may change '
        "what was wished for before it is asked for. Replica-hours added cost money; those removed saved it."
        f'</p><div class="chart guards" data-chart="guards"></div>{tables}</div>'
    )


def settings(trace: TraceResult) -> str:
    """What was assumed, and every policy in words."""
    series = trace.series
    begin, scored, end = timestamps(
        series.start_s + series.step_s * np.array([0, trace.scored_from, len(series)])
    )
    facts = (
        ("recorded", f"{begin} to {end}, one value every {duration(series.step_s)}, {len(series):,} values"),
        ("missing values", f"{int(np.isnan(series.values).sum()):,}; neither served nor short"),
        ("scored from", f"{scored}; before that is warm-up"),
        ("load one replica serves", plain_number(trace.per_replica)),
        ("from asking to ready", _start_up(trace)),
        ("price of a replica-hour", plain_number(trace.price)),
    )
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    policies = "".join(
        f"<dt>{escape(run.policy)}</dt><dd>{escape(run.note or 'no settings')}</dd>" for run in trace.runs
    )
    return (
        '<details class="card"><summary>Settings used</summary>'
        f"<dl>{listed}</dl><h4>Policies</h4><dl>{policies}</dl></details>"
    )


def closing() -> str:
    """How to read the report."""
    return """<footer class="card"><h3>How to read this</h3>
<p>The traffic is a recording; the pods are simulated. A replica asked for becomes ready only after its
start-up time, which is why a policy that waits for load to rise is always late, and why one that foresees
it need not keep as much in reserve.</p>
<p>Any policy serves more if it is given more replicas, so unserved load and cost have to be read together.
<b>vs tuned HPA</b> does that: it is the load a policy left unserved divided by what a yardstick would have
left: a reactive autoscaler that follows the mean of 3 minutes, its headroom tuned in hindsight to the same
cost. 0.50 is half of it, 1.00 is level, above 1 is a loss. A dash means that the yardstick cannot have that
cost. It is not the row <b>hpa-tuned</b>, which is HPA itself at its best CPU target for our policy's cost, so
the two need not agree.</p>
<p><b>unserved</b> is the share of all load that was above capacity. <b>cost / need</b> is replica time asked
for, divided by the least that serves the load. <b>min short</b> counts minutes in which any load was above
capacity, <b>longest</b> is the longest such stretch. <b>reversals</b> are changes undone within ten minutes.
<b>too few / too many</b> are shares of time with fewer or more ready replicas than needed.</p>
<p>When many steps fall on one pixel, the charts draw the lowest and the highest of them; zoom in for each
single step. Shortages are drawn whatever the zoom. Times are UTC. The future need not resemble the
recording.</p></footer>"""


def _score_row(run: Run, rivals: Sequence[Run]) -> str:
    cells = "".join(_ranked_cell(column, run, rivals) for column in COLUMNS)
    name = escape(run.policy) + (" <small>unreachable</small>" if run.kind is Kind.ORACLE else "")
    return f'<tr class="{run.kind.value}"><th>{name}</th>{cells}</tr>'


def _ranked_cell(column: Column, run: Run, rivals: Sequence[Run]) -> str:
    known = [value for rival in rivals if not math.isnan(value := column.value(rival.scores))]
    best = len(known) > 1 and column.value(run.scores) == min(known)
    mark = ' class="n best"' if best else ' class="n"'
    return f"<td{mark}>{escape(column.text(column.value(run.scores)))}</td>"


def _plain(column: Column, run: Run) -> str:
    return f'<td class="n">{escape(column.text(column.value(run.scores)))}</td>'


def _guard_table(guards: Sequence[GuardTotal]) -> str:
    rows = "".join(
        f'<tr><th>{escape(guard.reason)}</th><td class="n">{guard.times:,}</td>'
        f'<td class="n">{guard.replica_hours_added:,.1f}</td>'
        f'<td class="n">{guard.replica_hours_removed:,.1f}</td></tr>'
        for guard in sorted(guards, key=lambda guard: -guard.times)
    )
    return (
        '<div class="scroll"><table><thead><tr><th>guard</th><th class="n">times</th>'
        '<th class="n">replica-hours added</th><th class="n">replica-hours removed</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _start_up(trace: TraceResult) -> str:
    samples_s = trace.start_up_samples_s
    planned = duration(trace.start_up_s)
    if not samples_s:
        return planned
    count = "1 sample" if len(samples_s) == 1 else f"{len(samples_s)} samples"
    within = within_s(samples_s)
    drawn = f"drawn from {count}, {SHARE:.0%} within {duration(within)}".replace("%", " %")
    return drawn if within == trace.start_up_s else f"{drawn}; planned for as {planned}"


def _times(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f} ×"
