"""A model from loads, and what it is worth: the work of `autoscaler train`, shared among processes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from autoscaler.cli.training.loads import Load
from autoscaler.cli.training.verdict import Verdict
from autoscaler.forecasting.peaks.learned_peaks import ModelFor
from autoscaler.forecasting.peaks.model_comparison import held_out_from, loss_ratios
from autoscaler.forecasting.peaks.trained_model import Files, TrainedModel
from autoscaler.forecasting.peaks.training import PARTS, Lessons, joined, lessons, train


@dataclass(frozen=True, slots=True)
class Taught:
    """What one load teaches. lessons: by part of the model. about: what the manifest says of the load.
    held_from: the first step that a model to be judged must not learn from; None where none can be judged
    on this load."""

    load: Load
    lessons: dict[str, Lessons]
    about: dict[str, Any]
    held_from: int | None

    @property
    def moments(self) -> int:
        """How many there are to learn from."""
        return sum(len(part.weight) for part in self.lessons.values())

    def until_held_out(self, part: str) -> Lessons | None:
        """What a model to be judged may learn."""
        known = self.lessons.get(part)
        if known is None or self.held_from is None:
            return known
        series = self.load.series
        return known.until(series.start_s + (self.held_from - 1) * series.step_s)


def teach(loads: Sequence[Load], pool: Executor) -> Iterator[Taught]:
    """What each load teaches, in order."""
    yield from pool.map(_taught, loads)


def grow(taught: Sequence[Taught], seed: int, pool: Executor) -> dict[str, Files]:
    """The files of a model that learned all there is, by part; of no part that nothing is known of."""
    known = {part: [one.lessons.get(part) for one in taught] for part in PARTS}
    return _grown(known, taught, seed, pool)


def judge(taught: Sequence[Taught], in_force: ModelFor, seed: int, pool: Executor) -> Verdict | None:
    """A model without the newest part of each load, compared on that with the one in force.

    None where no load is long enough.
    """
    known = {part: [one.until_held_out(part) for one in taught] for part in PARTS}
    parts = _grown(known, taught, seed, pool)
    judged = [one for one in taught if one.held_from is not None]
    if not judged or parts.keys() != PARTS.keys():
        return None
    new = TrainedModel.of(parts)
    asked = [(one.load, one.held_from, new, in_force) for one in judged]
    return Verdict(dict(pool.map(_compared, asked)))


def described(traces: Sequence[dict[str, Any]], part: str, seed: int) -> dict[str, Any]:
    """What the manifest says of how the model was made."""
    made_with = f"lightgbm {version('lightgbm')}"
    return {"trained_on": list(traces), "leads_s": list(PARTS[part]), "seed": seed, "made_with": made_with}


def _grown(
    known: Mapping[str, Sequence[Lessons | None]], taught: Sequence[Taught], seed: int, pool: Executor
) -> dict[str, Files]:
    about = [one.about for one in taught]
    together = {part: joined([some for some in found if some is not None]) for part, found in known.items()}
    parts = [part for part, all_of_it in together.items() if len(all_of_it.weight)]
    asked = [(together[part], described(about, part, seed), seed) for part in parts]
    return dict(zip(parts, pool.map(_trained, asked), strict=True))


def _taught(load: Load) -> Taught:
    series = load.series
    about = {
        "name": series.name,
        "sha256": hashlib.sha256(series.values.tobytes()).hexdigest(),
        "steps": len(series),
        "step_s": series.step_s,
    }
    found = {part: lessons(series, leads_s) for part, leads_s in PARTS.items()}
    known = {part: taught for part, taught in found.items() if len(taught.weight)}
    return Taught(load, known, about, held_out_from(series))


def _trained(asked: tuple[Lessons, dict[str, Any], int]) -> dict[str, bytes]:
    return train(*asked)


def _compared(asked: tuple[Load, int, ModelFor, ModelFor]) -> tuple[str, dict[str, float]]:
    load, first, new, old = asked
    return load.series.name, loss_ratios(load.series, first, load.quantile, new, old)
