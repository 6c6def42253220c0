"""What tests of the operator are made of (processes, evaluations in hand) is used here too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / folder) for folder in ("cluster", "controller")]
