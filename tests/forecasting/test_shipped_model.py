"""The model that ships: it is there, whole, made for this version's clues, and small."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from small_models import ramps

from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.peaks import shipped
from autoscaler.forecasting.peaks.learned_peaks import LEARNED
from autoscaler.forecasting.peaks.model import UnusableModel, read_model
from autoscaler.forecasting.peaks.model_folder import Place, places_in, read_files, read_trained
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.forecasting.peaks.witness import Witness
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Batch

FOLDER = Path(__file__).parents[2] / "models" / "peaks"


PARTS = ("short", "middle", "long")


def places() -> dict[str, Place]:
    """Where its parts are: it may have been copied there or trained there."""
    found = places_in(FOLDER)
    assert found is not None
    return found


@pytest.mark.parametrize("lead_s", [15, 60, 480, 481, 1800, 1801, 7200])
def test_there_is_a_model_for_every_lead_time_up_to_two_hours(lead_s: float) -> None:
    assert not isinstance(shipped_model(lead_s), str)


def test_beyond_two_hours_there_is_none_and_that_is_said() -> None:
    assert shipped_model(7201) == "the learned model was not trained for lead times beyond two hours"


@pytest.mark.parametrize("part", PARTS)
def test_it_was_made_for_the_clues_of_this_version(part: str) -> None:
    history = Batch.of(ramps(0.2))
    told = Witness.fit(history, ForecastSettings(horizon=5)).tell(history, np.zeros(1, np.int64))
    assert read_model(read_files(FOLDER, places()[part])).clues == told.names


def test_it_takes_less_than_five_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 5_000_000


def test_a_model_by_name_serves_with_it() -> None:
    batch = Batch.of(ramps(4))
    made = forecaster(LEARNED).fit(batch, ForecastSettings(horizon=5)).predict(batch, np.zeros(1, np.int64))
    assert made.models == (LEARNED,)


def test_a_damaged_copy_is_named_and_nothing_is_raised_for_whoever_forecasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "peaks"
    shutil.copytree(FOLDER, copy)
    forest = copy / places()["short"].folder / "q500.txt"
    forest.write_bytes(forest.read_bytes()[:1000])
    with pytest.raises(UnusableModel, match=r"q500\.txt"):
        read_trained(copy)
    monkeypatch.setattr(shipped, "_FOLDERS", (copy,))
    told = shipped._part.__wrapped__("short")
    assert isinstance(told, str)
    assert "q500.txt" in told


def test_a_model_for_other_clues_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "peaks"
    shutil.copytree(FOLDER, copy)
    (copy / "model.json").unlink(missing_ok=True)
    part = copy / places()["short"].folder
    manifest = (part / "manifest.json").read_text(encoding="ascii")
    (part / "manifest.json").write_text(manifest.replace('"mean 5m"', '"mean 6m"'), encoding="ascii")
    part.rename(copy / "short")
    monkeypatch.setattr(shipped, "_FOLDERS", (copy,))
    told = shipped._part.__wrapped__("short")
    assert isinstance(told, str)
    assert "other clues" in told


def test_where_none_ships_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "_FOLDERS", (tmp_path,))
    assert shipped._part.__wrapped__("short") == "no learned model ships with this installation"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="nowhere"):
        read_trained(tmp_path / "nowhere")
