"""A forecast for looking and for programs: terminal, PNG, HTML, CSV and JSON.

Each takes the history and a forecast of one row made at its end.
"""

from __future__ import annotations

import io
import itertools
import math
from typing import Any

import numpy as np
import orjson
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoscaler.backtest.report.export import nan_to_null, plain_number, timestamps
from autoscaler.backtest.report.page import escape, packed, page
from autoscaler.backtest.report.png import literal
from autoscaler.backtest.report.table import duration, printable
from autoscaler.series import Floats, Forecast, Grade, Ints, Series

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ROWS = 8
_SHOWN_LEVELS = (0.05, 0.5, 0.95)
_HISTORY_PER_HORIZON = 4
"""How much history is drawn beside the forecast, as a multiple of its length."""

_LEAST_HISTORY_STEPS = 120


def times_s(forecast: Forecast) -> Ints:
    """Start of each forecast interval, epoch seconds, shape [horizon]."""
    ahead = np.arange(1, forecast.horizon + 1, dtype=np.int64)
    return int(forecast.made_at_s[0]) + forecast.step_s * ahead


def terminal_view(history: Series, forecast: Forecast, width: int) -> RenderableType:
    """A small chart of the recent past and the fan to come, and a table of some leads.

    Ahead, solid reaches to the lowest quantile shown, dark to the median, light to the highest.
    """
    title = Text.assemble((printable(history.name), "bold"), ": ", _in_words(forecast))
    if forecast.grades[0] is Grade.NONE:
        return Group(title, Text("There is not enough history for a forecast."))
    cells = max(20, width - 2)
    past = _recent(history, forecast).values
    ahead = max(1, min(cells // 2, round(cells * forecast.horizon / (len(past) + forecast.horizon))))
    left = _resampled(past, cells - ahead)
    fan = [_resampled(_at_level(forecast.values, forecast, level), ahead) for level in _SHOWN_LEVELS]
    known = np.concatenate([left, *fan])
    top = float(known.max(where=~np.isnan(known), initial=0.0))
    rows = [
        Text.assemble(_past_row(left, top, row), (_fan_row(fan, top, row), "cyan"))
        for row in reversed(range(_ROWS))
    ]
    drawn, horizon = duration(len(past) * history.step_s), duration(forecast.horizon * forecast.step_s)
    legend = Text(f"{drawn} of history, then {horizon} ahead; top {_figure(top)}", style="dim")
    return Group(title, *rows, legend, _lead_table(forecast))


def csv_text(forecast: Forecast) -> str:
    """`timestamp,q0.05,…`: the load of each step ahead at each quantile; empty where unknown."""
    lines = [",".join(["timestamp", *(f"q{level:g}" for level in forecast.levels.tolist())])]
    for time, row in zip(timestamps(times_s(forecast)), forecast.values[0].tolist(), strict=True):
        lines.append(",".join([time, *map(plain_number, row)]))
    return "\n".join(lines) + "\n"


def json_bytes(history: Series, forecast: Forecast) -> bytes:
    """One document: how the forecast came about, and for each step the load and the peak so far."""
    document = {
        "format": 1,
        "series": history.name,
        "made_at": timestamps(forecast.made_at_s[:1])[0],
        "step_s": forecast.step_s,
        "model": forecast.models[0],
        "grade": forecast.grades[0].value,
        "note": forecast.notes[0],
        "levels": forecast.levels.tolist(),
        "steps": [
            {"timestamp": time, "load": nan_to_null(load), "peak": nan_to_null(peak)}
            for time, load, peak in zip(
                timestamps(times_s(forecast)), forecast.values[0], forecast.peaks[0], strict=True
            )
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def png_bytes(history: Series, forecast: Forecast) -> bytes:
    """The fan as a picture, 1500 x 700 pixels: pairs of quantiles shaded about the median."""
    # Not at the top: matplotlib is slow to import, and most commands draw nothing.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5.6), dpi=125, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    past = _recent(history, forecast)
    ahead = times_s(forecast).astype("datetime64[s]")
    axes.plot(
        past.times_s.astype("datetime64[s]"), past.values, color="#46525f", linewidth=1, label="recorded"
    )
    values, levels = forecast.values[0], forecast.levels
    for low, high in _pairs(levels):
        name = f"{levels[low]:g} to {levels[high]:g}"
        axes.fill_between(
            ahead, values[:, low], values[:, high], color="#1f6feb", alpha=0.16, linewidth=0, label=name
        )
    axes.plot(
        ahead, _at_level(forecast.values, forecast, 0.5), color="#1f6feb", linewidth=1.8, label="median"
    )
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    axes.grid(color="#e4e8ed", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors="#46525f")
    axes.set_ylabel("load", color="#46525f")
    axes.set_title(
        literal(f"{history.name}: {_in_words(forecast)}"), loc="left", fontsize=11, color="#1b2430", wrap=True
    )
    axes.legend(loc="upper right", fontsize=9, framealpha=0.9, edgecolor="#e4e8ed")
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def html_page(history: Series, forecast: Forecast) -> str:
    """The fan as one offline page, with hover, zoom and a table of some leads."""
    past = _recent(history, forecast)
    data: dict[str, Any] = {
        "past": {
            "startMs": past.start_s * 1000,
            "stepMs": past.step_s * 1000,
            "load": packed(past.values, "f4"),
        },
        "ahead": {
            "startMs": int(times_s(forecast)[0]) * 1000,
            "stepMs": forecast.step_s * 1000,
            "levels": forecast.levels.tolist(),
            "pairs": _pairs(forecast.levels),
            "values": [packed(forecast.values[0, :, i], "f4") for i in range(len(forecast.levels))],
            "median": packed(_at_level(forecast.values, forecast, 0.5), "f4"),
        },
    }
    heads, rows = _lead_rows(forecast)
    table = "<tr>" + "".join(f'<th class="n">{escape(head)}</th>' for head in heads) + "</tr></thead><tbody>"
    table += "".join(
        "<tr>" + "".join(f'<td class="n">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
    body = (
        '<header><p class="eyebrow">Load forecast</p>'
        f"<h1>{escape(history.name)}</h1><p>{escape(_in_words(forecast))}</p></header>"
        '<div class="card"><h3>What was recorded, and what is expected</h3><p class="help">Half of all '
        "outcomes are expected on each side of the median; a band holds its outcomes as often as its two "
        "quantiles are apart. Drag to zoom, double-click to see everything.</p>"
        '<div class="chart timeline" id="fan"></div></div>'
        '<div class="card"><h3>Largest load until then</h3><p class="help">Quantiles of the highest load '
        "between now and each moment: what capacity has to be ready for.</p>"
        f'<div class="scroll"><table><thead>{table}</tbody></table></div></div>'
    )
    return page(f"Forecast of {history.name}", body, data, ("chart.js", "forecast.js"))


def _in_words(forecast: Forecast) -> str:
    made = timestamps(forecast.made_at_s[:1])[0]
    note = f" ({printable(forecast.notes[0])})" if forecast.notes[0] else ""
    return f"{printable(forecast.models[0])}, grade {forecast.grades[0].value}, made at {made}{note}"


def _recent(history: Series, forecast: Forecast) -> Series:
    steps = max(_LEAST_HISTORY_STEPS, _HISTORY_PER_HORIZON * forecast.horizon)
    return history.between(max(0, len(history) - steps), len(history))


def _at_level(values: Floats, forecast: Forecast, level: float) -> Floats:
    """`values` of the first row at one quantile, between the stored ones linearly. Shape [horizon]."""
    position = float(np.interp(level, forecast.levels, np.arange(len(forecast.levels))))
    low = int(position)
    high = min(low + 1, len(forecast.levels) - 1)
    row: Floats = values[0, :, low] + (position - low) * (values[0, :, high] - values[0, :, low])
    return row


def _pairs(levels: Floats) -> list[tuple[int, int]]:
    """Positions of quantiles that lie opposite each other about the median, widest first."""
    below = [i for i, level in enumerate(levels.tolist()) if level < 0.5]
    above = [i for i, level in enumerate(levels.tolist()) if level > 0.5]
    opposite = (
        [(i, min(above, key=lambda j: abs(levels[i] + levels[j] - 1.0))) for i in below] if above else []
    )
    return [(i, j) for i, j in opposite if abs(levels[i] + levels[j] - 1.0) < 0.051]


def _lead_table(forecast: Forecast) -> Table:
    heads, rows = _lead_rows(forecast)
    table = Table(
        title=Text("largest load until then", style="dim"), title_justify="left", box=None, pad_edge=False
    )
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _lead_rows(forecast: Forecast) -> tuple[list[str], list[list[str]]]:
    """Peaks at about six leads spread over the horizon."""
    leads = sorted({max(1, round(forecast.horizon * share)) for share in (0.01, 0.05, 0.2, 0.4, 0.7, 1.0)})
    heads = ["in", "at (UTC)", *(f"q{level:g}" for level in _SHOWN_LEVELS)]
    ends = timestamps(times_s(forecast) + forecast.step_s)
    columns = [_at_level(forecast.peaks, forecast, level) for level in _SHOWN_LEVELS]
    rows = [
        [duration(lead * forecast.step_s), ends[lead - 1], *(_figure(float(c[lead - 1])) for c in columns)]
        for lead in leads
    ]
    return heads, rows


def _figure(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _resampled(values: Floats, cells: int) -> Floats:
    """Highest value of each of `cells` equal parts; NaN where a part has none. Repeats short input."""
    edges = np.linspace(0, len(values), cells + 1)
    parts = [values[int(a) : max(int(a) + 1, int(b))] for a, b in itertools.pairwise(edges)]
    return np.array([np.nan if np.isnan(part).all() else np.nanmax(part) for part in parts])


def _past_row(values: Floats, top: float, row: int) -> str:
    """One line of a bar chart from zero to `top`, row 0 the lowest; a space where unknown."""
    heights = np.nan_to_num(values) * (_ROWS / top if top > 0 else 0.0) - row
    eighths = np.rint(heights.clip(0.0, 1.0) * (len(_BLOCKS) - 1)).astype(int)
    return "".join(_BLOCKS[eighth] for eighth in eighths.tolist())


def _fan_row(fan: list[Floats], top: float, row: int) -> str:
    """One line of the fan: a cell shows the lowest quantile that reaches its middle."""
    middle = (row + 0.5) / _ROWS * top
    return "".join(
        "█" if low >= middle else "▓" if median >= middle else "░" if high >= middle else " "
        for low, median, high in zip(*(values.tolist() for values in fan), strict=True)
    )
