"""Constructed tiers are those of the forecasting tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "forecasting"))
