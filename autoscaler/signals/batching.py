"""Many instant queries as one, and its answer taken apart again.

Each query is wrapped so that every series of its result carries a label of our own that says whose it
is; the wrapped queries are united by `or`, which keeps all of them, since by that label no two match.
Beside each value its `timestamp()` is asked for, which tells the age of the newest sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autoscaler.signals.answer import MalformedAnswer, Sample

MARK = "__pa_query__"
"""Overwrites a label of that name, so a query cannot pass off its series as those of another."""

_CLOSES = {")": "(", "}": "{", "]": "["}


@dataclass(slots=True)
class Found:
    """What was found for one query: its series, their sample times as values, and whether it is complete."""

    values: list[Sample] = field(default_factory=list)
    stamps: list[Sample] = field(default_factory=list)
    warned: bool = False
    failure: str = ""


def self_contained(query: str) -> str | None:
    """`query` without comments if it cannot reach beyond brackets put around it, else None.

    Brackets must close in order and strings must end. Where servers might read the text otherwise
    than we do (comments inside braces, escapes outside strings), the answer is None: such a query is
    asked alone.
    """
    kept: list[str] = []
    open_brackets: list[str] = []
    at = 0
    while at < len(query):
        character = query[at]
        end = at + 1
        if character in "\"'`":
            end = _string_end(query, at)
        elif character == "#" and not {"{", "["} & set(open_brackets):
            end = (query + "\n").find("\n", at)
            character = ""
        elif character in "#\\\0":
            return None
        elif character in "({[":
            open_brackets.append(character)
        elif character in _CLOSES and (not open_brackets or open_brackets.pop() != _CLOSES[character]):
            return None
        if end < 0:
            return None
        if character:
            kept.append(query[at:end])
        at = end
    text = "".join(kept).strip()
    return text if text and not open_brackets else None


def _string_end(query: str, start: int) -> int:
    """Position after the string that begins at `start`, -1 when it does not end."""
    quote = query[start]
    at = start + 1
    while at < len(query):
        if query[at] == quote:
            return at + 1
        if quote != "`" and query[at] == "\n":
            return -1
        at += 2 if query[at] == "\\" and quote != "`" else 1
    return -1


def united(texts: Sequence[str]) -> str:
    """One query for all of `texts`, each of them `self_contained`."""
    return " or ".join(_wrapped(number, text) for number, text in enumerate(texts))


def _wrapped(number: int, text: str) -> str:
    value = f'label_replace(({text}), "{MARK}", "v{number}", "", "")'
    stamp = f'label_replace(timestamp({text}), "{MARK}", "t{number}", "", "")'
    return f"{value} or {stamp}"


def portions(texts: Sequence[str], most: int, most_characters: int) -> Iterator[list[str]]:
    """`texts` in order, in groups whose united query stays within both bounds where possible."""
    group: list[str] = []
    length = 0
    for text in texts:
        added = len(_wrapped(most, text)) + len(" or ")
        if group and (len(group) >= most or length + added > most_characters):
            yield group
            group, length = [], 0
        group.append(text)
        length += added
    if group:
        yield group


def taken_apart(samples: Sequence[Sample], count: int, warned: bool) -> list[Found]:
    """What was found for each of the `count` united queries; MalformedAnswer for foreign series."""
    found = [Found(warned=warned) for _ in range(count)]
    for sample in samples:
        mark = sample.labels.get(MARK, "")
        number = int(mark[1:]) if mark[1:].isdecimal() and mark[0] in "vt" else count
        if number >= count:
            raise MalformedAnswer("holds series that were not asked for")
        (found[number].values if mark[0] == "v" else found[number].stamps).append(sample)
    return found
