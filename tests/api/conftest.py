"""A service for all tests that only read, and one for each that does more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from whole_service import WholeService, filled_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeService]:
    """A quarter of a day of all scenes. Only for reading."""
    with filled_service(tmp_path_factory.mktemp("service")) as made:
        yield made


@pytest.fixture(scope="session")
def client(service: WholeService) -> Iterator[TestClient]:
    """Of somebody who may everything."""
    with service.client() as made:
        yield made


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[WholeService]:
    """An hour of all scenes, of one test's own."""
    with filled_service(tmp_path, days=1 / 24) as made:
        yield made
