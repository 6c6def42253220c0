"""Gradient-boosted trees as text: what of LightGBM's format is kept, and what is checked before it is read.

LightGBM reads its text without looking whether the indices in it make sense: one out of bounds would be
followed into foreign memory, and one that leads back for ever. So here every line has to be one that is
known, and every index within its tree. What is checked has to be what LightGBM will read, so numbers may
only be written as both read them alike: Python takes `0_1` for 1 and a tab for a space, LightGBM neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_TREES = 2_000
_MOST_LEAVES = 256
_MOST_VALUE = 20.0
_CATEGORICAL = 1
_LETTERS = re.compile(r"[ -~\n]*")
_WHOLE = re.compile(r"-?[0-9]{1,9}(?: -?[0-9]{1,9})*")
_REAL = r"-?(?:[0-9]{1,20}(?:\.[0-9]{1,30})?(?:e[+-][0-9]{1,3})?|inf)"
_REALS = re.compile(rf"{_REAL}(?: {_REAL})*")

_HEAD = frozenset(
    [
        "version",
        "num_class",
        "num_tree_per_iteration",
        "label_index",
        "max_feature_idx",
        "objective",
        "feature_names",
        "feature_infos",
    ]
)
_TREE = frozenset(
    [
        "num_leaves",
        "num_cat",
        "split_feature",
        "threshold",
        "decision_type",
        "left_child",
        "right_child",
        "leaf_value",
        "is_linear",
        "shrinkage",
    ]
)
_SETTINGS = {
    "version": "v4",
    "objective": "quantile",
    "num_class": "1",
    "num_tree_per_iteration": "1",
    "label_index": "0",
}
_END = "\nend of trees\n"


def trimmed(text: str) -> str:
    """LightGBM's text without what prediction does not need: statistics of the training, settings."""
    head, *trees = text.partition(_END)[0].split("\nTree=")
    parts = [_lines_of(head, _HEAD, "tree\n")]
    for tree in trees:
        number, _, body = tree.partition("\n")
        parts.append(_lines_of(body, _TREE, f"Tree={number}\n"))
    return "\n".join(parts) + _END


def check(text: str, columns: int) -> None:
    """Raise ValueError unless `text` is a trimmed forest over so many columns, safe to be read."""
    if not _LETTERS.fullmatch(text):
        raise ValueError("letters that no forest has")
    body, end, rest = text.partition(_END)
    if not end or rest:
        raise ValueError("the end is missing, or something comes after it")
    head, *trees = body.split("\nTree=")
    settings = _fields(head.removeprefix("tree\n"), _HEAD)
    for key, wanted in _SETTINGS.items():
        if settings[key] != wanted:
            raise ValueError(f"{key} is {settings[key][:20]!r} instead of {wanted!r}")
    for key in ("feature_names", "feature_infos"):
        if len(settings[key].split()) != columns or settings["max_feature_idx"] != str(columns - 1):
            raise ValueError(f"not made for {columns} columns")
    if not 1 <= len(trees) <= _MOST_TREES:
        raise ValueError(f"{len(trees)} trees, allowed are 1 to {_MOST_TREES}")
    for place, tree in enumerate(trees):
        number, _, lines = tree.partition("\n")
        if number != str(place):
            raise ValueError(f"tree {place} is called {number[:20]!r}")
        try:
            _check_tree(_fields(lines, _TREE), columns)
        except ValueError as error:
            raise ValueError(f"tree {place}: {error}") from error


def _check_tree(fields: Mapping[str, str], columns: int) -> None:
    leaves = int(_written(fields["num_leaves"], _WHOLE))
    if not 1 <= leaves <= _MOST_LEAVES:
        raise ValueError(f"{leaves} leaves, allowed are 1 to {_MOST_LEAVES}")
    if fields["num_cat"] != "0" or fields.get("is_linear", "0") != "0":
        raise ValueError("categories or linear leaves")
    if not 0.0 < float(_written(fields["shrinkage"], _REALS)) <= 1.0:
        raise ValueError("impossible shrinkage")
    values = _numbers(_written(fields["leaf_value"], _REALS), np.float64)
    if len(values) != leaves or not (np.abs(values) <= _MOST_VALUE).all():
        raise ValueError("values of leaves are missing or impossible")
    if leaves == 1:
        return
    splits, kinds, left, right = (
        _numbers(_written(fields[key], _WHOLE), np.int64)
        for key in ("split_feature", "decision_type", "left_child", "right_child")
    )
    thresholds = _numbers(_written(fields["threshold"], _REALS), np.float64)
    if not len(splits) == len(thresholds) == len(kinds) == len(left) == len(right) == leaves - 1:
        raise ValueError("splits are missing")
    if splits.min() < 0 or splits.max() >= columns or (kinds & _CATEGORICAL).any():
        raise ValueError("splits by a column there is not, or by category")
    for children in (left, right):
        # A child that is no leaf comes after its parent, so that nothing leads round in circles.
        inner = children >= 0
        if (children < -leaves).any() or (children >= leaves - 1).any():
            raise ValueError("a branch leads nowhere")
        if (children <= np.arange(leaves - 1))[inner].any():
            raise ValueError("a branch leads back")


def _lines_of(block: str, keys: frozenset[str], first: str) -> str:
    lines = [line for line in block.splitlines() if line.partition("=")[0] in keys]
    return first + "\n".join(lines) + "\n"


def _fields(block: str, keys: frozenset[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in block.splitlines():
        key, _, value = line.partition("=")
        if line and (key not in keys or key in fields):
            raise ValueError(f"unexpected line {line[:40]!r}")
        if line:
            fields[key] = value
    missing = keys - fields.keys() - {"is_linear"}
    if missing and fields.get("num_leaves") != "1":
        raise ValueError(f"{', '.join(sorted(missing))} missing")
    return fields


def _written(text: str, how: re.Pattern[str]) -> str:
    """The text, which must be of numbers written like this."""
    if not how.fullmatch(text):
        raise ValueError(f"{text[:40]!r} are no numbers as LightGBM writes them")
    return text


def _numbers(text: str, kind: type[np.generic]) -> NDArray[Any]:
    return np.array(text.split(), dtype=kind)


def splits_of(text: str, trees: int, leaves: int) -> tuple[NDArray[Any], ...]:
    """A forest just grown as arrays: column, threshold, left and right [tree, split], value [tree, leaf].

    The next split is told by its number, a leaf by -1 - its number. Missing trees answer 0.
    """
    shape = (trees, leaves - 1)
    clue, threshold = np.zeros(shape, np.int16), np.full(shape, np.inf)
    left, right = np.full(shape, -1, np.int8), np.full(shape, -1, np.int8)
    value = np.zeros((trees, leaves))
    for tree, block in enumerate(text.partition(_END)[0].split("\nTree=")[1:]):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        values = _numbers(fields["leaf_value"], np.float64)
        value[tree, : len(values)] = values
        if len(values) == 1:
            continue
        inner = slice(0, len(values) - 1)
        clue[tree, inner] = _numbers(fields["split_feature"], np.int64)
        threshold[tree, inner] = _numbers(fields["threshold"], np.float64)
        left[tree, inner] = _numbers(fields["left_child"], np.int64)
        right[tree, inner] = _numbers(fields["right_child"], np.int64)
    return clue, threshold, left, right, value
