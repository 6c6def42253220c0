"""JSON-able dictionaries as compressed bytes, and back."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from autoscaler.store.errors import StoreError

Json = dict[str, Any]


def packed(data: Mapping[str, Any]) -> bytes:
    """Compressed JSON. Raises ValueError if `data` holds anything but plain JSON types; NaN becomes null."""
    try:
        return zlib.compress(orjson.dumps(data))
    except orjson.JSONEncodeError as error:
        raise ValueError(f"not storable as JSON: {error}") from error


def unpacked(data: bytes) -> Json:
    """What was packed. Raises StoreError on anything else, which only a damaged database returns."""
    try:
        value = orjson.loads(zlib.decompress(data))
    except zlib.error as error:
        raise StoreError(f"a stored payload is damaged: {error}") from error
    except orjson.JSONDecodeError as error:
        raise StoreError(f"a stored payload is not JSON: {error}") from error
    read: Json = value
    return read


def fingerprint(data: bytes) -> int:
    """64 signed bits that tell contents apart; they fit a BIGINT."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big", signed=True)
