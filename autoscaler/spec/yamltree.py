"""YAML text to plain data that remembers the line of every field.

Reads values as kubectl does (YAML 1.1: `NO` is false, but a time stays a text) and, unlike a
plain loader, refuses what would be silently lost or harmful: duplicate keys, aliases that grow
without bound, nesting without end.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

MAX_DEPTH = 64
_LONGEST_INT = 100
MAX_VALUES = 50_000
"""Values after aliases were followed."""

Path = tuple[str | int, ...]
Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"y", "yes", "on", "true"})
_FALSE = frozenset({"n", "no", "off", "false"})
_INT = re.compile(r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]*|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class YamlProblem(ValueError):
    """Text that is not usable YAML: the line (from 1) and what to do about it."""

    def __init__(self, line: int, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.line, self.message, self.path = line, message, path


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its value and, for every path in it, the line (from 1) it is written on."""

    line: int
    value: Json
    lines: dict[Path, int]
    plain_words: dict[Path, str] = field(default_factory=dict)
    """Unquoted text of what was not read as a text, for messages."""

    def line_of(self, path: Path) -> int:
        """Line of `path`, or of its nearest ancestor that is written down."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, self.line)


def documents(text: str) -> Iterator[Document]:
    """Each YAML document in `text`. Raises YamlProblem at the first place that cannot be read."""
    try:
        for node in yaml.compose_all(text, _Bounded):
            yield _Reader().document(node)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlProblem(
            line, f"character {error.character:#04x} is not allowed in YAML: remove it"
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlProblem(mark.line + 1 if mark else 1, _explained(error)) from error
    except yaml.YAMLError as error:
        raise YamlProblem(1, f"not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise YamlProblem(1, f"nested too deeply: at most {MAX_DEPTH} levels are read") from error


def _explained(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "unreadable"
    if "'\\t'" in problem:
        return "a tab where YAML allows only spaces: indent with spaces"
    return f"not YAML: {problem}" + (f" ({error.context})" if error.context and error.problem else "")


class _Bounded(yaml.SafeLoader):
    """Stops reading early in text that is far too much for a manifest."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._written = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._written += 1
        if self._written > MAX_VALUES:
            raise _too_many(self.line + 1)
        return super().compose_node(parent, index)


def _too_many(line: int) -> YamlProblem:
    return YamlProblem(line, f"more than {MAX_VALUES} values, aliases followed: write less into one file")


class _Reader:
    """Turns the nodes of one document into data."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.plain_words: dict[Path, str] = {}
        self.seen = 0

    def document(self, node: yaml.Node) -> Document:
        value = self.read(node, ())
        return Document(node.start_mark.line + 1, value, self.lines, self.plain_words)

    def read(self, node: yaml.Node, path: Path) -> Json:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.seen += 1
        if len(path) > MAX_DEPTH:
            raise YamlProblem(line, f"nested too deeply: at most {MAX_DEPTH} levels are read")
        if self.seen > MAX_VALUES:
            raise _too_many(line)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)  # there is no fourth kind
        return self.scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: Path) -> Json:
        found: dict[str, Json] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlProblem(line, "a field name must be a plain text", path)
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise YamlProblem(line, "merge keys (<<) are not read here: write the fields out", path)
            key = key_node.value
            if key in found:
                first = self.lines[(*path, key)]
                raise YamlProblem(line, f"written twice (first on line {first}): remove one", (*path, key))
            self.lines[(*path, key)] = line
            found[key] = self.read(value_node, (*path, key))
        return found

    def scalar(self, node: yaml.ScalarNode, path: Path) -> Json:
        text = str(node.value)
        if not node.tag.startswith("tag:yaml.org,2002:"):
            raise YamlProblem(node.start_mark.line + 1, f"unknown YAML tag {node.tag}: remove it", path)
        value = _plain(text) if node.style is None else text
        if not isinstance(value, str):
            self.plain_words[path] = text
        return value


def _plain(text: str) -> Json:
    """Value of an unquoted scalar, as kubectl's YAML 1.1 reader resolves it."""
    if text in _NULL:
        return None
    if text.lower() in _TRUE | _FALSE and text in {text.lower(), text.title(), text.upper()}:
        return text.lower() in _TRUE
    if _INT.fullmatch(text) and any(digit.isdigit() for digit in text):
        return _integer(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        number = float(text)
        # A whole number turns into an integer on its way through JSON.
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if _NOT_FINITE.fullmatch(text):
        return math.nan
    return text


def _integer(text: str) -> int | float:
    if len(text) > _LONGEST_INT:
        return math.inf if text[0] != "-" else -math.inf
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.removeprefix("+"))
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def shown(value: Json) -> str:
    """A value as a message shows it: short, on one line."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
