"""A control plane for the tests here: one per test process, and a namespace for each test."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from control_plane import ControlPlane, cluster_binaries

# A real PostgreSQL comes from there.
sys.path.append(str(Path(__file__).parents[1] / "store"))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The control plane, shared by the tests of a process; what a test stopped runs again after it."""
    if cluster_binaries() is None:
        pytest.skip("no cluster binaries (sh scripts/cluster-parts.sh)")
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane


@pytest.fixture(autouse=True)
def _healed(request: pytest.FixtureRequest) -> Iterator[None]:
    plane = request.getfixturevalue("control_plane") if "control_plane" in request.fixturenames else None
    yield
    if plane is not None:
        plane.heal()


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace of the test's own, removed afterwards without waiting for it."""
    name = control_plane.namespace(f"test-{secrets.token_hex(4)}")
    yield name
    control_plane.heal()
    control_plane.request("DELETE", f"/api/v1/namespaces/{name}")
