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
from collections.abc import Iterable, Iterator, Mapping
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


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Path]) -> None:
    """Raise InputError where an output cannot be written, or would replace another one or an input.

    outputs: by the option that names each. What is no regular file (a terminal, /dev/null) replaces nothing.
    """
    named = {option: path for option, path in outputs.items() if path is not None}
    for path in named.values():
        check_writable(path)
    files = [(option, path) for option, path in named.items() if not _is_special(path)]
    read = list(inputs)
    for at, (option, path) in enumerate(files):
        if any(_same(path, one) for one in read):
            raise InputError(f"{option} {path}: this file is also read; name another one to write to")
        for other, elsewhere in files[:at]:
            if _same(path, elsewhere):
                raise InputError(
                    f"{option} {path}: {other} is written there too; give each a file of its own"
                )


def _same(one: Path, other: Path) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return one.samefile(other)  # by a hard link, or written in another case
    except OSError:
        return False  # one of them does not exist yet


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
