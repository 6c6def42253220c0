"""The model of the peak that ships with the package, in parts by lead time: each read once, as a constant.

It stands in for numbers that would be written in the code, were there not a hundred thousand of them.
"""

from __future__ import annotations

import functools
from pathlib import Path

from autoscaler.forecasting.peaks.model import PeakModel, UnusableModel
from autoscaler.forecasting.peaks.model_folder import places_in, read_files
from autoscaler.forecasting.peaks.trained_model import BEYOND, checked, part_for

_PACKAGE = Path(__file__).parents[2]
_FOLDERS = (_PACKAGE / "_shipped" / "models" / "peaks", _PACKAGE.parent / "models" / "peaks")
"""Where a wheel has it, and where a checkout does."""


def shipped_model(lead_s: float) -> PeakModel | str:
    """The model for a lead time that ships with this version, or the reason in words why none can be used."""
    name = part_for(lead_s)
    return BEYOND if name is None else _part(name)


@functools.cache
def _part(name: str) -> PeakModel | str:
    for folder in _FOLDERS:
        try:
            places = places_in(folder) if folder.is_dir() else None
            if places is not None:
                return checked(name, read_files(folder, places[name]))
        except OSError as error:
            return f"the learned model is unusable: {folder}: cannot be read ({error.strerror or error})"
        except UnusableModel as error:
            return f"the learned model is unusable: {folder}: {error}"
    return "no learned model ships with this installation"
