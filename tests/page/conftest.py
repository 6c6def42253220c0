"""The page's tests look at the whole service over a filled store, which the service's own tests make."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.register_assert_rewrite("looking")
sys.path.append(str(Path(__file__).parents[1] / "api"))

from looking import service  # noqa: E402 - only now is its folder known, and it to be rewritten

__all__ = ["service"]
