"""`autoscaler train`: from recorded loads to the files of the shared model of the peak.

The same files of loads, seed and version of LightGBM give the same bytes.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from autoscaler.backtest.report.writing import check_writable, write_bytes
from autoscaler.forecasting.peak_model import MANIFEST
from autoscaler.forecasting.peak_training import LEADS_S, SEED, Lessons, joined, lessons, train
from autoscaler.forecasting.shipped import read_folder
from autoscaler.signals.errors import InputError
from autoscaler.signals.recorded import read_recorded


@dataclass(frozen=True, slots=True)
class Options:
    """The command line as given; see `autoscaler.cli.app` for what each option means."""

    traces: Sequence[Path]
    out: Path
    seed: int = SEED
    jobs: int = 2
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class _Taught:
    lessons: Lessons | None
    about: dict[str, Any]


def training(options: Options) -> None:
    """Run the command: a model that was written is read again before it is called good."""
    names = [path.name for path in options.traces]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name}: given twice, and would count twice; leave one out")
    if not options.out.is_dir():
        raise InputError(f"--out {options.out}: not a directory; create it first")
    check_writable(options.out / MANIFEST)
    console = Console(stderr=True, quiet=options.quiet)
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        taught = list(pool.map(_taught, options.traces))
    for one in taught:
        count = 0 if one.lessons is None else len(one.lessons.weight)
        console.print(f"{one.about['name']}: {count:,} moments")
    parts = [one.lessons for one in taught if one.lessons is not None]
    if not parts:
        raise InputError("nothing to learn from: every load is shorter than the lead times; give longer ones")
    console.print("growing trees …")
    about = described([one.about for one in taught], options.seed)
    for name, content in train(joined(parts), about, options.seed).items():
        write_bytes(options.out / name, content)
    read_folder(options.out)
    console.print(f"written to {options.out}")


def described(traces: Sequence[dict[str, Any]], seed: int) -> dict[str, Any]:
    """What the manifest says of how the model was made."""
    made_with = f"lightgbm {version('lightgbm')}"
    return {"trained_on": list(traces), "leads_s": list(LEADS_S), "seed": seed, "made_with": made_with}


def _taught(path: Path) -> _Taught:
    series = read_recorded(path, columns=())
    about = {
        "name": series.name,
        "sha256": hashlib.sha256(series.values.tobytes()).hexdigest(),
        "steps": len(series),
        "step_s": series.step_s,
    }
    try:
        return _Taught(lessons(series), about)
    except ValueError:  # too short for any lead: said with the others, and no reason to stop
        return _Taught(None, about)
