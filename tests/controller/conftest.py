"""An evaluation in hand for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from evaluation_in_hand import InHand


@pytest.fixture
def hand() -> Iterator[InHand]:
    """Its log is caught: rendering a traceback takes longer than most tests."""
    made = InHand()
    with structlog.testing.capture_logs() as made.log:
        yield made
    made.close()
