"""Writing a file whole or not at all.

The new content goes to a temporary file beside its target, which then takes the target's name.
Whatever interrupts that, an error or Ctrl-C, an older file stays as it was and nothing partial is
left behind.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from autoscaler.signals.errors import InputError


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write to, which becomes `path` when the block ends without an error.

    A target that is no regular file (a pipe, /dev/stdout) is written directly. Raises InputError
    when the directory is missing or not writable, the path is a directory, or the disk is full.
    """
    check_writable(path)
    try:
        # A link stays a link: what it names is replaced. A pipe has no name to resolve to.
        with _direct(path) if _is_special(path) else _replacing(path.resolve()) as file:
            yield file
    except OSError as error:
        raise InputError(_refused(path, error.strerror or str(error))) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with atomic(path) as file:
        file.write(content)


def check_writable(path: Path) -> None:
    """Raise InputError where `path` cannot become a file, before any long work is done for it."""
    try:
        if path.is_dir():
            raise InputError(_refused(path, "it is a directory; name a file in it"))
        parent = path.resolve().parent
        if not parent.exists():
            raise InputError(_refused(path, f"the directory {parent} does not exist; create it first"))
        if not parent.is_dir():
            raise InputError(_refused(path, f"{parent} is not a directory"))
        if not _is_special(path) and not os.access(parent, os.W_OK | os.X_OK):
            raise InputError(_refused(path, f"the directory {parent} is not writable"))
    except OSError as error:
        raise InputError(_refused(path, error.strerror or str(error))) from error


def _refused(path: Path, why: str) -> str:
    return f"cannot write {path}: {why}"


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


@contextlib.contextmanager
def _direct(target: Path) -> Iterator[IO[bytes]]:
    with target.open("wb") as file:
        yield file


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".writing-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        # Ctrl-C included: nothing partial may stay.
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
