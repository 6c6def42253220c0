"""Tokens that we make ourselves, and what is kept of them: a salted SHA-256.

A slow hash such as scrypt is for secrets that people think up, which can be guessed. A token has 256 random
bits, so guessing is hopeless with any hash, and a slow one would only let strangers keep our processors busy.
The salt keeps two lines with the same token from looking alike.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_PREFIX = "pa_"
"""By which scanners of repositories and logs can tell such a token."""

_KIND = "sha256"
_SALT_BYTES = 16
_FORM = re.compile(rf"{_KIND}:([0-9a-f]{{{2 * _SALT_BYTES}}}):([0-9a-f]{{64}})")


def new_token() -> str:
    """A token that nobody has."""
    return _PREFIX + secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """What to keep of `token`, with a new salt: `sha256:SALT:DIGEST`."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"{_KIND}:{salt.hex()}:{_digest(salt, token)}"


def check_form(kept: str) -> str:
    """`kept` itself; ValueError where `hashed` cannot have made it."""
    if not _FORM.fullmatch(kept):
        raise ValueError("is no hash of a token; make one with `autoscaler token`")
    return kept


def is_of(token: str, kept: str) -> bool:
    """Whether `kept` was made of `token`; takes as long either way."""
    _, salt, digest = kept.split(":")
    return hmac.compare_digest(digest, _digest(bytes.fromhex(salt), token))


def _digest(salt: bytes, token: str) -> str:
    return hashlib.sha256(salt + token.encode()).hexdigest()
