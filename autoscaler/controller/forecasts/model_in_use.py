"""Which shared model forecasts are fitted with: the one in the configured folder, or the shipped one.

The folder is looked at now and then, so that a model that was trained there is taken up without a restart.
Content that cannot be used never stops a forecast: the model that was in use stays, and it is said why.
"""

from __future__ import annotations

import logging
import math
from pathlib import Path

from autoscaler.forecasting.peaks.learned_peaks import ModelFor
from autoscaler.forecasting.peaks.model_folder import mark_of, read_trained
from autoscaler.forecasting.peaks.shipped import shipped_model

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 60.0
_MOST_TOLD = 300
"""What is wrong may quote the file that is wrong."""


class ModelInUse:
    """model_for: the model for the next fit. problem: why it is not the one in the folder; mostly empty.

    One thread looks, any may read. An empty folder asks for the shipped model.
    """

    def __init__(self, folder: Path | None) -> None:
        self.model_for: ModelFor = shipped_model
        self.problem = ""
        self._folder = folder
        self._mark = b""
        self._next_look_s = -math.inf

    def look(self, now_s: float) -> None:
        """Take up what is in the folder, if a look at it is due. now_s: of a clock that never goes back."""
        if self._folder is None or now_s < self._next_look_s:
            return
        self._next_look_s = now_s + _LOOK_EVERY_S
        try:
            mark = mark_of(self._folder)
            # What could not be used may have been half copied, and become whole without another mark.
            if mark != self._mark or self.problem:
                self._take(self._folder)
                self._mark = mark
        except Exception as error:  # noqa: BLE001 - whatever is in the folder, forecasting goes on
            self._tell(_printable(f"{error}" or type(error).__name__))

    def _take(self, folder: Path) -> None:
        found = read_trained(folder)
        before, self.model_for = self.model_for, shipped_model if found is None else found
        self.problem = ""
        if found is None:
            _LOG.info("no model in %s: the shipped one is in use", folder)
        elif found != before:
            _LOG.info("the model in %s is in use (%s)", folder, found.digest[:12])

    def _tell(self, why: str) -> None:
        instead = "the shipped one" if self.model_for is shipped_model else "the one before it"
        told = f"the trained model cannot be used ({why}); {instead} is used"
        if told != self.problem:
            _LOG.warning("%s", told)
        self.problem = told


def _printable(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text[:_MOST_TOLD])
