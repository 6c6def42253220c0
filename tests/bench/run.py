"""Measure speed and memory against the stated bars and print the table: what `make bench` runs.

Every figure is a median of repeated runs, each in a process of its own. Wall-clock time is what the
bars are about; processor time beside it tells how much of a miss is the machine being busy.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
_SAMPLE = _ROOT / "autoscaler" / "backtest" / "samples" / "ms_mongo_app_04_1min.csv.gz"
_WEEK_ROWS = 7 * 24 * 60
_ENTRY = "from autoscaler.cli import main; main()"

# BLAS threads wait for each other by spinning: on a busy machine that makes small products a hundred
# times slower, and nothing here gains from them.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(_ROOT), **os.environ}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. bar: None where there is none; more: whether more is better."""

    what: str
    unit: str
    wall: float
    cpu: float
    peak_mib: float
    bar: float | None = None
    more: bool = False

    def met(self) -> str:
        """Whether the bar is met in wall-clock time, or would be on a machine with nothing else to do."""
        if self.bar is None:
            return ""
        if self._enough(self.wall):
            return "[green]yes"
        # NaN, where it is not known, is never enough.
        return "[yellow]in processor time" if self._enough(self.cpu) else "[red]no"

    def _enough(self, figure: float) -> bool:
        assert self.bar is not None
        return figure >= self.bar if self.more else figure <= self.bar


def main() -> None:
    """Measure everything; no exit status, since a busy machine is not a fault."""
    parser = argparse.ArgumentParser(description="measure speed and memory against the stated bars")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each measurement")
    parser.add_argument("--skip-10000", action="store_true", help="leave out what needs 4 GiB of memory")
    options = parser.parse_args()
    rows = [*_week(options.repeat), *_deciding(options.repeat), *_ticking(1_000, 0.25, 9)]
    if not options.skip_10000:
        rows += _ticking(10_000, 2.5, 5)
    _print(rows)


def _week(repeat: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "week.csv"
        with gzip.open(_SAMPLE, "rt", encoding="utf-8") as sample:
            file.write_text("".join(itertools.islice(sample, _WEEK_ROWS + 1)), encoding="utf-8")
        found = [(what, bar, [measure() for _ in range(repeat)]) for what, bar, measure in _weeks(str(file))]
    return [_row(what, "s", measured, bar) for what, bar, measured in found]


def _weeks(file: str) -> Iterator[tuple[str, float, Callable[[], dict[str, float]]]]:
    """What to call it, its bar, and how to measure it."""
    for model in ("auto", "ridge"):
        for how, jobs in (("", ()), (" --jobs 1", ("1",))):
            label = f"one week at 1 min, one policy, {model}{how}"
            yield f"{label}: inside the command", 2.0, partial(_measured, "week", file, model, *jobs)
            options = ("--model", model, *(("--jobs", *jobs) if jobs else ()))
            yield f"{label}: whole process", 4.0, partial(_process, file, *options)


def _deciding(repeat: int) -> list[Row]:
    return [
        _row(label, "/s", [_measured(name) for _ in range(repeat)], 20_000.0, more=True)
        for label, name in (
            ("decide, default policy", "decide"),
            ("decide, four signals, spend, zones, outage, event", "decide-full"),
        )
    ]


def _ticking(workloads: int, bar: float, ticks: int) -> list[Row]:
    found = _measured("tick", str(workloads), str(ticks))
    rows = [_row(f"forecast + decide, {workloads:,} workloads", "s", [found], bar)]
    if workloads <= 1_000:
        rows.append(
            Row(f"fit, {workloads:,} workloads", "s", found["fit_wall"], found["fit_cpu"], found["peak_mib"])
        )
    return rows


def _row(
    what: str, unit: str, found: list[dict[str, float]], bar: float | None = None, more: bool = False
) -> Row:
    wall, cpu, peak_mib = (
        statistics.median(one[key] for one in found) for key in ("wall", "cpu", "peak_mib")
    )
    return Row(what, unit, wall, cpu, peak_mib, bar, more)


def _measured(*arguments: str) -> dict[str, float]:
    command = [sys.executable, str(_HERE / "measures.py"), *arguments]
    done = subprocess.run(command, env=_ENVIRONMENT, check=True, stdout=subprocess.PIPE)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def _process(file: str, *options: str) -> dict[str, float]:
    """The command as a user runs it, imports included."""
    command = [sys.executable, "-c", _ENTRY, "backtest", file, "--warm-up", "1d", "--baselines", "none"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [*command, *options],
        env=_ENVIRONMENT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    alone = "--jobs" in options  # what processes of its own took is not known here
    # Largest of all children so far; the measurements before this one load the same code.
    return {"wall": wall, "cpu": cpu if alone else math.nan, "peak_mib": after.ru_maxrss / 1024.0}


def _print(rows: list[Row]) -> None:
    table = Table(title="Speed and memory")
    table.add_column("measured", no_wrap=True)
    for name in ("wall", "processor", "bar", "met", "peak MiB"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        bar = "" if row.bar is None else f"{'≥' if row.more else '≤'} {_figure(row.bar, row.unit)}"
        table.add_row(
            row.what,
            _figure(row.wall, row.unit),
            _figure(row.cpu, row.unit),
            bar,
            row.met(),
            f"{row.peak_mib:,.0f}",
        )
    Console(width=120 if not sys.stdout.isatty() else None).print(table)


def _figure(value: float, unit: str) -> str:
    if math.isnan(value):
        return ""
    return f"{value:,.0f}{unit}" if unit == "/s" else f"{value:.3g} {unit}"


if __name__ == "__main__":
    main()
