"""The model that ships: it is there, whole, made for this version's clues, and small."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from small_models import ramps

from autoscaler.forecasting import shipped
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.learned_peaks import LEARNED
from autoscaler.forecasting.peak_model import UnusableModel
from autoscaler.forecasting.registry import forecaster
from autoscaler.forecasting.shipped import read_folder, shipped_model
from autoscaler.forecasting.witness import Witness
from autoscaler.series import Batch

FOLDER = Path(__file__).parents[2] / "models" / "peaks"


def test_the_model_that_ships_can_be_used() -> None:
    assert not isinstance(shipped_model(), str)


def test_it_was_made_for_the_clues_of_this_version() -> None:
    history = Batch.of(ramps(0.2))
    told = Witness.fit(history, ForecastSettings(horizon=5)).tell(history, np.zeros(1, np.int64))
    assert read_folder(FOLDER).clues == told.names


def test_it_takes_less_than_five_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5_000_000


def test_a_model_by_name_serves_with_it() -> None:
    batch = Batch.of(ramps(4))
    made = forecaster(LEARNED).fit(batch, ForecastSettings(horizon=5)).predict(batch, np.zeros(1, np.int64))
    assert made.models == (LEARNED,)


def test_a_damaged_copy_is_named_and_nothing_is_raised_for_whoever_forecasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "peaks"
    shutil.copytree(FOLDER, copy)
    (copy / "q500.txt").write_bytes((copy / "q500.txt").read_bytes()[:1000])
    with pytest.raises(UnusableModel, match=r"q500\.txt"):
        read_folder(copy)
    monkeypatch.setattr(shipped, "_FOLDERS", (copy,))
    told = shipped.shipped_model.__wrapped__()
    assert isinstance(told, str)
    assert "q500.txt" in told


def test_a_model_for_other_clues_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "peaks"
    shutil.copytree(FOLDER, copy)
    manifest = (copy / "manifest.json").read_text(encoding="ascii")
    (copy / "manifest.json").write_text(manifest.replace('"mean 5m"', '"mean 6m"'), encoding="ascii")
    monkeypatch.setattr(shipped, "_FOLDERS", (copy,))
    told = shipped.shipped_model.__wrapped__()
    assert isinstance(told, str)
    assert "other clues" in told


def test_where_none_ships_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "_FOLDERS", (tmp_path,))
    assert shipped.shipped_model.__wrapped__() == "no learned model ships with this installation"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="nowhere"):
        read_folder(tmp_path / "nowhere")
