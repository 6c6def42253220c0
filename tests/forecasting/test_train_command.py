"""`autoscaler train`: loads in, a model in a folder out, compared with the one in force."""

from __future__ import annotations

import functools
import math
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from at_once import AtOnce
from small_models import ramps, small_files

from autoscaler.cli import train
from autoscaler.cli.train import Options, training
from autoscaler.cli.training import making
from autoscaler.cli.training.loads import Load, Question, queried_loads, teaching
from autoscaler.cli.training.publishing import publish
from autoscaler.cli.training.verdict import Verdict
from autoscaler.forecasting.peaks.model import MANIFEST
from autoscaler.forecasting.peaks.model_comparison import LEADS_S, held_out_from, loss_ratios
from autoscaler.forecasting.peaks.model_folder import CONTENTS, read_trained
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.forecasting.peaks.trained_model import UP_TO_S, TrainedModel
from autoscaler.forecasting.peaks.training import lessons
from autoscaler.forecasting.peaks.training import train as train_trees
from autoscaler.series import Series
from autoscaler.signals.errors import InputError

SMALL = dict.fromkeys(UP_TO_S, small_files())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few trees, grown in this process."""

    @contextmanager
    def here(jobs: int, context: object) -> Iterator[Executor]:
        yield AtOnce()

    monkeypatch.setattr(train, "worker_processes", here)
    monkeypatch.setattr(making, "train", functools.partial(train_trees, rounds=5))


def recorded(folder: Path, name: str, days: float, seed: int) -> Path:
    series = ramps(days, seed)
    path = folder / f"{name}.csv"
    rows = zip(series.times_s.tolist(), series.values.tolist(), strict=True)
    path.write_text("timestamp,value\n" + "".join(f"{at},{value:.3f}\n" for at, value in rows))
    return path


def content(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.slow
def test_the_same_loads_give_the_same_model_and_it_can_be_read(tmp_path: Path) -> None:
    traces = [recorded(tmp_path, f"load{seed}", 0.6, seed) for seed in (1, 2)]
    first, second = made(tmp_path / "first"), made(tmp_path / "second")
    for out in (first, second):
        training(Options(traces, out, quiet=True))
    assert content(first) == content(second)
    found = read_trained(first)
    assert found is not None
    assert b'"name": "load1"' in found.parts["short"][MANIFEST]


def test_a_load_given_twice_is_refused(tmp_path: Path) -> None:
    trace = recorded(tmp_path, "load", 0.1, 1)
    with pytest.raises(InputError, match=r"load\.csv: given twice"):
        training(Options([trace, trace], tmp_path, quiet=True))


def test_where_to_write_has_to_be_there_before_any_work_is_done(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a directory"):
        training(Options([recorded(tmp_path, "load", 0.1, 1)], tmp_path / "nowhere", quiet=True))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(Options(["load.csv"], None), "--out", id="no folder"),
        pytest.param(Options(["load.csv"], prometheus="http://a", queries=["up"]), "either", id="both"),
        pytest.param(Options(prometheus="http://a"), "--query", id="no query"),
        pytest.param(Options(queries=["up"]), "--prometheus", id="nobody to ask"),
        pytest.param(Options(), "no load to work on", id="nothing"),
        pytest.param(Options(prometheus="http://a", queries=["up", "up"]), "twice", id="a query twice"),
    ],
)
def test_what_does_not_go_together_is_said(options: Options, told: str, tmp_path: Path) -> None:
    out = tmp_path if options.traces != ["load.csv"] or options.prometheus else None
    with pytest.raises(InputError, match=told):
        training(Options(options.traces, out, options.prometheus, options.queries, quiet=True))


# What can be learned from.


def test_loads_that_teach_nothing_are_left_out_and_it_is_said_why(capsys: pytest.CaptureFixture[str]) -> None:
    good = Load(ramps(1))
    constant = Load(Series("steady", 0, 60, np.full(1440, 7.0)))
    short = Load(ramps(0.1))
    gappy = Load(Series("gappy", 0, 60, np.where(np.arange(1440) < 200, 1.0 + np.arange(1440), np.nan)))
    assert teaching([good, constant, short, gappy], print) == [good]
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "left out: steady: the load never changes"
    assert told[1] == "left out: ramps: 2 hours of load is too short; 6 hours is the least"
    assert "gappy: 3 hours" in told[2]


def test_loads_too_short_to_learn_from_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    out = made(tmp_path / "out")
    with pytest.raises(InputError, match="nothing to learn from"):
        training(Options([recorded(tmp_path, "load", 0.005, 1)], out, quiet=True))
    assert content(out) == {}


def test_a_query_that_cannot_be_read_is_left_out_with_the_reason() -> None:
    said: list[str] = []
    question = Question(history="1h")
    assert queried_loads("http://127.0.0.1:9", ['load{service="a"}'], question, said.append) == []
    assert len(said) == 1
    assert said[0].startswith("left out: http://127.0.0.1:9")
    assert 'load{service="a"}' in said[0]


# Which model is in force afterwards.


@pytest.mark.slow
def test_a_model_is_compared_replaced_and_kept_where_it_is_no_better(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, out = recorded(tmp_path, "ramps", 1.5, 1), made(tmp_path / "out")
    training(Options([trace], out))
    first = content(out)
    table = capsys.readouterr().err
    assert "new model over the one in force" in table
    assert "ramps" in table
    other = recorded(tmp_path, "other", 1.2, 9)
    training(Options([other], out))
    second = content(out)
    assert second[CONTENTS] != first[CONTENTS]
    # The same loads once more: held out, it can hardly beat the model that has seen everything.
    training(Options([trace], out, if_better=True))
    assert content(out) == second
    assert f"the model in {out} stays in force" in capsys.readouterr().err


def test_with_nothing_to_compare_on_a_model_in_force_is_not_replaced(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = made(tmp_path / "out")
    training(Options([recorded(tmp_path, "brief", 0.4, 1)], out, if_better=True))
    assert content(out) == {}
    assert "the shipped model stays in force" in capsys.readouterr().err


def test_an_unusable_model_in_the_folder_is_named_and_replaced(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = made(tmp_path / "out")
    (out / CONTENTS).write_text("{")
    training(Options([recorded(tmp_path, "load", 0.4, 1)], out))
    assert "unusable and counts for nothing" in capsys.readouterr().err
    assert read_trained(out) is not None


def test_a_new_model_leaves_the_old_one_whole_for_whoever_is_reading_it(tmp_path: Path) -> None:
    other = {**small_files(), MANIFEST: small_files()[MANIFEST] + b"\n"}
    publish(tmp_path, SMALL)
    before = content(tmp_path)
    publish(tmp_path, dict.fromkeys(UP_TO_S, other))
    after = content(tmp_path)
    assert {name for name in before if name != CONTENTS} < after.keys()
    assert after[CONTENTS] != before[CONTENTS]


def test_parts_that_nothing_names_go_when_they_are_old(tmp_path: Path) -> None:
    old, new = tmp_path / "short-0123456789ab", tmp_path / f".writing-{'0' * 32}"
    for folder in (old, new, tmp_path / "somebody's own"):
        folder.mkdir()
        (folder / "file").touch()
    os.utime(old, (0, 0))
    os.utime(tmp_path / "somebody's own", (0, 0))
    publish(tmp_path, SMALL)
    assert (old.exists(), new.exists(), (tmp_path / "somebody's own").exists()) == (False, True, True)


def test_a_damaged_part_of_the_same_name_is_written_again(tmp_path: Path) -> None:
    publish(tmp_path, SMALL)
    (damaged,) = tmp_path.glob("long-*")
    shutil.rmtree(damaged)
    damaged.mkdir()
    publish(tmp_path, SMALL)
    assert read_trained(tmp_path) == TrainedModel.of(SMALL)


def test_what_cannot_be_read_back_never_counts(tmp_path: Path) -> None:
    publish(tmp_path, SMALL)
    broken = {**small_files(), "q500.txt": b"nonsense"}
    broken[MANIFEST] += b" "
    with pytest.raises(InputError, match=r"cannot be read back: short: q500\.txt"):
        publish(tmp_path, dict.fromkeys(UP_TO_S, broken))
    assert read_trained(tmp_path) == TrainedModel.of(SMALL)


# The comparison.


@pytest.mark.parametrize(
    ("days", "held_days"),
    [(40, 7), (21, 7), (9, 3), (0.9, 0.3), (0.6, None)],
    ids=["long", "three weeks", "a third", "hours", "too short"],
)
def test_the_newest_week_or_third_is_held_out(days: float, held_days: float | None) -> None:
    series = Series("load", 0, 60, np.zeros(int(days * 1440)))
    first = held_out_from(series)
    assert (None if first is None else (len(series) - first) / 1440) == held_days


def test_no_lesson_of_a_judged_model_reaches_into_what_is_held_out() -> None:
    series = ramps(1.5)
    end_s = series.start_s + 900 * 60
    whole = lessons(series, (300,))
    assert whole.until(end_s).known_s.max() <= end_s < whole.known_s.max()
    assert len(whole.until(end_s).table) == (whole.known_s <= end_s).sum()


def test_a_model_is_as_good_as_itself_and_one_that_knows_these_ramps_is_better() -> None:
    series, small = ramps(3, seed=21), TrainedModel.of(SMALL)
    first = held_out_from(series)
    assert first is not None
    assert set(loss_ratios(series, first, 0.95, small, small).values()) == {1.0}
    assert loss_ratios(series, first, 0.95, small, shipped_model)["short"] < 1.0


def test_one_load_that_gives_an_absurd_ratio_does_not_decide_alone() -> None:
    worse = {part: 1.3 for part in LEADS_S}
    absurd = {part: 0.001 for part in LEADS_S}
    assert not Verdict({"a": worse, "b": worse, "c": worse, "idle": absurd}).better


@pytest.mark.parametrize(
    ("ratios", "better"),
    [
        ((0.9, 0.9, 0.9), True),
        ((0.8, 0.9, 1.01), True),
        ((0.5, 0.5, 1.05), False),
        ((1.0, 1.0, 1.0), False),
        ((1.2, 0.9, 0.95), False),
        ((0.9, 0.9, math.nan), True),
        ((math.nan, math.nan, math.nan), False),
    ],
)
def test_a_model_is_better_if_it_is_on_the_whole_and_bad_nowhere(
    ratios: tuple[float, float, float], better: bool
) -> None:
    assert Verdict({"load": dict(zip(LEADS_S, ratios, strict=True))}).better is better
