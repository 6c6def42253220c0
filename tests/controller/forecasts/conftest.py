"""A real Prometheus for the tests of forecasting from one, and small models."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "signals"))
sys.path.insert(0, str(Path(__file__).parents[2] / "forecasting"))
