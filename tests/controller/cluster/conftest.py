"""A server that answers as the test says, in the place of an API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from scripted_api import Answer, ScriptedAPI, serving


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Answer], ScriptedAPI]]:
    """Start servers that answer as given; they stop with the test."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(serving(answer, tmp_path))
