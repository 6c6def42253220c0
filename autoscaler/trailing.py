"""The largest or smallest of the last values, at every step: what is held for a while, or ready after one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from autoscaler.series import Floats, Ints

_Numbers = TypeVar("_Numbers", Floats, Ints)


def trailing(larger: Callable[[_Numbers, _Numbers], _Numbers], values: _Numbers, width: int) -> _Numbers:
    """Extreme of the last `width` values along the last axis, fewer at the beginning; doubles its reach each
    round."""
    result = values.copy()
    reach, length = 1, values.shape[-1]
    while reach < width and reach < length:
        shift = min(reach, width - reach)
        result[..., shift:] = larger(result[..., shift:], result[..., :-shift])
        reach += shift
    return result
