"""A real PostgreSQL server in a temporary folder, on a free port of the loopback interface."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

_STARTS_WITHIN_S = 30.0
_HASTY = ("-c", "fsync=off", "-c", "shared_buffers=16MB")
"""For tests, which lose no power and start many servers; not for measuring anything."""

_USER = "postgres"
"""Of the database's superuser and, where the tests run as root, of the user that runs the server."""


def _program(name: str) -> str:
    """Debian keeps the server off PATH, in a folder of its version."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(versions[-1]) if versions else shutil.which(name)
    assert found is not None
    return found


class RealPostgresql:
    """Started and stopped at will; its data stay until the end. hasty: not as it would be in production."""

    def __init__(self, folder: Path, *, hasty: bool = True) -> None:
        self._folder = folder
        self._hasty = hasty
        # The server refuses to run as root.
        self._owner = _USER if os.geteuid() == 0 else None
        if self._owner is not None:
            shutil.chown(folder, self._owner)
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self._run(_program("initdb"), "--auth=trust", "--no-sync", "--encoding=UTF8", f"--username={_USER}")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [program, "-D", str(self._folder / "data"), *arguments],
            check=True,
            capture_output=True,
            user=self._owner,
            cwd=self._folder,
            env={"LC_ALL": "C", "TZ": "UTC"},
        )

    def start(self) -> None:
        """Start, and return when it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(_program("postgres"), "-D", str(self._folder / "data"), "-k", str(self._folder)),
                    *("-p", str(self._port), "-c", "listen_addresses=127.0.0.1"),
                    *("-c", "max_connections=40"),
                    *(_HASTY if self._hasty else ()),
                ],
                stdout=log,
                stderr=log,
                user=self._owner,
                cwd=self._folder,
                env={"LC_ALL": "C", "TZ": "UTC"},
            )
        deadline_s = time.monotonic() + _STARTS_WITHIN_S
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline_s, (self._folder / "log").read_text()
                threading.Event().wait(0.02)

    def stop(self) -> None:
        """Stop as if the machine had failed: no goodbye to clients, recovery at the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def url(self, database: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self._port}/{database}"

    def new_database(self) -> str:
        """The name of an empty database."""
        self._databases += 1
        name = f"store_{self._databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name


@contextmanager
def running_postgresql(*, hasty: bool = True) -> Iterator[RealPostgresql]:
    """A server for as long as the context lasts. hasty: fast to start, and never waiting for the disk."""
    # Not one of pytest's folders: those are closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as folder:
        server = RealPostgresql(Path(folder), hasty=hasty)
        try:
            server.start()
            yield server
        finally:
            server.stop()
