"""The bars that forecasts are held to, and what the default policy and the forecaster alone had of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from autoscaler.backtest.yardstick import geometric_mean
from autoscaler.forecasting.registry import AUTO
from tests.bench.equal_cost import Measured

KEPT = (0.93, 0.97)
"""Coverage of p95 within which the stated risk counts as kept."""

_MEAN = {300.0: 0.62, 900.0: 0.56}
"""By start-up or lead time: overload over the tuned rival's at equal cost, geometric mean over traces."""
_WORST = 1.02
_KEPT_SHARE = 0.8
_UNSERVED = 0.19


@dataclass(frozen=True, slots=True)
class Alone:
    """What `peak_forecast` found of one trace. unserved: in per cent at the cost stated for it, of WorldCup98
    alone."""

    trace: str
    lead_s: float
    figure: float
    coverage: float
    unserved: float | None


class _Result(Protocol):
    @property
    def figure(self) -> float: ...
    @property
    def coverage(self) -> float: ...


def read_alone(path: Path) -> list[Alone]:
    """What `peak_forecast --out` wrote."""
    return [
        Alone(one["trace"], one["lead_s"], one["figure"], one["coverage"], one["unserved"])
        for one in json.loads(path.read_text(encoding="utf-8"))
    ]


def bars(found: Sequence[Measured], alone: Sequence[Alone]) -> str:
    """A table of what is asked for and what was found; empty where the default policy was not measured."""
    policy = {at_s: [one for one in found if (one.model, one.start_up_s) == (AUTO, at_s)] for at_s in _MEAN}
    itself = {at_s: [one for one in alone if one.lead_s == at_s] for at_s in _MEAN}
    if not any(policy.values()):
        return ""
    minutes = " | ".join(f"{at_s / 60:g} min" for at_s in _MEAN)
    lines = [f"| | bar | {minutes} |", "|---|---|---:|---:|"]
    for who, results in ((f"default policy, model `{AUTO}`", policy), ("forecaster by itself", itself)):
        asked = ", ".join(f"{bar:.2f}" for bar in _MEAN.values())
        kept = f"{KEPT[0]:.2f}–{KEPT[1]:.2f}"
        lines += [
            f"| {who}: overload at equal cost, geometric mean | {asked} | {_row(results, _mean)} |",
            f"| … on the worst trace | {_WORST:.2f} | {_row(results, _worst)} |",
            f"| … p95 kept within {kept} | on {_KEPT_SHARE:.0%} of traces | {_row(results, _kept)} |",
        ]
    unserved = {at_s: [one.unserved for one in ones if one.unserved] for at_s, ones in itself.items()}
    told = (
        _verdict(f"{unserved[300.0][0]:.3f} %", unserved[300.0][0] <= _UNSERVED) if unserved[300.0] else "–"
    )
    lines.append(f"| … WorldCup98, 500 a replica, cost 1.166: unserved | {_UNSERVED:.2f} % | {told} | – |")
    return "\n".join(lines) + "\n"


def _row(results: dict[float, Sequence[_Result]], cell: Callable[[float, Sequence[_Result]], str]) -> str:
    return " | ".join(cell(at_s, ones) if ones else "not measured" for at_s, ones in results.items())


def _mean(at_s: float, ones: Sequence[_Result]) -> str:
    mean = geometric_mean([one.figure for one in ones])
    return _verdict(f"{mean:.2f}", mean <= _MEAN[at_s])


def _worst(_: float, ones: Sequence[_Result]) -> str:
    worst = max((one.figure for one in ones if math.isfinite(one.figure)), default=math.nan)
    return _verdict(f"{worst:.2f}", worst <= _WORST)


def _kept(_: float, ones: Sequence[_Result]) -> str:
    kept = sum(KEPT[0] <= one.coverage <= KEPT[1] for one in ones)
    return _verdict(f"{kept} of {len(ones)}", kept >= _KEPT_SHARE * len(ones))


def _verdict(figure: str, is_met: bool) -> str:
    if figure == "nan":
        return "n/a"
    return f"{figure}, {'met' if is_met else '**missed**'}"
