"""The model of the peak that ships with the package, in parts by lead time: each read once, as a constant.

This is the one place in forecasting that reads a file. It stands in for numbers that would be
written in the code, were there not a hundred thousand of them.
"""

from __future__ import annotations

import functools
from pathlib import Path

from autoscaler.forecasting.peak_model import MANIFEST, PeakModel, UnusableModel, read_model
from autoscaler.forecasting.witness import clue_names

_PACKAGE = Path(__file__).parents[1]
_FOLDERS = (_PACKAGE / "_shipped" / "models" / "peaks", _PACKAGE.parent / "models" / "peaks")
"""Where a wheel has it, and where a checkout does."""

_UP_TO_S = {"short": 480.0, "middle": 1800.0, "long": 7200.0}
"""Longest lead time that each part serves: half-way, as a ratio, to what the next one was trained on."""


def read_folder(folder: Path) -> PeakModel:
    """The model in a folder. Raises UnusableModel, naming the file and what is wrong with it."""
    try:
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    except OSError as error:
        raise UnusableModel(f"{folder}: cannot be read ({error.strerror})") from error
    try:
        return read_model(files)
    except UnusableModel as error:
        raise UnusableModel(f"{folder}: {error}") from error


def shipped_model(lead_s: float) -> PeakModel | str:
    """The model for a lead time that ships with this version, or the reason in words why none can be used."""
    for part, longest_s in _UP_TO_S.items():
        if lead_s <= longest_s:
            return _part(part)
    return "the learned model was not trained for lead times beyond two hours"


@functools.cache
def _part(name: str) -> PeakModel | str:
    folder = next((folder / name for folder in _FOLDERS if (folder / name / MANIFEST).is_file()), None)
    if folder is None:
        return "no learned model ships with this installation"
    try:
        model = read_folder(folder)
    except UnusableModel as error:
        return f"the learned model is unusable: {error}"
    if model.clues != clue_names():
        return f"the learned model is unusable: {folder} was trained on other clues; train it again"
    return model
