"""`--model-folder`: the shared model that learned forecasts use, verified before anything is computed."""

from __future__ import annotations

from pathlib import Path

from autoscaler.forecasting.peaks.learned_peaks import ModelFor
from autoscaler.forecasting.peaks.model import UnusableModel
from autoscaler.forecasting.peaks.model_folder import read_trained
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.signals.errors import InputError


def shared_model(folder: Path | None) -> ModelFor:
    """The model in `folder`, or the shipped one. Raises InputError where the folder holds none to use."""
    if folder is None:
        return shipped_model
    try:
        found = read_trained(folder)
    except UnusableModel as error:
        raise InputError(f"--model-folder {error}; train it again, or leave the option out") from error
    if found is None:
        raise InputError(
            f"--model-folder {folder}: holds no model; autoscaler train --out {folder} makes one"
        )
    return found
