"""The shape of a Prometheus answer: checked before anything inside it is believed.

Knows bodies of `query` and `query_range`, live or saved; knows nothing of HTTP.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from autoscaler.series import Floats


class MalformedAnswer(ValueError):
    """A body that is not what the Prometheus HTTP API promises. The message never quotes the body."""


_ERROR_TYPES = frozenset(
    {"bad_data", "execution", "timeout", "canceled", "internal", "unavailable", "not_found", "not_acceptable"}
)


@dataclass(frozen=True, slots=True)
class Body:
    """A parsed answer. error_type is empty for success; warned says that the data may be incomplete."""

    document: dict[str, Any]
    error_type: str
    warned: bool

    @property
    def result_type(self) -> str:
        """`matrix`, `vector`, `scalar` or `string`."""
        return str(self.document["data"]["resultType"])

    @property
    def result(self) -> list[Any]:
        """What was asked for, in the shape that belongs to `result_type`."""
        result: list[Any] = self.document["data"]["result"]
        return result


@dataclass(frozen=True, slots=True)
class TimedValues:
    """One series of a range: sample times in epoch seconds and values (NaN and Inf kept), each [sample]."""

    labels: Mapping[str, str]
    times_s: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant vector."""

    labels: Mapping[str, str]
    time_s: float
    value: float


def parse_body(raw: bytes) -> Body:
    """Read a JSON body of the HTTP API; MalformedAnswer when it is not one."""
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedAnswer("is not JSON, or ends early") from error
    if not isinstance(document, dict):
        raise MalformedAnswer("is JSON, but no answer of a Prometheus API")
    status = document.get("status")
    if status == "error":
        stated = document.get("errorType")
        return Body(document, stated if stated in _ERROR_TYPES else "unknown", False)
    data = document.get("data")
    if status != "success" or not isinstance(data, dict):
        raise MalformedAnswer("is JSON, but no answer of a Prometheus API")
    if not isinstance(data.get("resultType"), str) or not isinstance(data.get("result"), list):
        raise MalformedAnswer("has no result where one belongs")
    return Body(document, "", bool(document.get("warnings")))


def matrix(result: list[Any]) -> list[TimedValues]:
    """Every series of a `query_range` result."""
    return [_timed_values(series) for series in result]


def _timed_values(series: object) -> TimedValues:
    if not isinstance(series, dict):
        raise MalformedAnswer("has a series that is none")
    if series.get("histograms"):
        raise MalformedAnswer("holds native histograms; ask for a rate, sum or quantile of them")
    labels, pairs = series.get("metric"), series.get("values")
    if not isinstance(labels, dict) or not isinstance(pairs, list):
        raise MalformedAnswer("has a series without values")
    try:
        times = np.array([time for time, _ in pairs], dtype=np.float64)
        values = np.array([float(value) for _, value in pairs], dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedAnswer("has samples that are no numbers") from error
    if not np.isfinite(times).all():
        raise MalformedAnswer("has samples without a time")
    return TimedValues(labels, times, values)


def vector(body: Body) -> list[Sample]:
    """Every series of an instant answer; a scalar counts as one series without labels."""
    if body.result_type == "scalar":
        return [_sample({}, body.result)]
    if body.result_type != "vector":
        raise MalformedAnswer(f"is no instant vector or scalar but a {body.result_type[:20]!r}")
    return [_vector_element(element) for element in body.result]


def _vector_element(element: object) -> Sample:
    if not isinstance(element, dict) or not isinstance(element.get("metric"), dict):
        raise MalformedAnswer("has a series that is none")
    if element.get("histogram"):
        raise MalformedAnswer("holds native histograms; ask for a rate, sum or quantile of them")
    return _sample(element["metric"], element.get("value"))


def _sample(labels: Mapping[str, str], pair: object) -> Sample:
    if not isinstance(pair, list) or len(pair) != 2:
        raise MalformedAnswer("has a series without a sample")
    try:
        sample = Sample(labels, float(pair[0]), float(pair[1]))
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedAnswer("has samples that are no numbers") from error
    if not math.isfinite(sample.time_s):
        raise MalformedAnswer("has samples without a time")
    return sample
