"""A backtest of the batched models starts quickly: what it does not need it does not load."""

from __future__ import annotations

import subprocess
import sys


def test_fitting_and_drawing_libraries_wait_until_they_are_used() -> None:
    heavy = ("statsmodels", "scipy", "prophet", "matplotlib", "plotly")
    program = f"import sys, autoscaler.cli.backtest; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"
