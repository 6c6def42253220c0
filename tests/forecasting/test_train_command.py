"""`autoscaler train`: recorded loads in, the files of a model out."""

from pathlib import Path

import pytest
from small_models import ramps

from autoscaler.cli.train import Options, training
from autoscaler.forecasting.peak_training import PARTS
from autoscaler.forecasting.shipped import read_folder
from autoscaler.forecasting.witness import clue_names
from autoscaler.signals.errors import InputError


def recorded(folder: Path, name: str, days: float, seed: int) -> Path:
    series = ramps(days, seed)
    path = folder / f"{name}.csv"
    rows = zip(series.times_s.tolist(), series.values.tolist(), strict=True)
    path.write_text("timestamp,value\n" + "".join(f"{at},{value:.3f}\n" for at, value in rows))
    return path


@pytest.mark.slow
def test_the_same_loads_give_the_same_model_and_it_can_be_read(tmp_path: Path) -> None:
    traces = [recorded(tmp_path, f"load{seed}", 0.6, seed) for seed in (1, 2)]
    made = []
    for name in ("first", "second"):
        out = tmp_path / name
        out.mkdir()
        training(Options(traces, out, quiet=True))
        for part in PARTS:
            assert read_folder(out / part).clues == clue_names()
        files = [path for path in sorted(out.rglob("*")) if path.is_file()]
        made.append({str(path.relative_to(out)): path.read_bytes() for path in files})
    assert made[0] == made[1]
    assert b'"name": "load1"' in made[0]["short/manifest.json"]


def test_a_load_given_twice_is_refused(tmp_path: Path) -> None:
    trace = recorded(tmp_path, "load", 0.1, 1)
    with pytest.raises(InputError, match=r"load\.csv: given twice"):
        training(Options([trace, trace], tmp_path, quiet=True))


def test_where_to_write_has_to_be_there_before_any_work_is_done(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a directory"):
        training(Options([recorded(tmp_path, "load", 0.1, 1)], tmp_path / "nowhere", quiet=True))


def test_loads_too_short_to_learn_from_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(InputError, match="nothing to learn from"):
        training(Options([recorded(tmp_path, "load", 0.005, 1)], out, quiet=True))
    assert list(out.iterdir()) == []
