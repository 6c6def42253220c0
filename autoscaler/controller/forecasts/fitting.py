"""Fitting some workloads at once, so that one that cannot be fitted takes no other with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.forecasting.forecaster import ForecastSettings, Predictor
from autoscaler.forecasting.peaks.learned_peaks import ModelFor
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Batch, Floats

_SLOW_FIT_DEADLINE_S = 60.0
_MOST_ROWS = 50
_MOST_NUMBERS = 1_000_000
"""Rows handled at once are limited so that an array of them stays within 8 MB; a fit holds several."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What workloads must have in common to be fitted and forecast together.

    span: magnitude of the length of their histories, so that a short one is not padded beyond measure.
    """

    model: str
    settings: ForecastSettings
    step_s: int
    width: int
    span: int

    @staticmethod
    def of(request: ForecastRequest, history: Floats) -> Alike:
        """The kind of a workload with this history."""
        return Alike(
            request.model, request.settings, request.step_s, request.width, len(history).bit_length()
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model and which of its workloads this one is."""

    predictor: Predictor
    row: int


def rows_at_once(request: ForecastRequest) -> int:
    """How many workloads like this one may be in one array."""
    numbers = max(request.width, request.settings.horizon * len(request.settings.levels))
    return max(1, min(_MOST_ROWS, _MOST_NUMBERS // numbers))


def fit(
    kind: Alike, histories: Sequence[Floats], end_s: int, model_for: ModelFor = shipped_model
) -> list[Fitted | str]:
    """Fit workloads of one kind whose histories, newest last, all end at `end_s`.

    model_for: the shared model of those that learn. A workload that cannot be fitted is answered with the
    reason in words.
    """
    try:
        predictor = _fitted(kind, histories, end_s, model_for)
    except Exception as error:  # noqa: BLE001 - whatever a model raises is told of the workload it concerns
        if len(histories) == 1:
            return [
                f"the {kind.model} model could not be fitted ({type(error).__name__}: {str(error)[:200]})"
            ]
        return [answer for history in histories for answer in fit(kind, [history], end_s, model_for)]
    return [Fitted(predictor, row) for row in range(len(histories))]


def _fitted(kind: Alike, histories: Sequence[Floats], end_s: int, model_for: ModelFor) -> Predictor:
    width = max(len(history) for history in histories)
    values = np.full((len(histories), width), np.nan)
    for row, history in enumerate(histories):
        values[row, width - len(history) :] = history
    batch = Batch(values, np.full(len(histories), end_s, np.int64), kind.step_s)
    return forecaster(kind.model, _SLOW_FIT_DEADLINE_S, model_for=model_for).fit(batch, kind.settings)
