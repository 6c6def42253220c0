"""What was read is kept: the next read asks only for what is new, and gives what a whole one would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.series import Series, State
from autoscaler.signals.cache import HistoryCache
from autoscaler.signals.errors import InputError
from autoscaler.signals.history import History

STEP = 60
OVERLAP = 300


class Source:
    """Answers ranges from a rule, and notes what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.revised: dict[int, float] = {}
        self.state = State.VALUE
        self.answered_until_s = 10**12
        self.labels: dict[str, str] | None = {"a": "b"}

    def read(self, query: str, start_s: int, end_s: int, step_s: int) -> History:
        self.asked.append((start_s, end_s))
        times = np.arange(start_s, end_s + 1, step_s)
        values = np.array([self.revised.get(int(t), float(t % 7_777)) for t in times])
        answered = times < self.answered_until_s
        values[~answered] = np.nan
        detail = "" if self.state is State.VALUE else "wrong"
        return History(Series(query, start_s, step_s, values), self.state, detail, answered, self.labels)

    def whole(self, start_s: int, end_s: int) -> list[float]:
        return [self.revised.get(t, float(t % 7_777)) for t in range(start_s, end_s + 1, STEP)]


def test_only_the_new_and_the_overlap_are_asked_for() -> None:
    source = Source()
    cache = HistoryCache(source.read, overlap_s=OVERLAP)
    cache.read("q", 0, 6000, STEP)
    history = cache.read("q", 600, 6060, STEP)
    assert source.asked == [(0, 6000), (6060 - OVERLAP, 6060)]
    assert history.series.values.tolist() == source.whole(600, 6060)
    assert history.answered.all() and history.series.start_s == 600


def test_a_late_sample_within_the_overlap_is_seen() -> None:
    source = Source()
    cache = HistoryCache(source.read, overlap_s=OVERLAP)
    cache.read("q", 0, 6000, STEP)
    source.revised[6000 - 120] = 5.0
    assert cache.read("q", 0, 6060, STEP).series.values.tolist() == source.whole(0, 6060)


@pytest.mark.parametrize(
    ("start_s", "end_s"), [(-6000, 6000), (60_000, 66_000), (0, 120)], ids=["earlier", "much later", "short"]
)
def test_what_was_not_kept_is_asked_for(start_s: int, end_s: int) -> None:
    source = Source()
    cache = HistoryCache(source.read, overlap_s=OVERLAP)
    cache.read("q", 0, 6000, STEP)
    assert cache.read("q", start_s, end_s, STEP).series.values.tolist() == source.whole(start_s, end_s)


def test_times_are_put_on_the_step() -> None:
    source = Source()
    HistoryCache(source.read).read("q", 61, 6059, STEP)
    assert source.asked == [(60, 6000)]


def test_other_queries_and_steps_are_kept_apart() -> None:
    source = Source()
    cache = HistoryCache(source.read)
    for query, step_s in (("q", 60), ("r", 60), ("q", 120)):
        cache.read(query, 0, 6000, step_s)
    assert source.asked == [(0, 6000)] * 3


def test_what_was_not_answered_is_asked_for_again() -> None:
    source = Source()
    source.state, source.answered_until_s = State.FAILED, 3000
    cache = HistoryCache(source.read, overlap_s=OVERLAP)
    first = cache.read("q", 0, 6000, STEP)
    assert first.state is State.FAILED and np.isnan(first.series.values[-1])
    source.state, source.answered_until_s = State.VALUE, 10**12
    second = cache.read("q", 0, 6000, STEP)
    assert source.asked[1] == (3000 - OVERLAP, 6000)
    assert second.state is State.VALUE and second.series.values.tolist() == source.whole(0, 6000)


@pytest.mark.parametrize("state", [State.FAILED, State.PARTIAL, State.SEVERAL_SERIES])
def test_a_failure_to_extend_is_told_with_what_was_kept(state: State) -> None:
    source = Source()
    cache = HistoryCache(source.read, overlap_s=OVERLAP)
    cache.read("q", 0, 6000, STEP)
    source.state, source.answered_until_s = state, 0
    history = cache.read("q", 0, 6060, STEP)
    assert history.state is state and history.detail == "wrong"
    assert np.isfinite(history.series.values[:95]).all() and not history.answered[-1]


def test_nothing_new_does_not_make_a_history_empty() -> None:
    source = Source()
    cache = HistoryCache(source.read, overlap_s=OVERLAP)
    cache.read("q", 0, 6000, STEP)
    source.state, source.labels = State.EMPTY, None
    assert cache.read("q", 0, 6060, STEP).state is State.VALUE


def test_another_series_than_before_is_read_whole() -> None:
    source = Source()
    cache = HistoryCache(source.read, overlap_s=OVERLAP)
    cache.read("q", 0, 6000, STEP)
    source.labels = {"a": "other"}
    cache.read("q", 0, 6060, STEP)
    assert source.asked[-1] == (0, 6060)


def test_forgetting_forgets(tmp_path: Path) -> None:
    source = Source()
    cache = HistoryCache(source.read, folder=tmp_path)
    cache.read("q", 0, 6000, STEP)
    cache.forget("q", STEP)
    cache.forget("never read", STEP)
    cache.read("q", 0, 6000, STEP)
    assert source.asked == [(0, 6000)] * 2


class TestFolder:
    def test_a_restart_asks_only_for_what_is_new(self, tmp_path: Path) -> None:
        source = Source()
        HistoryCache(source.read, folder=tmp_path / "new" / "folder", overlap_s=OVERLAP).read(
            "q", 0, 6000, STEP
        )
        again = HistoryCache(source.read, folder=tmp_path / "new" / "folder", overlap_s=OVERLAP)
        assert again.read("q", 0, 6060, STEP).series.values.tolist() == source.whole(0, 6060)
        assert source.asked[1] == (6060 - OVERLAP, 6060)

    def test_servers_and_tenants_are_kept_apart(self, tmp_path: Path) -> None:
        source = Source()
        for identity in ("one", "two"):
            HistoryCache(source.read, folder=tmp_path, identity=identity).read("q", 0, 6000, STEP)
        assert source.asked == [(0, 6000)] * 2

    @pytest.mark.parametrize("damage", ["empty", "cut", "text", "pickle", "other key"])
    def test_a_damaged_file_is_read_anew(self, tmp_path: Path, damage: str) -> None:
        source = Source()
        HistoryCache(source.read, folder=tmp_path).read("q", 0, 6000, STEP)
        (path,) = tmp_path.iterdir()
        raw = path.read_bytes()
        if damage == "pickle":
            np.savez(path, key=np.array([{}], dtype=object), values=np.array([{}], dtype=object))
        elif damage == "other key":
            np.savez(path, key="other", values=np.zeros(3), start_s=0, labels="null")
        else:
            path.write_bytes({"empty": b"", "cut": raw[: len(raw) // 2], "text": b"not numpy"}[damage])
        history = HistoryCache(source.read, folder=tmp_path).read("q", 0, 6060, STEP)
        assert source.asked[-1] == (0, 6060)
        assert history.series.values.tolist() == source.whole(0, 6060)

    def test_a_folder_that_vanished_costs_only_the_keeping(self, tmp_path: Path) -> None:
        source = Source()
        cache = HistoryCache(source.read, folder=tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        assert cache.read("q", 0, 6000, STEP).state is State.VALUE

    def test_no_temporary_file_stays(self, tmp_path: Path) -> None:
        cache = HistoryCache(Source().read, folder=tmp_path)
        for end_s in (6000, 6060, 6120):
            cache.read("q", 0, end_s, STEP)
        assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]

    def test_a_folder_that_cannot_be_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match="choose another folder"):
            HistoryCache(Source().read, folder=tmp_path / "file" / "folder")


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(1, 40), st.integers(0, 120)), min_size=1, max_size=12)
)
def test_any_sequence_of_reads_gives_what_whole_reads_would(reads: list[tuple[int, int, int]]) -> None:
    source = Source()
    cache = HistoryCache(source.read, overlap_s=OVERLAP)
    for first, steps, answered in reads:
        start_s, end_s = first * STEP, (first + steps) * STEP
        source.answered_until_s = answered * STEP
        history = cache.read("q", start_s, end_s, STEP)
        expected = np.array(source.whole(start_s, end_s))
        known = np.isfinite(history.series.values)
        np.testing.assert_array_equal(history.series.values[known], expected[known])
        np.testing.assert_array_equal(history.answered, known)
        assert len(history.series) == steps + 1
