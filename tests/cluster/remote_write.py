"""Prometheus remote write 1.0: samples as the bytes that /api/v1/write takes.

One message type with four fields needs no protobuf compiler, and a snappy block may consist of
literals only, so it needs no compressor either.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_LITERAL_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series; `time_s` is Unix time."""

    name: str
    labels: Mapping[str, str]
    value: float
    time_s: float


def write_request(samples: Iterable[Sample]) -> bytes:
    """The body of a remote write request."""
    return _snappy(b"".join(_bytes_field(1, _time_series(sample)) for sample in samples))


def _time_series(sample: Sample) -> bytes:
    labels = sorted({"__name__": sample.name, **sample.labels}.items())
    encoded = (_bytes_field(1, _text_field(1, name) + _text_field(2, value)) for name, value in labels)
    # Field 1: a double, eight bytes; field 2: a varint of milliseconds.
    point = b"\x09" + struct.pack("<d", sample.value) + b"\x10" + _varint(round(sample.time_s * 1000))
    return b"".join(encoded) + _bytes_field(2, point)


def _text_field(number: int, text: str) -> bytes:
    return _bytes_field(number, text.encode())


def _bytes_field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _snappy(content: bytes) -> bytes:
    parts = [_varint(len(content))]
    for start in range(0, len(content), _LITERAL_BYTES):
        piece = content[start : start + _LITERAL_BYTES]
        # The tag of a literal whose length minus one follows in two bytes.
        parts += [b"\xf4", struct.pack("<H", len(piece) - 1), piece]
    return b"".join(parts)
