"""`--model-folder`: every command, and every process it uses, forecasts with the model that was chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_models import ramps, small_files

from autoscaler.cli.backtest import Options, backtest
from autoscaler.cli.training.publishing import publish
from autoscaler.cli.tune import Options as TuneOptions
from autoscaler.cli.tune import tune
from autoscaler.forecasting.peaks.learned_peaks import LEARNED
from autoscaler.forecasting.peaks.trained_model import UP_TO_S
from autoscaler.signals.errors import InputError

pytestmark = pytest.mark.slow


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    publish(folder, dict.fromkeys(UP_TO_S, small_files()))
    return folder


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    series = ramps(1.5)
    path = tmp_path / "ramps.csv"
    rows = zip(series.times_s.tolist(), series.values.tolist(), strict=True)
    path.write_text("timestamp,value\n" + "".join(f"{at},{value:.3f}\n" for at, value in rows))
    return path


def asked(trace: Path, folder: Path | None, jobs: int = 1) -> list[int]:
    options = Options(
        traces=(trace,),
        model=LEARNED,
        model_folder=folder,
        warm_up="1d",
        baselines="hpa",
        jobs=jobs,
        quiet=True,
    )
    (result,) = backtest(options).traces
    counts: list[int] = result.runs[0].desired.tolist()
    return counts


def test_a_backtest_uses_it_in_every_process(trace: Path, model: Path) -> None:
    shipped, chosen = asked(trace, None), asked(trace, model)
    assert shipped != chosen
    assert asked(trace, model, jobs=2) == chosen


def test_tuning_uses_it(trace: Path, model: Path, tmp_path: Path) -> None:
    answers = []
    for folder in (None, model):
        out = tmp_path / "tried.json"
        options = TuneOptions(
            traces=(trace,),
            model=LEARNED,
            model_folder=folder,
            vary=("forecast.quantile=0.9",),
            warm_up="1d",
            json=out,
            quiet=True,
        )
        assert tune(options) == 0
        answers.append(out.read_bytes())
    assert answers[0] != answers[1]


@pytest.mark.parametrize("folder", ["empty", "nowhere"])
def test_a_folder_without_a_model_is_refused_before_anything_is_computed(
    folder: str, trace: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=rf"--model-folder {tmp_path / folder}: (holds no model|cannot be)"):
        asked(trace, tmp_path / folder)
