"""With a long lead the fan of the live feed comes down slowly, as forecasts of a backtest do."""

from __future__ import annotations

import numpy as np
import pytest
from feed_in_hand import Running
from known_source import END_S, Known, request, wave

from autoscaler.controller.forecasts import feed
from autoscaler.forecasting.easing import eased
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Batch, Series

LEAD, STEPS, SEEN = 15, 12 * 1440, 24
SETTINGS = ForecastSettings(horizon=LEAD + 20, lead=LEAD)


def test_a_fan_states_what_a_backtest_states_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "rehearse", lambda workload: None)
    load = wave(STEPS + SEEN)
    load[STEPS + 4 :] *= 0.3
    running = Running(
        Known({"shop/web": load}, end_s=END_S + SEEN * 60),
        request(model="ridge", history_s=STEPS * 60.0, settings=SETTINGS),
    )
    running.run((SEEN - 2) * 60 - 5)
    fans = running.fans["shop/web"]
    series = Series("", END_S - (STEPS - 1) * 60, 60, load)
    last = [STEPS + int(fan.made_at_s - END_S) // 60 for fan in fans]
    fitted = forecaster("ridge").fit(Batch.of(series.between(0, last[0])), SETTINGS)
    recent = Batch.rolling(series, last[0] - 1, last[-1], STEPS)
    modelled = fitted.predict(recent, np.zeros(len(fans), np.int64)).peaks
    over_lead = np.stack([fan.peaks[LEAD - 1] for fan in fans])
    np.testing.assert_allclose(over_lead, eased(modelled[:, LEAD - 1], LEAD, 60), rtol=1e-4)
    assert (over_lead > 1.2 * modelled[:, LEAD - 1]).any(), "the fall is stated by half"
    np.testing.assert_allclose(np.stack([fan.peaks[4] for fan in fans]), modelled[:, 4], rtol=1e-4)
