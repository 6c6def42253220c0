"""The credentials in use, with the connections opened by them; read again when due or refused.

A token that was exchanged on disk, a certificate and whatever a credential plugin returns all come
the same way: by reading everything anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from urllib3 import PoolManager

from autoscaler.controller.cluster.access import Access
from autoscaler.controller.cluster.errors import ClusterConfigError
from autoscaler.controller.cluster.timed import time_whole_answers

_CONNECTIONS = 32
_PAUSE_S = 1.0
"""Refusals do not start a credential plugin more often than this."""
_AGAIN_S = 60.0
"""After a failed reading that was only due, the next one."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """One reading and what was opened by it. requests: whole exchanges; watches: streams without an end."""

    access: Access = field(repr=False)
    requests: PoolManager = field(repr=False)
    watches: PoolManager = field(repr=False)
    read_at: float

    def close(self) -> None:
        """Close the connections that nobody uses; the others follow when they are given back."""
        self.requests.clear()
        self.watches.clear()


class Credentials:
    """Thread-safe. read: the reading, which may take its time. Raises ClusterConfigError as `read` does."""

    def __init__(self, read: Callable[[], Access]) -> None:
        self._read = read
        self._renewing = threading.Lock()
        self._held = _opened(read())
        self._due = self._held.read_at + self._held.access.good_for_s

    @property
    def held(self) -> Held:
        """What was read last."""
        return self._held

    def current(self, within_s: float) -> Held:
        """What to use now. A reading that is due and fails leaves the old one in use."""
        if time.monotonic() >= self._due and self._renewing.acquire(blocking=False):
            try:
                self._renew(within_s, afresh=False)
            except ClusterConfigError as error:
                self._due = time.monotonic() + _AGAIN_S
                _log.warning("credentials could not be read again: %s", error)
            finally:
                self._renewing.release()
        return self._held

    def after_refusal(self, refused: Held, within_s: float) -> Held:
        """What to try once more when the server did not accept `refused`.

        Of many threads refused at once, one reads. Raises ClusterConfigError where that fails.
        """
        if not self._renewing.acquire(timeout=max(0.0, within_s)):
            raise ClusterConfigError("the credentials are being read again, which takes too long")
        try:
            if self._held is refused and time.monotonic() - refused.read_at >= _PAUSE_S:
                self._renew(within_s, afresh=True)
            return self._held
        finally:
            self._renewing.release()

    def close(self) -> None:
        """Close the connections."""
        self._held.close()

    def _renew(self, within_s: float, *, afresh: bool) -> None:
        """afresh: also leave the open connections, to which a client certificate is tied."""
        access = self._read_within(within_s)
        before = self._held
        if afresh or _settings(access.configuration) != _settings(before.access.configuration):
            self._held = _opened(access)
            before.close()
        else:
            self._held = Held(access, before.requests, before.watches, time.monotonic())
        self._due = self._held.read_at + access.good_for_s

    def _read_within(self, within_s: float) -> Access:
        """In a thread of its own, as the official client waits for a plugin without end."""
        outcome: Future[Access] = Future()

        def run() -> None:
            try:
                outcome.set_result(self._read())
            except Exception as error:  # noqa: BLE001  # handed to who waits
                outcome.set_exception(error)

        threading.Thread(target=run, name="credentials", daemon=True).start()
        try:
            return outcome.result(max(0.0, within_s))
        except TimeoutError:
            raise ClusterConfigError("reading the credentials again takes too long") from None


def _opened(access: Access) -> Held:
    configuration = access.configuration
    configuration.connection_pool_maxsize = _CONNECTIONS
    configuration.keep_alive = True
    requests = time_whole_answers(RESTClientObject(configuration).pool_manager)
    return Held(access, requests, RESTClientObject(configuration).pool_manager, time.monotonic())


def _settings(configuration: Configuration) -> tuple[object, ...]:
    return (
        configuration.host,
        configuration.ssl_ca_cert,
        configuration.cert_file,
        configuration.key_file,
        configuration.verify_ssl,
        configuration.tls_server_name,
        configuration.proxy,
    )
