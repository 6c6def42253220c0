"""Which stretches of time touch a span that nothing is to be learned from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.forecaster import Interval
from autoscaler.series import Ints


def touching(begin_s: Ints, length_s: int, spans: Sequence[Interval]) -> NDArray[np.bool_]:
    """Whether what begins at each of `begin_s`, and lasts `length_s`, overlaps any of the spans."""
    touched = np.zeros(np.shape(begin_s), np.bool_)
    for span in spans:
        touched |= (begin_s + length_s > span.start_s) & (begin_s < span.end_s)
    return touched


def untold(made_at_s: Ints, lead: int, step_s: int, spans: Sequence[Interval]) -> NDArray[np.bool_]:
    """Whether a forecast made at each instant says nothing of its model: its lead touches one of the spans.

    It would be held against a load test, an incident or a launch, and then widened or trusted less for days.
    """
    return touching(made_at_s, (lead + 1) * step_s, spans)
