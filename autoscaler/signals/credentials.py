"""Authorization that follows its files: a rotated token or password is used without a restart."""

from __future__ import annotations

from pathlib import Path

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from autoscaler.signals.failures import Cause, QueryFailed
from autoscaler.signals.settings import ConnectionSettings

_MOST_BYTES = 64 * 1024


class SecretFile:
    """The one line in a file, read again whenever the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._secret = ""

    def current(self) -> str:
        """The secret as the file holds it now; QueryFailed when it holds none."""
        try:
            status = self._path.stat()
            identity = (status.st_mtime_ns, status.st_size, status.st_ino)
            if identity != self._seen:
                with self._path.open("rb") as file:
                    self._secret = file.read(_MOST_BYTES).decode("ascii").strip()
                self._seen = identity
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise QueryFailed(Cause.UNAUTHORIZED, f"{self._path} cannot be read ({reason})") from error
        except UnicodeDecodeError as error:
            self._seen = None
            raise QueryFailed(Cause.UNAUTHORIZED, f"{self._path} holds no plain text secret") from error
        if not self._secret or not self._secret.isprintable():
            raise QueryFailed(Cause.UNAUTHORIZED, f"{self._path} holds no single-line secret")
        return self._secret

    def forget(self) -> None:
        """Read the file at the next use even if it looks unchanged."""
        self._seen = None


class Authorization(AuthBase):
    """Puts the Authorization header of the settings on each request."""

    def __init__(self, settings: ConnectionSettings) -> None:
        path = settings.bearer_token_file or settings.basic_password_file
        self._file = SecretFile(Path(path)) if path else None
        self._user = settings.basic_user

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Authorize `request` in place."""
        if self._file is None:
            return request
        secret = self._file.current()
        if self._user:
            HTTPBasicAuth(self._user, secret)(request)
            return request
        request.headers["Authorization"] = f"Bearer {secret}"
        return request

    def renewed(self, request: requests.PreparedRequest) -> bool:
        """Authorize again after a refusal; whether the secret had indeed changed."""
        if self._file is None:
            return False
        before = request.headers.get("Authorization")
        self._file.forget()
        self(request)
        return request.headers.get("Authorization") != before
