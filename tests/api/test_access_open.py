"""A service without tokens is for one machine, and says so."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from autoscaler.api.access.open_access import OpenAccess
from autoscaler.api.access.verbs import Verb


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_on_loopback_everybody_may_everything_and_the_log_says_so(address: str) -> None:
    with capture_logs() as told:
        access = OpenAccess(address)
    assert [entry["log_level"] for entry in told] == ["warning"]
    caller = asyncio.run(access.identify(""))
    assert caller is not None
    assert asyncio.run(access.allows(caller, Verb.WRITE, ""))
    assert asyncio.run(access.visible(caller, [])) is None


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "", "192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "localhost.example", "host"]
)
def test_nowhere_else_can_it_be_opened(address: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        OpenAccess(address)
