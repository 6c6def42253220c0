"""Who is at the other end of a connection, as far as an address tells."""

from __future__ import annotations

import functools
import ipaddress

from starlette.types import Scope

_HOME_BITS = 64
"""Whoever has one IPv6 address has at least so many of them."""


def client_address(scope: Scope) -> str:
    """The address of the client, of IPv6 the network that it is alone in; "unknown" on a local socket.

    Behind a proxy this is the client's own only if the proxy is trusted to say so: see `protection/order.py`.
    """
    client = scope.get("client")
    return _home(client[0] if client else "")


@functools.lru_cache(maxsize=10_000)
def _home(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _HOME_BITS), strict=False))
