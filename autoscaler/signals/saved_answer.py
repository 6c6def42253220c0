"""A saved answer of Prometheus' `query_range` as a `Series`."""

from __future__ import annotations

import numpy as np

from autoscaler.series import Series
from autoscaler.signals.answer import MalformedAnswer, TimedValues, matrix, parse_body
from autoscaler.signals.errors import InputError
from autoscaler.signals.grid import MICRO, regular_grid


def series_of_answer(content: bytes, source: str, name: str) -> Series:
    """The one series in a saved `query_range` answer.

    Timestamps stay as Prometheus gave them. Raises InputError for an error answer, several series
    or none, an instant answer, and samples that are no finite load.
    """
    only = _only_series(content, source)

    def place(row: int) -> str:
        return f"sample {row + 1}"

    grid = regular_grid(np.rint(only.times_s * MICRO).astype(np.int64), source, place)
    infinite, negative = np.flatnonzero(np.isinf(only.values)), np.flatnonzero(only.values < 0)
    if len(infinite):
        raise InputError(
            f"{source}: {place(int(infinite[0]))} is infinite; mend the query (a division by 0?)"
        )
    if len(negative):
        raise InputError(
            f"{source}: {place(int(negative[0]))} is negative; a load is at least 0, mend the query"
        )
    return Series(name, grid.start_s, grid.step_s, grid.spread(only.values))


def _only_series(content: bytes, source: str) -> TimedValues:
    try:
        body = parse_body(content)
        if body.error_type:
            raise InputError(
                f"{source}: is a saved error ({body.error_type}) of Prometheus; "
                "repeat the query and save its answer"
            )
        if body.result_type != "matrix":
            raise InputError(
                f"{source}: is a saved {body.result_type[:20]!r}, not a range; "
                "save an answer of /api/v1/query_range"
            )
        found = matrix(body.result)
    except MalformedAnswer as error:
        raise InputError(f"{source}: {error}; save an answer of /api/v1/query_range as it is") from error
    if not found or not len(found[0].values):
        raise InputError(f"{source}: the query found nothing; check its metric name, labels and time span")
    if len(found) > 1:
        raise InputError(f"{source}: holds {len(found)} series; sum() them in the query so that one is left")
    return found[0]
