"""A model read from a folder: whole and verified, or not at all, and never half of two."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_models import ramps, small_files

from autoscaler.forecasting import registry
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.peaks import learned_peaks
from autoscaler.forecasting.peaks.learned_peaks import LEARNED
from autoscaler.forecasting.peaks.model import MANIFEST, UnusableModel
from autoscaler.forecasting.peaks.model_folder import CONTENTS, Place, contents_of, mark_of, read_trained
from autoscaler.forecasting.peaks.trained_model import BEYOND, UP_TO_S, TrainedModel
from autoscaler.forecasting.registry import AUTO, forecaster
from autoscaler.series import Batch

FOREST = "q500.txt"


def plain(folder: Path) -> Path:
    """A model without a model.json, as the package has it."""
    for part in UP_TO_S:
        write_part(folder / part)
    return folder


def write_part(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, content in small_files().items():
        (folder / name).write_bytes(content)


def named(folder: Path) -> Path:
    """A model with one, as `autoscaler train` writes it."""
    sha256 = hashlib.sha256(small_files()[MANIFEST]).hexdigest()
    places = {part: Place(f"{part}-{sha256[:12]}", sha256) for part in UP_TO_S}
    for place in places.values():
        write_part(folder / place.folder)
    (folder / CONTENTS).write_bytes(contents_of(places))
    return folder


def read(folder: Path) -> TrainedModel:
    found = read_trained(folder)
    assert found is not None
    return found


@pytest.mark.parametrize("write", [plain, named])
def test_a_model_serves_every_lead_time_it_was_trained_for(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    model = read(write(tmp_path / "model"))
    assert not any(isinstance(model(lead_s), str) for lead_s in (15, 480, 481, 1800, 7200))
    assert model(7201) == BEYOND


def test_models_of_the_same_content_are_equal_wherever_they_are(tmp_path: Path) -> None:
    one, other = read(plain(tmp_path / "one")), read(named(tmp_path / "other"))
    assert one == other == pickle.loads(pickle.dumps(one))
    assert hash(one) == hash(other)
    assert one(60) is other(60)


def test_an_empty_folder_holds_no_model_and_a_missing_one_cannot_be_read(tmp_path: Path) -> None:
    assert read_trained(tmp_path) is None
    with pytest.raises(UnusableModel, match="nowhere: cannot be read"):
        read_trained(tmp_path / "nowhere")


def rewritten(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    def apply(folder: Path) -> object:
        contents = json.loads((folder / CONTENTS).read_bytes())
        change(contents)
        return (folder / CONTENTS).write_text(json.dumps(contents))

    return apply


def part_folder(folder: Path) -> Path:
    return next(folder.glob("short-*"))


def outside(folder: Path) -> None:
    write_part(folder.parent / "elsewhere")
    rewritten(lambda contents: contents["parts"]["short"].update(folder="../elsewhere"))(folder)  # type: ignore[index]


def sparse(folder: Path) -> None:
    (part_folder(folder) / "more").touch()
    os.truncate(part_folder(folder) / "more", 10**9)


_UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "contents cut off": (lambda folder: os.truncate(folder / CONTENTS, 40), "not JSON"),
    "contents of endless depth": (lambda folder: (folder / CONTENTS).write_text("[" * 60_000), "not JSON"),
    "contents too large": (lambda folder: (folder / CONTENTS).write_bytes(b" " * 70_000), "larger than"),
    "another format": (rewritten(lambda contents: contents.update(format=2)), "format 1"),
    "a part left out": (rewritten(lambda contents: contents["parts"].pop("long")), "short, middle, long"),  # type: ignore[attr-defined, index]
    "a part elsewhere": (outside, "folder beside it"),
    "another manifest": (
        lambda folder: (part_folder(folder) / MANIFEST).write_text("{}"),
        "sha256 differs",
    ),
    "a forest cut off": (lambda folder: os.truncate(part_folder(folder) / FOREST, 1000), "q500.txt"),
    "a forest missing": (lambda folder: (part_folder(folder) / FOREST).unlink(), "q500.txt"),
    "a part missing": (lambda folder: shutil.rmtree(part_folder(folder)), "cannot be read"),
    "a part too large": (sparse, "larger than"),
    "files without end": (
        lambda folder: [(part_folder(folder) / f"f{n}").touch() for n in range(100)],
        "more than 64 files",
    ),
}


@pytest.mark.parametrize("case", _UNUSABLE)
def test_what_is_not_whole_is_refused_with_its_name(case: str, tmp_path: Path) -> None:
    damage, told = _UNUSABLE[case]
    folder = named(tmp_path / "model")
    damage(folder)
    with pytest.raises(UnusableModel, match=told) as refused:
        read_trained(folder)
    assert str(refused.value).startswith(str(folder))
    assert len(str(refused.value)) < 500


def test_a_pipe_in_place_of_a_file_does_not_hold_the_reader_up(tmp_path: Path) -> None:
    folder = named(tmp_path / "model")
    (part_folder(folder) / FOREST).unlink()
    os.mkfifo(part_folder(folder) / FOREST)
    with pytest.raises(UnusableModel, match="missing"):
        read_trained(folder)


@pytest.mark.parametrize("write", [plain, named])
def test_the_mark_changes_with_the_model_and_only_then(write: Callable[[Path], Path], tmp_path: Path) -> None:
    empty = mark_of(tmp_path)
    folder = write(tmp_path / "model")
    before = mark_of(folder)
    (folder / "notes.txt").write_text("of no interest")
    assert mark_of(folder) == before != empty
    changed = folder / CONTENTS if (folder / CONTENTS).exists() else folder / "long" / MANIFEST
    changed.write_bytes(changed.read_bytes() + b"\n")
    assert mark_of(folder) != before


# The model that was chosen is the one that answers.


@pytest.mark.parametrize("name", [LEARNED, AUTO])
def test_a_forecaster_answers_with_the_model_it_was_given(name: str, tmp_path: Path) -> None:
    batch, settings = Batch.of(ramps(2)), ForecastSettings(horizon=5, seasons_s=(86_400,))
    first = np.zeros(1, np.int64)
    own = read(plain(tmp_path / "model"))
    shipped, trained, again = (
        made.fit(batch, settings).predict(batch, first).peaks
        for made in (forecaster(name), forecaster(name, model_for=own), forecaster(name))
    )
    assert not np.array_equal(shipped, trained)
    np.testing.assert_array_equal(shipped, again)


def test_equal_models_share_what_was_found_out_of_a_workload(tmp_path: Path) -> None:
    own = read(plain(tmp_path / "model"))
    assert registry._learned(own) is registry._learned(pickle.loads(pickle.dumps(own)))
    assert isinstance(registry._learned(own), learned_peaks.LearnedPeaks)
