"""Validation errors as a user wants them: which field, what is wrong, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from autoscaler.spec.forecast import ZONE_PATTERN
from autoscaler.spec.names import SUBDOMAIN_PATTERN
from autoscaler.spec.rules import BROKEN_RULES
from autoscaler.spec.schema import SIGNAL_FIELDS, fields_at, misplaced_message, needed_message
from autoscaler.spec.signals import LABEL_PATTERN
from autoscaler.spec.yamltree import Json, Path, shown

Found = tuple[Path, str]
"""Path of a field and what is wrong with it."""

_NAMES = "lower-case letters, digits and dashes, with a letter or digit at both ends"
_IN_WORDS = {
    LABEL_PATTERN: _NAMES,
    SUBDOMAIN_PATTERN: f"{_NAMES}; dots between",
    ZONE_PATTERN: 'an IANA time zone such as "Europe/Berlin"',
    r"^[A-Z]{2}$": "an ISO 3166 country of two capital letters, such as DE",
    r"\S": "PromQL, which is not blank",
    r"^[A-Z][A-Za-z0-9]*$": "a kind such as Deployment, which begins with a capital letter",
}


def explain(error: ValidationError, written: dict[Path, str]) -> Iterator[Found]:
    """Every problem in `error`. written: unquoted text of values that were not read as text."""
    for detail in error.errors(include_url=False):
        path = _without_tags(tuple(detail["loc"]))
        if detail["type"] == BROKEN_RULES:
            for field, message in detail["ctx"]["broken"]:
                yield ((*path, *field.split(".")) if field else path), message
        elif detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
            yield (*path, "type"), _tag_message(detail)
        elif not _misses_only_bad_entries(detail):
            yield path, _message(detail, path, written)


def _misses_only_bad_entries(detail: ErrorDetails) -> bool:
    """Whether a list counts as too short only because its bad entries, told already, do not count."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def path_text(path: Path) -> str:
    """`spec.signals[1].threshold`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def did_you_mean(name: str, known: list[str]) -> str:
    """What to do about an unknown name: take the nearest known one, or one of the list."""
    folded = {word.lower(): word for word in known}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{folded[near[0]]}"?'
    return f"use one of {', '.join(known)}"


def _without_tags(path: Path) -> Path:
    """Drops the name of the union member, which follows the index of a signal."""
    for at in range(2, len(path)):
        if path[at - 2] == "signals" and isinstance(path[at - 1], int):
            return (*path[:at], *path[at + 1 :])
    return path


def _tag_message(detail: ErrorDetails) -> str:
    known = list(SIGNAL_FIELDS)
    if detail["type"] == "union_tag_not_found":
        return f"is required: one of {', '.join(known)}"
    tag = str(detail["ctx"]["tag"])
    return f"unknown type of signal {shown(tag)}: {did_you_mean(tag, known)}"


def _message(detail: ErrorDetails, path: Path, written: dict[Path, str]) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "missing":
        return _missing(detail, path)
    if kind == "extra_forbidden":
        return _unknown_field(detail, path)
    if kind in _MESSAGES:
        return _MESSAGES[kind](detail.get("ctx", {}), value)
    if kind == "string_type":
        return _not_text(value, written.get(path, ""))
    if kind == "value_error":
        return f"{detail['ctx']['error']}, not {shown(value)}"
    return f"{detail['msg'][0].lower()}{detail['msg'][1:]}, not {shown(value)}"


def _missing(detail: ErrorDetails, path: Path) -> str:
    tag = _signal_type(detail)
    return needed_message(tag, str(path[-1])) if tag else "is required: add it"


def _unknown_field(detail: ErrorDetails, path: Path) -> str:
    name, tag = str(path[-1]), _signal_type(detail)
    if tag:
        owners = [other for other, fields in SIGNAL_FIELDS.items() if name in fields]
        if owners:
            return misplaced_message(name, owners)
        return f"unknown field: {did_you_mean(name, list(SIGNAL_FIELDS[tag]))}"
    return f"unknown field: {did_you_mean(name, fields_at(path[:-1]))}"


def _signal_type(detail: ErrorDetails) -> str:
    """Type of the signal whose own field this is about; empty elsewhere."""
    loc = detail["loc"]
    if len(loc) == 5 and loc[1] == "signals":
        return str(loc[3])
    return ""


def _not_text(value: Json, word: str) -> str:
    if isinstance(value, bool):
        return f"{word or shown(value)} is read as true or false here: put it in quotes"
    if isinstance(value, int | float):
        return f"{word or shown(value)} is read as a number here: put it in quotes"
    return f"must be a text, not {_kind_of(value)}"


def _not_whole(context: dict[str, Any], value: Json) -> str:
    if isinstance(value, str) and value.lstrip("+-").isdigit():
        return f"must be a whole number, but {shown(value)} is a text: remove the quotes"
    return f"must be a whole number, not {shown(value)}"


def _not_listed(context: dict[str, Any], value: Json) -> str:
    known = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
    if not isinstance(value, str):
        return f"must be one of {', '.join(known)}, not {shown(value)}"
    if len(known) == 1:
        return f"must be {known[0]}, not {shown(value)}"
    return f"unknown value {shown(value)}: {did_you_mean(value, known)}"


def _mismatch(context: dict[str, Any], value: Json) -> str:
    pattern = context["pattern"]
    return f"must be {_IN_WORDS.get(pattern, 'text matching ' + pattern)}, not {shown(value)}"


def _kind_of(value: Json) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else shown(value)


_MESSAGES: dict[str, Callable[[dict[str, Any], Any], str]] = {
    "int_type": _not_whole,
    "literal_error": _not_listed,
    "string_pattern_mismatch": _mismatch,
    "greater_than_equal": lambda c, v: f"must be at least {c['ge']}, not {shown(v)}",
    "less_than_equal": lambda c, v: f"must be at most {c['le']}, not {shown(v)}",
    "string_too_short": lambda c, v: (
        "must not be empty" if not v else f"must have at least {c['min_length']} characters"
    ),
    "string_too_long": lambda c, v: f"must have at most {c['max_length']} characters, not {len(v)}",
    "too_short": lambda c, v: f"must have at least {c['min_length']} entry: add one, or leave the field out",
    "too_long": lambda c, v: f"must have at most {c['max_length']} entries, not {c['actual_length']}",
    "tuple_type": lambda c, v: f"must be a list, not {_kind_of(v)}",
    "model_type": lambda c, v: f"must be a mapping of fields, not {_kind_of(v)}",
    "model_attributes_type": lambda c, v: f"must be a mapping of fields, not {_kind_of(v)}",
    "dict_type": lambda c, v: f"must be a mapping of fields, not {_kind_of(v)}",
}
