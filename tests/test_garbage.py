"""What is loaded is not looked through for garbage again and again."""

from __future__ import annotations

import subprocess
import sys

_SPARED = """
import gc
import autoscaler.api.app
from autoscaler.garbage import spare_what_is_loaded
before = len(gc.get_objects())
spare_what_is_loaded()
made = [[] for _ in range(1000)]
print(before, len(gc.get_objects()))
"""


def test_a_collection_walks_through_what_was_made_since_and_not_through_modules() -> None:
    told = subprocess.run([sys.executable, "-c", _SPARED], check=True, capture_output=True, text=True).stdout
    before, after = map(int, told.split())

    assert before > 50_000
    assert 1000 <= after < 2000
