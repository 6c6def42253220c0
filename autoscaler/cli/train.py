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
from autoscaler.forecasting.peak_training import PARTS, SEED, Lessons, joined, lessons, train
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
    """lessons: by part of the model. about: what the manifest says of the load."""

    lessons: dict[str, Lessons]
    about: dict[str, Any]


def training(options: Options) -> None:
    """Run the command: a model that was written is read again before it is called good."""
    names = [path.name for path in options.traces]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name}: given twice, and would count twice; leave one out")
    if not options.out.is_dir():
        raise InputError(f"--out {options.out}: not a directory; create it first")
    check_writable(options.out / "manifest")
    console = Console(stderr=True, quiet=options.quiet)
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        taught = list(pool.map(_taught, options.traces))
        for one in taught:
            count = sum(len(part.weight) for part in one.lessons.values())
            console.print(f"{one.about['name']}: {count:,} moments")
        if not all(any(part in one.lessons for one in taught) for part in PARTS):
            raise InputError(
                "nothing to learn from: every load is shorter than the lead times; give longer ones"
            )
        console.print("growing trees …")
        asked = [(part, taught, options.seed) for part in PARTS]
        for part, files in zip(PARTS, pool.map(_grown, asked), strict=True):
            _write(options.out / part, files)
    console.print(f"written to {options.out}")


def described(traces: Sequence[dict[str, Any]], part: str, seed: int) -> dict[str, Any]:
    """What the manifest says of how the model was made."""
    made_with = f"lightgbm {version('lightgbm')}"
    return {"trained_on": list(traces), "leads_s": list(PARTS[part]), "seed": seed, "made_with": made_with}


def _taught(path: Path) -> _Taught:
    series = read_recorded(path, columns=())
    about = {
        "name": series.name,
        "sha256": hashlib.sha256(series.values.tobytes()).hexdigest(),
        "steps": len(series),
        "step_s": series.step_s,
    }
    found = {part: lessons(series, leads_s) for part, leads_s in PARTS.items()}
    return _Taught({part: taught for part, taught in found.items() if len(taught.weight)}, about)


def _grown(asked: tuple[str, Sequence[_Taught], int]) -> dict[str, bytes]:
    part, taught, seed = asked
    about = described([one.about for one in taught], part, seed)
    return train(joined([one.lessons[part] for one in taught if part in one.lessons]), about, seed)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        write_bytes(folder / name, content)
    read_folder(folder)
