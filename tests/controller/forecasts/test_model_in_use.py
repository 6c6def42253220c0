"""A model that was trained here: taken up while forecasting goes on, and no content of it ends that."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from feed_in_hand import Running
from known_source import END_S, LEAD, Known, Now, request, wave
from small_models import small_files

from autoscaler.cli.training.publishing import publish
from autoscaler.controller.forecasts.model_in_use import ModelInUse
from autoscaler.controller.forecasts.service import Forecasts
from autoscaler.forecasting.peaks.learned_peaks import LEARNED, ModelFor
from autoscaler.forecasting.peaks.model import MANIFEST
from autoscaler.forecasting.peaks.model_folder import CONTENTS, read_trained
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.forecasting.peaks.trained_model import UP_TO_S, TrainedModel

SMALL = dict.fromkeys(UP_TO_S, small_files())


def another() -> dict[str, dict[str, bytes]]:
    manifest = {**json.loads(small_files()[MANIFEST]), "seed": 99}
    return {name: {**small_files(), MANIFEST: json.dumps(manifest).encode()} for name in UP_TO_S}


def part(folder: Path) -> Path:
    return next(folder.glob("short-*"))


def contents(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / CONTENTS).write_text(text, encoding="utf-8", errors="surrogatepass")


def plain(**changes: object) -> Callable[[Path], None]:
    """A model without a model.json, whose manifests were edited."""

    def write(folder: Path) -> None:
        shutil.rmtree(folder)
        for name in UP_TO_S:
            (folder / name).mkdir(parents=True)
            for file, content in small_files().items():
                (folder / name / file).write_bytes(content)
            manifest = {**json.loads(small_files()[MANIFEST]), **changes}
            (folder / name / MANIFEST).write_text(json.dumps(manifest))

    return write


_BAD: dict[str, Callable[[Path], object]] = {
    "cut off": lambda folder: os.truncate(part(folder) / "q500.txt", 500),
    "edited": lambda folder: (part(folder) / "q500.txt").write_bytes(b"tree\n"),
    "a pickle": lambda folder: (part(folder) / MANIFEST).write_bytes(b"\x80\x04cos\nsystem\n."),
    "of another version": plain(format=2),
    "for other clues": plain(clues=["mean 5m"]),
    "with a name that cannot be printed": plain(
        forests=[{"level": 0.5, "file": "\ud800\x1b[2J" * 50_000, "sha256": ""}]
    ),
    "of endless depth": contents("[" * 60_000),
    "not a model": contents('{"format": 1, "parts": "\ud800\n\x1b[2J"}'),
    "gone": shutil.rmtree,
    "a folder where a file should be": lambda folder: [
        (folder / CONTENTS).unlink(),
        (part(folder) / MANIFEST).unlink(),
        (part(folder) / MANIFEST).mkdir(),
        part(folder).rename(folder / "short"),
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.mkdir()
    return path


def of(parts: dict[str, dict[str, bytes]]) -> ModelFor:
    return TrainedModel.of(parts)


def test_without_a_folder_the_shipped_model_is_in_use() -> None:
    model = ModelInUse(None)
    model.look(0.0)
    assert (model.model_for, model.problem) == (shipped_model, "")


def test_a_folder_is_looked_at_once_a_minute_and_an_empty_one_asks_for_the_shipped_model(
    folder: Path,
) -> None:
    model = ModelInUse(folder)
    model.look(100.0)
    assert (model.model_for, model.problem) == (shipped_model, "")
    publish(folder, SMALL)
    model.look(159.0)
    assert model.model_for is shipped_model
    model.look(160.0)
    assert model.model_for == of(SMALL)
    publish(folder, another())
    model.look(220.0)
    assert model.model_for == of(another())
    (folder / CONTENTS).unlink()
    model.look(280.0)
    assert (model.model_for, model.problem) == (shipped_model, "")


@pytest.mark.parametrize("bad", _BAD.values(), ids=_BAD.keys())
def test_content_that_cannot_be_used_leaves_the_model_in_use_and_is_told_in_one_line(
    bad: Callable[[Path], object], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish(folder, SMALL)
    model = ModelInUse(folder)
    model.look(0.0)
    bad(folder)
    # A change that the mark does not show is noticed at the next start.
    fresh = ModelInUse(folder)
    for now_s in (60.0, 120.0):
        model.look(now_s)
        fresh.look(now_s)
        assert model.model_for == of(SMALL)
        assert fresh.model_for is shipped_model
        assert fresh.problem.startswith("the trained model cannot be used (")
        assert fresh.problem.endswith("; the shipped one is used")
        assert fresh.problem.isprintable() and len(fresh.problem) < 500
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert told.count(fresh.problem) == 1


def test_a_model_that_becomes_whole_is_taken_up(folder: Path) -> None:
    model = ModelInUse(folder)
    plain()(folder)
    forest = folder / "long" / "q500.txt"
    content = forest.read_bytes()
    forest.unlink()
    model.look(0.0)
    assert "q500.txt" in model.problem
    forest.write_bytes(content)
    model.look(60.0)
    assert (model.model_for, model.problem) == (read_trained(folder), "")


def test_the_next_fit_takes_up_a_new_model_and_bad_content_stops_no_forecast(folder: Path) -> None:
    model = ModelInUse(folder)
    model.look(0.0)
    known = Known({"shop/web": wave(3 * 1440 + 600)}, end_s=END_S + 36_000)
    asked = request(model=LEARNED, refit_s=7200.0)
    running, other = Running(known, asked, model=model), Running(known, asked)
    for one in (running, other):
        one.now_s = END_S + 4.0
        one.run(300)
    assert running.fan().peaks.tolist() == other.fan().peaks.tolist()
    publish(folder, SMALL)
    model.look(60.0)
    for one in (running, other):
        one.run(8000)
    assert running.fan().model == other.fan().model == LEARNED
    assert running.fan().peaks[LEAD - 1].tolist() != other.fan().peaks[LEAD - 1].tolist()
    (folder / CONTENTS).write_text("{")
    model.look(120.0)
    running.run(300)
    assert running.fan().made_at_s >= running.now_s - 120
    assert running.fan().model == LEARNED
    assert "model.json: not JSON); the one before it is used" in running.fan().note
    assert running.failures == {}


@pytest.mark.slow
def test_the_process_goes_on_with_a_hostile_folder_and_says_so(folder: Path) -> None:
    (folder / CONTENTS).write_text("[" * 60_000)
    forecasts = Forecasts(open_reader=Now, model_folder=folder)
    forecasts.start()
    try:
        forecasts.set_requests({"shop/web": request(model=LEARNED, history_s=86_400.0)})
        ends_s = time.monotonic() + 60.0
        while not (forecasts.fan("shop/web") and forecasts.model_problem):
            assert time.monotonic() < ends_s, "did not happen in time"
            time.sleep(0.05)
        fan = forecasts.fan("shop/web")
        assert fan is not None
        assert fan.model == LEARNED
        assert forecasts.model_problem in fan.note
        assert "the shipped one is used" in fan.note
        assert (forecasts.healthy, forecasts.restarts) == (True, 0)
    finally:
        forecasts.stop()
