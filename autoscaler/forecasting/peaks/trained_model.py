"""A trained model of the peak as one value: the files of its parts, each part for a range of lead times.

Two of the same content are equal, wherever they were read, and one can be handed to another process. The
files are verified when the value is made and again where a part is first used.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.forecasting.peaks.model import PeakModel, UnusableModel, read_model
from autoscaler.forecasting.peaks.witness import clue_names

UP_TO_S = {"short": 480.0, "middle": 1800.0, "long": 7200.0}
"""Longest lead time that each part serves: half-way, as a ratio, to what the next one was trained on."""
BEYOND = "the learned model was not trained for lead times beyond two hours"
_MOST_READ = 6
"""Parts that are kept ready for use: those of the model in use and of the one before."""

Files = Mapping[str, bytes]
"""The files of one part, by name."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """Implements ModelFor. digest: of all content. parts: the files of each part, by its name."""

    digest: str
    parts: Mapping[str, Files] = field(compare=False, repr=False)

    @staticmethod
    def of(parts: Mapping[str, Files]) -> TrainedModel:
        """The model in these files. Raises UnusableModel, naming part, file and what is wrong with it."""
        for name in UP_TO_S:
            if name not in parts:
                raise UnusableModel(f"{name}: missing")
            checked(name, parts[name])
        digest = hashlib.sha256()
        for name in UP_TO_S:
            for file, content in sorted(parts[name].items()):
                digest.update(f"{name}/{file} {len(content)}\n".encode())
                digest.update(content)
        return TrainedModel(digest.hexdigest(), {name: dict(parts[name]) for name in UP_TO_S})

    def __call__(self, lead_s: float) -> PeakModel | str:
        """The model for a lead time, or the reason in words why there is none."""
        name = part_for(lead_s)
        return BEYOND if name is None else _part(self, name)


def part_for(lead_s: float) -> str | None:
    """The part that serves a lead time; None for one that is longer than any part was trained for."""
    return next((name for name, longest_s in UP_TO_S.items() if lead_s <= longest_s), None)


def checked(name: str, files: Files) -> PeakModel:
    """The part of that name, made for what this version tells a model. Raises UnusableModel."""
    try:
        model = read_model(files)
    except UnusableModel as error:
        raise UnusableModel(f"{name}: {error}") from error
    if model.clues != clue_names():
        raise UnusableModel(f"{name}: was trained on other clues; train it again")
    return model


@functools.lru_cache(_MOST_READ)
def _part(model: TrainedModel, name: str) -> PeakModel:
    return checked(name, model.parts[name])
