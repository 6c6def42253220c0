"""Writing files whole or not at all, several of them together.

The new content goes to a temporary file beside its target, which then takes the target's name, once
all that belong together are complete. Whatever interrupts that, an error or Ctrl-C, the older files
stay as they were and nothing partial is left behind.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from autoscaler.signals.errors import InputError

Opening = Callable[[Path], contextlib.AbstractContextManager[IO[bytes]]]
"""How a path becomes a binary file to write to: `atomic`, or what `together` gives."""


@contextlib.contextmanager
def together() -> Iterator[Opening]:
    """An `Opening` whose files all take their names when the block ends without an error.

    A target that is no regular file (a pipe, /dev/stdout) is written directly. Raises InputError
    when the directory is missing or not writable, the path is a directory, or the disk is full.
    """
    complete: list[_Complete] = []

    @contextlib.contextmanager
    def opening(path: Path) -> Iterator[IO[bytes]]:
        check_writable(path)
        with _as_input_error(path):
            if _is_special(path):
                with path.open("wb") as file:
                    yield file
                return
            # A link stays a link: what it names is replaced. A pipe has no name to resolve to.
            target = path.resolve()
            with _beside(target) as (file, temporary):
                complete.append(_Complete(path, temporary, target))
                yield file

    try:
        yield opening
        with _uninterrupted():
            for one in complete:
                with _as_input_error(one.path):
                    one.temporary.replace(one.target)
    finally:
        for one in complete:
            one.temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """As `together`, of a single file."""
    with together() as opening, opening(path) as file:
        yield file


def write_bytes(path: Path, content: bytes, opening: Opening = atomic) -> None:
    """Write `content` to `path`, whole or not at all."""
    with opening(path) as file:
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


@dataclass(frozen=True, slots=True)
class _Complete:
    """path: as it was given. temporary: what is to take the place of target."""

    path: Path
    temporary: Path
    target: Path


@contextlib.contextmanager
def _as_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(_refused(path, error.strerror or str(error))) from error


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the block is over, and is then forgotten: all was written that was asked for.

    Only the main thread is interrupted, and only it may say how.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A temporary file that is on disk when the block ends, and gone where it fails."""
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".writing-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, temporary
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
    except BaseException:
        # Ctrl-C included: nothing partial may stay.
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
