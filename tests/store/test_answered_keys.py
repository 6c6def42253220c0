"""Idempotency keys: one change for each, whichever replica is asked, and an answer that lasts a day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from databases import Database
from rowmaking import START_S
from sqlalchemy import func, select

from autoscaler.store import schema
from autoscaler.store.pruning import Retention
from autoscaler.store.rows import AnsweredKey
from autoscaler.store.store import Store

_DAY_S = 86_400.0
_PATIENCE_S = 30.0
_ANSWER = {"status": 201, "headers": [["content-type", "text/plain"]], "body": "\u00ff"}


def _reserved(
    store: Store, at_s: float = START_S, asked: str = "this", key: str = "one"
) -> AnsweredKey | None:
    return store.reserve_key(key, asked, at_s, _PATIENCE_S)


def test_a_key_is_for_the_first_and_tells_others_what_was_answered(store: Store, database: Database) -> None:
    other = database.store()
    assert _reserved(store) is None
    assert _reserved(other, asked="that") == AnsweredKey("this", None)
    store.keep_answer("one", _ANSWER)
    assert _reserved(other) == AnsweredKey("this", _ANSWER)
    assert _reserved(other, key="another") is None
    other.close()


def test_a_key_that_is_given_back_is_free_and_one_with_an_answer_cannot_be(store: Store) -> None:
    assert _reserved(store) is None
    store.release_key("one")
    assert _reserved(store) is None
    store.keep_answer("one", _ANSWER)
    store.release_key("one")
    assert _reserved(store) == AnsweredKey("this", _ANSWER)


def test_a_key_whose_process_died_is_free_after_the_longest_time_that_a_request_takes(store: Store) -> None:
    assert _reserved(store) is None
    assert _reserved(store, START_S + _PATIENCE_S - 1) == AnsweredKey("this", None)
    assert _reserved(store, START_S + _PATIENCE_S + 1) is None


def test_an_answer_lasts_a_day_and_then_takes_no_room(store: Store) -> None:
    assert _reserved(store) is None
    store.keep_answer("one", _ANSWER)
    store.prune(Retention(), START_S + _DAY_S - 1)
    assert _reserved(store, START_S + _DAY_S - 1) == AnsweredKey("this", _ANSWER)
    store.prune(Retention(), START_S + _DAY_S + 1)
    with store.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(schema.AnsweredKey)).scalar_one() == 0


def test_of_many_at_once_one_gets_the_key(store: Store, database: Database) -> None:
    replicas = [database.store() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for number in range(20):
            asked = [pool.submit(_reserved, replica, key=str(number)) for replica in replicas]
            found = [answer.result() for answer in asked]
            assert found.count(None) == 1, found
    for replica in replicas:
        replica.close()
