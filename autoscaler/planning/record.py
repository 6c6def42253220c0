"""A decision as plain JSON-able data, and back: what is stored, shown and replayed.

Built from the dataclasses' own annotations, so a new field needs nothing here: fields are named, and one that
holds its default is left out. A float that JSON has no word for becomes `{"float": "nan"}`. This knows no
storage; see `autoscaler.store` for where the data goes.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import math
import numbers
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoscaler.planning.decide import decide
from autoscaler.planning.decision import Decision
from autoscaler.planning.memory import Memory
from autoscaler.planning.policy import Policy

VERSION = 1
"""Of the data's shape. A field added with a default keeps it; a field renamed or removed raises it."""

Json = dict[str, Any]
_Part = typing.TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Replay:
    """A stored decision beside what the present code decides from the same inputs.

    memory: the one the decision started from. differences: the names of the fields of `Decision` in
    which the two differ.
    """

    policy: Policy
    memory: Memory
    stored: Decision
    recomputed: Decision
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the present code decides exactly as stored."""
        return not self.differences


def recorded(policy: Policy, memory: Memory, decision: Decision) -> Json:
    """Everything of one decision. `memory` is the one it started from, not `decision.memory`."""
    return {
        "v": VERSION,
        "policy": _encoded(policy),
        "memory": _encoded(memory),
        "decision": _encoded(decision),
    }


def replayed(data: Mapping[str, Any]) -> Replay:
    """Decide again from recorded inputs.

    Raises ValueError when `data` is of a newer version, or is not what `recorded` returns.
    """
    _check_version(data)
    policy: Policy = _part(data, "policy", Policy)
    memory: Memory = _part(data, "memory", Memory)
    stored: Decision = _part(data, "decision", Decision)
    recomputed = decide(policy, stored.observation, stored.outlook, memory)
    # Compared in encoded form, where two unknown numbers are equal.
    was, now = _encoded(stored), _encoded(recomputed)
    differences = tuple(
        field.name for field in dataclasses.fields(Decision) if was.get(field.name) != now.get(field.name)
    )
    return Replay(policy, memory, stored, recomputed, differences)


def memory_to_json(memory: Memory) -> Json:
    """A memory alone, for `memory_from_json`."""
    return {"v": VERSION, "memory": _encoded(memory)}


def memory_from_json(data: Mapping[str, Any]) -> Memory:
    """The memory that was encoded; raises ValueError as `replayed` does."""
    _check_version(data)
    memory: Memory = _part(data, "memory", Memory)
    return memory


def part_to_json(part: object) -> Json:
    """A dataclass of plain values and of other such, for `part_from_json`."""
    return {"v": VERSION, "part": _encoded(part)}


def part_from_json(data: Mapping[str, Any], kind: type[_Part]) -> _Part:
    """The `kind` that was encoded; raises ValueError as `replayed` does."""
    _check_version(data)
    part: _Part = _part(data, "part", kind)
    return part


def _check_version(data: Mapping[str, Any]) -> None:
    version = data.get("v")
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"this is no recorded decision or memory: its version is {version!r}")
    if version > VERSION:
        raise ValueError(
            f"recorded in version {version} by a newer release; this one reads up to version {VERSION}"
        )


def _part(data: Mapping[str, Any], name: str, kind: type) -> Any:
    if name not in data:
        raise ValueError(f"the recorded data has no {name!r}")
    try:
        return _decoded(data[name], kind)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ValueError(f"the recorded {name} cannot be read: {error}") from error


def _encoded(value: Any) -> Any:
    # The commonest first: a memory holds hundreds of plain numbers and is encoded at every decision.
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if kind is int or kind is str or value is None:
        return value
    if kind is tuple:
        return [_encoded(item) for item in value]
    if dataclasses.is_dataclass(kind):
        return {
            name: _encoded(held)
            for name, default in _fields(kind)
            if not _is_default(held := getattr(value, name), default)
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, float | numbers.Integral):  # numpy's
        return _encoded(float(value) if isinstance(value, float) else int(value))
    raise TypeError(f"{kind.__name__} cannot be recorded: {value!r}")


def _is_default(held: Any, default: Any) -> bool:
    # By repr too, since 1 == 1.0 and 0.0 == -0.0, and a replay is exact.
    return held is default or (held == default and repr(held) == repr(default))


def _decoded(data: Any, kind: Any) -> Any:
    """`data` as a value of the annotated type `kind`."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _one_of(data, typing.get_args(kind))
    if origin is tuple:
        return _tuple(data, typing.get_args(kind))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _decoded(held, hints[name]) for name, held in data.items()})
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(data)
    return _scalar(data, kind)


def _one_of(data: Any, kinds: tuple[Any, ...]) -> Any:
    """Unions are either optional or of plain scalars, which JSON tells apart."""
    if data is None:
        return None
    others = [kind for kind in kinds if kind is not types.NoneType]
    if len(others) == 1:
        return _decoded(data, others[0])
    return _scalar(data, float | str)


def _tuple(data: Any, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise TypeError(f"expected a list, got {data!r}")
    if kinds[-1] is Ellipsis:
        return tuple(_decoded(item, kinds[0]) for item in data)
    return tuple(_decoded(item, kind) for item, kind in zip(data, kinds, strict=True))


def _scalar(data: Any, kind: Any) -> Any:
    if isinstance(data, dict):
        return float(data["float"])
    # An int where a float is annotated stays one: Python takes it as such, and a replay is exact.
    accepted = kind | int if kind is float or isinstance(kind, types.UnionType) else kind
    if not isinstance(data, accepted):
        raise TypeError(f"expected {getattr(kind, '__name__', kind)}, got {data!r}")
    return data


@functools.cache
def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    """Names and defaults of what makes up a value; what is not given to `__init__` is derived from it."""
    return tuple((field.name, field.default) for field in dataclasses.fields(kind) if field.init)


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
