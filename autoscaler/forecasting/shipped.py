"""The model of the peak that ships with the package: read once, as the constant it is.

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


@functools.cache
def shipped_model() -> PeakModel | str:
    """The model that ships with this version, or the reason in words why it cannot be used."""
    folder = next((folder for folder in _FOLDERS if (folder / MANIFEST).is_file()), None)
    if folder is None:
        return "no learned model ships with this installation"
    try:
        model = read_folder(folder)
    except UnusableModel as error:
        return f"the learned model is unusable: {error}"
    if model.clues != clue_names():
        return f"the learned model is unusable: {folder} was trained on other clues; train it again"
    return model
