"""What a metric or query measures, judged by its words: demand, a backlog, or the pods themselves.

Only demand can be forecast: arrivals that stay the same when replicas are added. The judgement is a
guess from names, so whatever follows from it is put before a human.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from typing import NamedTuple

_WORD = re.compile(r"[A-Za-z]+[0-9]*")
_RATE_OF = re.compile(r"\b(rate|irate|increase)\s*\(")
_AVERAGE = re.compile(r"\bavg(_over_time)?\b")
_RESOURCES = frozenset(
    ("cpu", "memory", "mem", "heap", "gc", "utilization", "utilisation", "percent", "percentage")
)
_TIMES = frozenset(("latency", "duration", "p50", "p90", "p95", "p99"))
_BACKLOG = frozenset(
    (
        *("queue", "queues", "queued", "backlog", "lag", "pending", "depth", "waiting", "visible"),
        *("unacked", "unacknowledged", "undelivered"),
    )
)
_RATES = frozenset(("rps", "qps", "rate"))
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_WINDOW = "2m"


class Matcher(NamedTuple):
    """A label and what it has to be; pattern: the value is a regular expression."""

    label: str
    value: str
    pattern: bool = False


class Nature(enum.Enum):
    """What is measured."""

    DEMAND = enum.auto()
    BACKLOG = enum.auto()
    PODS = enum.auto()
    UNCLEAR = enum.auto()


def nature_of(text: str) -> Nature:
    """Nature of a metric's name or of a PromQL query."""
    text = re.sub(r"\{[^}]*\}", "", re.sub(r"""("[^"]*"|'[^']*')""", "", text))
    words = {word.lower() for piece in _WORD.findall(text) for word in piece.split("_")}
    if _RATE_OF.search(text):
        # A histogram's count is requests, whatever its name says of durations.
        measured = words & _RESOURCES or {"histogram", "quantile"} <= words
        return Nature.PODS if measured else Nature.DEMAND
    if words & (_RESOURCES | _TIMES):
        return Nature.PODS
    if words & _RATES or re.search(r"per[-_]?(second|minute|sec|min)\b", text) or text.endswith("_total"):
        return Nature.DEMAND
    return Nature.BACKLOG if words & _BACKLOG else Nature.UNCLEAR


def is_average(query: str) -> bool:
    """Whether a query averages, so that its result may fall when replicas are added."""
    return _AVERAGE.search(query) is not None


def query_for(metric: str, matchers: Iterable[Matcher]) -> str:
    """PromQL for the sum of what an adapter serves as `metric`; empty if no such name is possible.

    `requests_per_second` is taken for the rate of `requests_total`, as the Prometheus adapter names it.
    """
    name = metric.replace("-", "_")
    if not _METRIC.fullmatch(name):
        return ""
    usable = [matcher for matcher in matchers if _LABEL.fullmatch(matcher.label)]
    base = name.removesuffix("_per_second")
    if base and base != name:
        return increases(f"{base}_total", usable)
    return increases(name, usable) if name.endswith("_total") else series(name, usable)


def series(metric: str, matchers: Iterable[Matcher]) -> str:
    """PromQL for the sum of these series."""
    return f"sum({metric}{_selector(matchers)})"


def increases(metric: str, matchers: Iterable[Matcher]) -> str:
    """PromQL for what these counters gain per second, summed up."""
    return f"sum(rate({metric}{_selector(matchers)}[{_WINDOW}]))"


def _selector(matchers: Iterable[Matcher]) -> str:
    written = ",".join(f"{m.label}{'=~' if m.pattern else '='}{_quoted(m.value)}" for m in matchers)
    return f"{{{written}}}" if written else ""


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
