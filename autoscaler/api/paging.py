"""Pages of lists: a cursor tells where the last page ended, and of which question.

A cursor is opaque text for the caller: base64url of a checksum and JSON. It grants nothing, so it is not
signed; the checksum is there to tell a cursor of ours from anything else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson

from autoscaler.api.problems import Problem
from autoscaler.store.ids import id_number

_CHECK_BYTES = 6
_FOREIGN = "it is none of ours"


def cursor(question: Sequence[Any], position: Sequence[Any]) -> str:
    """Text that `position_of` reads back for the same question. Both hold plain JSON types only."""
    data = orjson.dumps([_digest(orjson.dumps(question)).hex(), *position])
    return base64.urlsafe_b64encode(_digest(data) + data).decode().rstrip("=")


def position_of(text: str | None, question: Sequence[Any], kinds: Sequence[type]) -> list[Any] | None:
    """Where the page before ended, one value of each of the `kinds`; None for the first page.

    Raises Problem (400) when the text is no cursor, or one of another question.
    """
    if not text:
        return None
    asked, *position = _read(text)
    if asked != _digest(orjson.dumps(question)).hex():
        raise _bad_cursor("it belongs to another question: ask as for the page before, or from the start")
    if [type(value) for value in position] != list(kinds):
        raise _bad_cursor(_FOREIGN)
    return position


def identifier_of(text: str | None, question: Sequence[Any]) -> str | None:
    """Where the page before ended, for lists in the order of their identifiers; as `position_of`."""
    position = position_of(text, question, (str,))
    if position is None:
        return None
    identifier: str = position[0]
    try:
        id_number(identifier)
    except ValueError as error:
        raise _bad_cursor(_FOREIGN) from error
    return identifier


def _read(text: str) -> list[Any]:
    """What a cursor holds, at least one value."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        check, data = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        held: Any = orjson.loads(data) if check == _digest(data) else None
    except (binascii.Error, ValueError) as error:
        raise _bad_cursor(_FOREIGN) from error
    if not isinstance(held, list) or not held:
        raise _bad_cursor(_FOREIGN)
    return held


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECK_BYTES).digest()


def _bad_cursor(why: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "InvalidCursor", f"continue: {why}")
