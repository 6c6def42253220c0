"""A real Prometheus for the tests of forecasting from one."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "signals"))
