"""Other people's autoscalers, to compare ours with.

Each follows its published rules and defaults; where one is deliberately treated more kindly than
the original, docs/rivals.md says so. Only the oracle looks ahead; the target of `hpa-tuned` is
chosen after the fact.
"""

from __future__ import annotations

from autoscaler.backtest.rivals.choice import BaselineChoice, build, parse_baselines
from autoscaler.backtest.rivals.hpa import HpaSettings
from autoscaler.backtest.rivals.rival import Rival, RivalContext
from autoscaler.backtest.rivals.tuned import FrontPoint, Tuned, tune_hpa

__all__ = [
    "BaselineChoice",
    "FrontPoint",
    "HpaSettings",
    "Rival",
    "RivalContext",
    "Tuned",
    "build",
    "parse_baselines",
    "tune_hpa",
]
