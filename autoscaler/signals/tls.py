"""TLS that follows its files: an exchanged authority or client certificate is used without a restart.

What was read last stays in use while the files on disk cannot be: an exchange that is half done, or went
wrong, must not cost a source that works.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from autoscaler.signals.deadline import DeadlineAdapter
from autoscaler.signals.failures import Cause, QueryFailed
from autoscaler.signals.settings import ConnectionSettings

_Identity = tuple[int, int, int]

_LOG = logging.getLogger(__name__)


class _Unusable(Exception):
    """A file that cannot be used. `str()` names it, and why."""


class TlsFiles:
    """The authorities and the client certificate of the settings, as the files hold them now.

    problem: why the files cannot be used now; empty while they can.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        files = (settings.ca_file, settings.cert_file, settings.key_file)
        self._paths = [Path(file) for file in files if file]
        self._seen: list[_Identity] | None = None
        self._context: ssl.SSLContext | None = None
        self.problem = ""

    def current(self) -> ssl.SSLContext:
        """What to connect with, the same object while nothing has changed.

        QueryFailed while the files have never been usable.
        """
        try:
            seen = [_identity(path) for path in self._paths]
            # Files that could not be used are tried at every use: they may be whole now and look the same.
            if self._context is None or self.problem or seen != self._seen:
                self._context, self._seen = self._opened(), seen
                self._usable()
        except _Unusable as error:
            self._unusable(str(error))
        if self._context is None:
            raise QueryFailed(Cause.UNAUTHORIZED, self.problem)
        return self._context

    def _opened(self) -> ssl.SSLContext:
        settings = self._settings
        context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
        try:
            context.load_verify_locations(settings.ca_file or DEFAULT_CA_BUNDLE_PATH)
        except OSError as error:
            raise _Unusable(f"CA file {settings.ca_file} cannot be used ({_reason(error)})") from error
        if settings.cert_file:
            try:
                # With an empty password one that is encrypted is refused, instead of asked for at a terminal.
                context.load_cert_chain(settings.cert_file, settings.key_file, password="")
            except OSError as error:
                pair = f"{settings.cert_file} with key {settings.key_file or 'in the same file'}"
                raise _Unusable(f"client certificate {pair} cannot be used ({_reason(error)})") from error
        return context

    def _usable(self) -> None:
        if self.problem:
            _LOG.info("TLS files of %s can be used again", self._settings.url)
        self.problem = ""

    def _unusable(self, problem: str) -> None:
        if problem != self.problem and self._context is not None:
            _LOG.warning("%s: %s; those from before stay in use", self._settings.url, problem)
        self.problem = problem


def _identity(path: Path) -> _Identity:
    try:
        status = path.stat()
    except OSError as error:
        raise _Unusable(f"{path} cannot be read ({_reason(error)})") from error
    return status.st_mtime_ns, status.st_size, status.st_ino


def _reason(error: OSError) -> str:
    """In a few fixed words: texts of the libraries may name more than is to be told."""
    if isinstance(error, ssl.SSLError):
        return error.reason.lower().replace("_", " ") if error.reason else "no PEM, or an encrypted key"
    return error.strerror or type(error).__name__


def tls_failure(error: BaseException, problem: str) -> QueryFailed:
    """A connection that TLS refused, in our words. problem: of the files, which may be the cause."""
    found = _underlying(error)
    # An alert is what the other side says; all else is what we found wrong with it.
    if isinstance(found, ssl.SSLError) and "ALERT" in (found.reason or ""):
        told = f"the server refuses TLS ({_reason(found)}); check the client certificate"
    elif isinstance(found, ssl.SSLEOFError):
        # With TLS 1.3 we send before the server has looked at our certificate, and where it hangs up first
        # its alert is lost.
        told = "the server hung up during TLS; check the client certificate"
    else:
        told = "no TLS connection that can be trusted; check CA file and host name"
    return QueryFailed(Cause.UNREACHABLE, f"{told}; {problem}" if problem else told)


def _underlying(error: BaseException) -> BaseException:
    """What the libraries have wrapped: requests in its arguments, urllib3 in `reason` or arguments."""
    inner = getattr(error, "reason", None)
    if not isinstance(inner, BaseException):
        inner = error.args[0] if error.args else None
    return _underlying(inner) if isinstance(inner, BaseException) else error


class TlsAdapter(DeadlineAdapter):
    """Transport that connects with what the files hold, and leaves old connections when that changes."""

    def __init__(self, files: TlsFiles, **kwargs: Any) -> None:
        self._files = files
        self._used: ssl.SSLContext | None = None
        super().__init__(**kwargs)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        """The pool for the files as they are now; by default it is found by their paths."""
        host, pool = super().build_connection_pool_key_attributes(request, True)
        if host["scheme"] != "https":
            return host, pool
        context = self._files.current()
        if context is not self._used:
            # Connections that the old certificate opened would otherwise be kept as long as they are used.
            self.poolmanager.clear()
            self._used = context
        return host, {**pool, "ssl_context": context}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: the public authorities would be trusted beside the stated ones."""
