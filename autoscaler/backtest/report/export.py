"""The outcome of a backtest for programs: one JSON document, and a timeline of every step as CSV.

The keys of the JSON are a contract, listed in `docs/scores.md`; a figure that could not be
computed is null. The timeline alone is enough to score every policy again.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import orjson

from autoscaler.backtest.report.writing import Opening, atomic, write_bytes
from autoscaler.backtest.result import Comparison, ForecastTrack, Promise, Run, TraceResult
from autoscaler.backtest.start_ups import within_s
from autoscaler.planning.curve import LADDER, curve_points
from autoscaler.series import Floats, Ints, Series

FORMAT = 1
"""Version of the JSON document; grows when a key changes its meaning or goes."""

HEADER = b"trace,policy,timestamp,load,desired,ready\n"


def write_json(comparison: Comparison, path: Path, opening: Opening = atomic) -> None:
    """Write the JSON document to `path`, whole or not at all; raises InputError."""
    write_bytes(path, json_bytes(comparison), opening)


def json_bytes(comparison: Comparison) -> bytes:
    """The JSON document, indented, ending with a newline; NaN and infinities become null."""
    document = {
        "format": FORMAT,
        "verdict": comparison.verdict,
        "traces": [_trace(trace) for trace in comparison.traces],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_timeline(comparison: Comparison, path: Path, opening: Opening = atomic) -> None:
    """Write the timeline to `path`, gzipped when its name ends in .gz; raises InputError."""
    with ExitStack() as stack:
        file = stack.enter_context(opening(path))
        if path.name.endswith(".gz"):
            # No name and no time inside: the same comparison gives the same bytes.
            packed = gzip.GzipFile(filename="", mode="wb", compresslevel=4, fileobj=file, mtime=0)
            file = cast("IO[bytes]", stack.enter_context(packed))
        file.write(HEADER)
        for trace in comparison.traces:
            for chunk in _rows(trace):
                file.write(chunk)


def timestamps(times_s: Ints) -> list[str]:
    """ISO 8601 UTC with a Z, one per epoch second."""
    texts = np.datetime_as_string(times_s.astype("datetime64[s]"), unit="s")
    return [text + "Z" for text in texts.tolist()]


def plain_number(value: float) -> str:
    """Shortest text that reads back as the same number, without a trailing `.0`; empty for NaN."""
    if value != value:
        return ""
    text = repr(float(value))
    return text.removesuffix(".0")


def _rows(trace: TraceResult) -> Iterator[bytes]:
    series = trace.series
    loads = [plain_number(value) for value in series.values.tolist()]
    moments = [f"{time},{load}" for time, load in zip(timestamps(series.times_s), loads, strict=True)]
    for run in trace.runs:
        head = _csv_fields(series.name, run.policy)
        counts = zip(moments, run.desired.tolist(), run.ready.tolist(), strict=True)
        yield "".join([f"{head},{moment},{desired},{ready}\n" for moment, desired, ready in counts]).encode()


def _csv_fields(*fields: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def _trace(trace: TraceResult) -> dict[str, Any]:
    series = trace.series
    return {
        "trace": series.name,
        "verdict": trace.verdict,
        "start": _instant(series, 0),
        "step_s": series.step_s,
        "steps": len(series),
        "missing_steps": int(np.isnan(series.values).sum()),
        "scored_from": _instant(series, trace.scored_from),
        "scored_steps": max(0, len(series) - trace.scored_from),
        "per_replica": trace.per_replica,
        "start_up_s": trace.start_up_s,
        "start_up_samples": _start_ups(trace.start_up_samples_s),
        "price": trace.price,
        "policies": [_run(run, series) for run in trace.runs],
    }


def _start_ups(samples_s: Sequence[float]) -> dict[str, Any] | None:
    if not samples_s:
        return None
    return {"count": len(samples_s), "p90_s": within_s(samples_s), "longest_s": max(samples_s)}


def _run(run: Run, series: Series) -> dict[str, Any]:
    return {
        "policy": run.policy,
        "kind": run.kind.value,
        "note": run.note,
        "scores": asdict(run.scores),
        "forecast": None if run.forecast is None else _forecast(run.forecast),
        "objective": None if run.promise is None else _promise(run.promise, series),
        "guards": [asdict(guard) for guard in run.guards],
        "decisions": [
            {
                "timestamp": _instant(series, decision.index),
                "before": decision.before,
                "after": decision.after,
                "reasons": list(decision.reasons),
                "sentence": decision.sentence,
            }
            for decision in run.decisions
        ],
    }


def _forecast(track: ForecastTrack) -> dict[str, Any]:
    return {
        "model": track.model,
        "note": track.note,
        "quantile": track.quantile,
        "lead_steps": track.lead_steps,
        "coverage": track.coverage,
        "pinball": track.pinball,
    }


def _promise(promise: Promise, series: Series) -> dict[str, Any]:
    objective, rungs, curve = promise.dial.objective, promise.dial.rungs, promise.dial.curve
    moved = np.flatnonzero(np.diff(rungs, prepend=-1))
    return {
        "goal": objective.goal.value,
        "allowed": objective.allowed,
        "kept": promise.kept,
        "window_s": objective.window_s,
        "sentence": promise.sentence,
        "dial": [{"timestamp": _instant(series, at), **asdict(LADDER[rungs[at]])} for at in moved.tolist()],
        "curve": None if curve is None else curve_points(curve),
    }


def _instant(series: Series, index: int) -> str:
    return timestamps(np.array([series.start_s + index * series.step_s], dtype=np.int64))[0]


def nan_to_null(values: Floats) -> list[float | None]:
    """A list for JSON in which missing numbers are None."""
    return [None if value != value else value for value in values.tolist()]
