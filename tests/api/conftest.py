"""A service for all tests that only read, and one for each that does more."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filled_store import fill
from starlette.testclient import TestClient
from whole_service import WholeService, service_over

from autoscaler.store.store import Store

# The tests of the store know how to start a real PostgreSQL.
sys.path.append(str(Path(__file__).parents[1] / "store"))


def _filled(file: Path, days: float) -> Path:
    store = Store.open(f"sqlite:///{file}")
    store.migrate()
    fill(store, days=days)
    store.close()
    return file


@pytest.fixture(scope="session")
def a_quarter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with a quarter of a day of all scenes, to be copied."""
    return _filled(tmp_path_factory.mktemp("quarter") / "store.db", 0.25)


@pytest.fixture(scope="session")
def service(a_quarter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeService]:
    """A quarter of a day of all scenes. Only for reading."""
    with service_over(shutil.copy(a_quarter, tmp_path_factory.mktemp("service") / "store.db")) as made:
        yield made


@pytest.fixture(scope="session")
def client(service: WholeService) -> Iterator[TestClient]:
    """Of somebody who may everything."""
    with service.client() as made:
        yield made


@pytest.fixture(scope="session")
def an_hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with an hour of all scenes, to be copied."""
    return _filled(tmp_path_factory.mktemp("hour") / "store.db", 1 / 24)


@pytest.fixture
def own_service(an_hour: Path, tmp_path: Path) -> Iterator[WholeService]:
    """An hour of all scenes, of one test's own."""
    with service_over(shutil.copy(an_hour, tmp_path / "store.db")) as made:
        yield made
