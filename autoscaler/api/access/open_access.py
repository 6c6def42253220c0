"""Everybody may everything: for a demonstration that nobody but the person at this machine can reach."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

import structlog

from autoscaler.api.access.caller import Caller
from autoscaler.api.access.verbs import Verb

_log = structlog.get_logger(__name__)

_EVERYBODY = Caller("demo")


class OpenAccess:
    """`Access` without a token. address: where the service listens.

    Raises ValueError where that is not loopback: there is no way to open a service to a network.
    """

    def __init__(self, address: str) -> None:
        if not _is_loopback(address):
            raise ValueError(
                f"without tokens the service may listen on loopback only, not on {address!r}; use 127.0.0.1"
            )
        _log.warning("everybody on this machine may do everything here: this is a demonstration")

    async def identify(self, token: str) -> Caller | None:
        """The same for everybody, whatever they show."""
        return _EVERYBODY

    async def allows(self, caller: Caller, verb: Verb, namespace: str) -> bool:
        """Always."""
        return True

    async def visible(self, caller: Caller, namespaces: Collection[str]) -> frozenset[str] | None:
        """All."""
        return None


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        # A name: another one than this could be looked up as anything.
        return address == "localhost"
