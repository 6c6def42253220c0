"""Everybody who watches is told what is new, once, and nobody waits for anybody."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from autoscaler.api.news import News, TooMany, Update, Watcher
from autoscaler.store.errors import StoreError
from autoscaler.store.ids import id_number, new_id
from autoscaler.store.rows import FoundDecision, Page

START_S = 1_795_802_400.0
CHANGED = frozenset({"shop/checkout"})


class Decisions:
    """Decisions as a store has them. fault: raised instead of them."""

    def __init__(self) -> None:
        self.found: list[FoundDecision] = []
        self.fault: StoreError | None = None

    def add(self, at_s: float) -> str:
        made = FoundDecision("shop/checkout", new_id(at_s), at_s, 3, 5, (), "Done", "Scale out from 3 to 5.")
        self.found.append(made)
        return made.id

    def decisions(self, *, limit: int = 100) -> Page:
        self._may_fail()
        newest = sorted(self.found, key=lambda one: id_number(one.id), reverse=True)
        return Page(tuple(newest[:limit]), None)

    def decisions_after(self, decision: str, limit: int = 100) -> list[FoundDecision]:
        self._may_fail()
        ordered = sorted(self.found, key=lambda one: id_number(one.id))
        return [one for one in ordered if one.id > decision][:limit]

    def _may_fail(self) -> None:
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def store() -> Decisions:
    return Decisions()


@pytest.fixture
def news(store: Decisions) -> News:
    made = News(store, most=8)
    made.look(frozenset())
    return made


async def told(watcher: Watcher) -> Update | None:
    """The next update, which has to be there by now."""
    return await asyncio.wait_for(watcher.update(), 1.0)


async def ids(watcher: Watcher) -> list[str]:
    update = await told(watcher)
    assert update is not None
    return [one.id for one in update.decisions]


async def nothing_is_told(watcher: Watcher) -> bool:
    try:
        await asyncio.wait_for(watcher.update(), 0.05)
    except TimeoutError:
        return True
    return False


def test_all_watchers_are_told_the_same(news: News, store: Decisions) -> None:
    async def watch() -> None:
        with news.watching("anna") as first, news.watching("ben") as second:
            made = store.add(START_S)
            news.look(CHANGED)
            for watcher in (first, second):
                update = await told(watcher)
                assert update is not None
                assert update.workloads == CHANGED
                assert [one.id for one in update.decisions] == [made]

    asyncio.run(watch())


def test_what_was_there_before_anybody_watched_is_no_news(store: Decisions) -> None:
    store.add(START_S)

    async def watch() -> None:
        news = News(store, most=8)
        news.look(frozenset())
        assert news.newest == store.found[0].id
        with news.watching("anna") as watcher:
            news.look(frozenset())
            assert await nothing_is_told(watcher)

    asyncio.run(watch())


def test_a_decision_is_told_once_however_often_it_is_seen(news: News, store: Decisions) -> None:
    async def watch() -> None:
        with news.watching("anna") as watcher:
            made = [store.add(START_S + number) for number in range(3)]
            for _ in range(12):
                news.look(frozenset())
            assert await ids(watcher) == made
            assert await nothing_is_told(watcher)

    asyncio.run(watch())


def test_a_decision_that_is_stored_late_is_told_late(news: News, store: Decisions) -> None:
    async def watch() -> None:
        with news.watching("anna") as watcher:
            later = store.add(START_S + 5)
            news.look(frozenset())
            earlier = store.add(START_S)
            for _ in range(5):
                news.look(frozenset())
            assert await ids(watcher) == [later]
            assert await ids(watcher) == [earlier]
            assert news.newest == later

    asyncio.run(watch())


def test_many_decisions_at_once_all_arrive(news: News, store: Decisions) -> None:
    async def watch() -> None:
        with news.watching("anna") as watcher:
            made = [store.add(START_S + number / 1000) for number in range(1200)]
            news.look(frozenset())
            assert await ids(watcher) == made

    asyncio.run(watch())


def test_a_store_that_fails_keeps_no_workloads_back(news: News, store: Decisions) -> None:
    async def watch() -> None:
        with news.watching("anna") as watcher:
            store.fault = StoreError("locked")
            made = store.add(START_S)
            news.look(CHANGED)
            assert await told(watcher) == Update(CHANGED, [])
            store.fault = None
            news.look(frozenset())
            assert await ids(watcher) == [made]

    asyncio.run(watch())


def test_a_watcher_that_takes_nothing_is_let_go_and_keeps_nobody_waiting(news: News) -> None:
    async def watch() -> None:
        with news.watching("slow") as slow, news.watching("quick") as quick:
            for _ in range(100):
                news.look(CHANGED)
                assert await told(quick) == Update(CHANGED, [])
            updates = [await told(slow) for _ in range(2)]
            assert None in updates, "it is told to go"

    asyncio.run(watch())


def test_there_are_so_many_watchers_and_of_one_caller_a_quarter(news: News) -> None:
    async def watch() -> None:
        with ExitStack() as stack:

            def begin(caller: str) -> None:
                stack.enter_context(news.watching(caller))

            for caller in ("anna", "anna", "ben", "ben", "cid", "cid"):
                begin(caller)
            with pytest.raises(TooMany):
                begin("anna")
            begin("dora")
            begin("emil")
            with pytest.raises(TooMany):
                begin("fritz")
        with news.watching("anna"):
            """There is room again."""

    asyncio.run(watch())


def test_a_watcher_of_a_loop_that_has_ended_is_passed_over(news: News) -> None:
    async def begin() -> None:
        news.watching("anna").__enter__()

    asyncio.run(begin())
    news.look(CHANGED)
