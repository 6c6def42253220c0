"""Identifiers of decisions: unique without asking the store, and ascending with time.

An identifier is made before its row can be written, so that a write whose outcome is unknown can be repeated
without storing the decision twice. As a number: 42 bits of milliseconds since 1970, then 21 bits of a
counter. As text, which is what people see: 13 characters that sort like the number.
"""

from __future__ import annotations

import itertools
import secrets

_COUNTER_BITS = 21
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no letter looks like a digit
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_LENGTH = 13
_MOST = (1 << 63) - 1

# Starts anywhere, so that two processes in the same millisecond hardly meet.
_counter = itertools.count(secrets.randbits(_COUNTER_BITS))


def new_id(at_s: float) -> str:
    """An identifier for a decision made at `at_s` (epoch seconds). Safe to call from several threads."""
    count = next(_counter) & ((1 << _COUNTER_BITS) - 1)
    return id_text(first_number(at_s) | count)


def first_number(at_s: float) -> int:
    """The smallest number an identifier of that time or later can have; limited to what a BIGINT holds."""
    return min(max(0, int(at_s * 1000)) << _COUNTER_BITS, _MOST)


def id_text(number: int) -> str:
    """The text of an identifier's number."""
    # Two letters at a time: lists name hundreds.
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(50, -1, -10)]
    return _ALPHABET[number >> 60] + "".join(pairs)


def id_number(text: str) -> int:
    """The number of an identifier's text; raises ValueError if it is none."""
    number = 0
    for letter in text:
        digit = _ALPHABET.find(letter)
        if digit < 0:
            raise ValueError(f"{text!r} is not the identifier of a decision")
        number = number << 5 | digit
    if len(text) != _LENGTH or number > _MOST:
        raise ValueError(f"{text!r} is not the identifier of a decision")
    return number


def id_time_s(text: str) -> float:
    """When what an identifier names was made, to the millisecond; raises ValueError if it is none."""
    return (id_number(text) >> _COUNTER_BITS) / 1000
