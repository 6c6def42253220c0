"""Get the bytes of a recorded file, refusing what cannot be one before it costs time or memory."""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from pathlib import Path

from autoscaler.signals.errors import InputError

_CHUNK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


def read_text_bytes(path: Path, max_bytes: int) -> bytes:
    """The content of a plain or gzip-compressed UTF-8 file, without byte order mark.

    Compression is told by content, not by name. Raises InputError for what is missing, no regular
    file, empty, larger than `max_bytes` (decompressed), damaged or not UTF-8.
    """
    try:
        content = _content(path, max_bytes)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}); check path and rights"
        ) from error
    if not content.strip():
        raise InputError(f"{path}: is empty; give a file with a header line and data")
    _check_utf8(path, content)
    return content.removeprefix(b"\xef\xbb\xbf")


def _content(path: Path, max_bytes: int) -> bytes:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; check the path") from error
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{path}: is a directory; name a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: is not a regular file; save its content to a file first")
    if status.st_size > max_bytes:
        raise _too_large(path, max_bytes)
    with path.open("rb") as file:
        raw = file.read(status.st_size)
    return _decompressed(path, raw, max_bytes) if raw.startswith(_GZIP_MAGIC) else raw


def _decompressed(path: Path, raw: bytes, max_bytes: int) -> bytes:
    """Count first, keeping nothing, so that a small file that unpacks to gigabytes stays small."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            size = 0
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(path, max_bytes)
        return gzip.decompress(raw)
    except EOFError as error:
        raise InputError(f"{path}: the gzip data ends early; copy or record the file again") from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the gzip data is damaged; copy or record the file again") from error


def _too_large(path: Path, max_bytes: int) -> InputError:
    return InputError(
        f"{path}: holds more than {max_bytes / 2**20:g} MiB (decompressed); cut it to the days you need "
        "or record at a longer step"
    )


def _check_utf8(path: Path, content: bytes) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}: line {line} is not UTF-8 text; save the file as UTF-8") from error
