"""The SQL of idempotency keys: who may carry a change out, and what was answered to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from autoscaler.store import schema
from autoscaler.store.payload import packed, unpacked
from autoscaler.store.rows import AnsweredKey
from autoscaler.store.writing import conflict_insert

KEPT_S = 86_400.0
"""How long an answer is kept."""

_Key = schema.AnsweredKey


def reserve(
    connection: Connection, key: str, asked: str, now_s: float, patience_s: float
) -> AnsweredKey | None:
    """None: the key is the caller's own from now on. Otherwise what is known of it.

    patience_s: a request that has had no answer for longer is taken for lost, and its key for free.
    """
    lost = (_Key.payload.is_(None)) & (_Key.at_s < now_s - patience_s)
    connection.execute(delete(_Key).where(_Key.key == key, or_(lost, _Key.at_s < now_s - KEPT_S)))
    insert = conflict_insert(connection, _Key).values(key=key, asked=asked, at_s=now_s)
    if connection.execute(insert.on_conflict_do_nothing().returning(_Key.key)).first() is not None:
        return None
    found = connection.execute(select(_Key.asked, _Key.payload).where(_Key.key == key)).one_or_none()
    if found is None:
        # Released by whoever had it at this very moment: whoever asks again finds it free.
        return AnsweredKey(asked, None)
    return AnsweredKey(found.asked, None if found.payload is None else unpacked(found.payload))


def keep(connection: Connection, key: str, answer: Mapping[str, Any]) -> None:
    """Keep what was answered to the request that has reserved the key."""
    connection.execute(update(_Key).where(_Key.key == key).values(payload=packed(answer)))


def release(connection: Connection, key: str) -> None:
    """Give the key back: nothing was changed."""
    connection.execute(delete(_Key).where(_Key.key == key, _Key.payload.is_(None)))


def forget(connection: Connection, now_s: float) -> None:
    """Remove what is kept no longer."""
    connection.execute(delete(_Key).where(_Key.at_s < now_s - KEPT_S))
