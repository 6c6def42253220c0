"""Callers and rights from a file, for where no Kubernetes can be asked.

    tokens:
      - {name: grafana, hash: "sha256:…", verbs: [read, metrics], namespaces: ["*"]}
      - {name: shop-team, hash: "sha256:…", verbs: [read, write], namespaces: [shop, shop-test]}

`autoscaler token` makes a token and its line. The file is read again when it changes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Self

import structlog
from pydantic import AfterValidator, Field, model_validator

from autoscaler.api.access.access import ALL_NAMESPACES
from autoscaler.api.access.caller import Caller
from autoscaler.api.access.hashed_token import check_form, is_of
from autoscaler.api.access.verbs import Verb
from autoscaler.settings_file import ConfigurationError, Section, read_settings

_EVERYWHERE = "*"
_LOOK_EACH_S = 1.0

_log = structlog.get_logger(__name__)


class TokenLine(Section):
    """What the bearer of one token may do. namespaces: "*" for all, those to come included."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    hash: Annotated[str, AfterValidator(check_form)]
    verbs: Annotated[frozenset[Verb], Field(min_length=1)]
    namespaces: frozenset[Annotated[str, Field(min_length=1)]] = frozenset()

    @model_validator(mode="after")
    def _useful(self) -> Self:
        if not self.namespaces and self.verbs - {Verb.METRICS}:
            raise ValueError('needs namespaces to read or write in; ["*"] for all')
        return self

    def allows(self, verb: Verb, namespace: str) -> bool:
        """Whether `verb` may be done there; the figures of the service are in no namespace."""
        if verb not in self.verbs:
            return False
        return verb is Verb.METRICS or bool({_EVERYWHERE, namespace} & self.namespaces)


class Tokens(Section):
    """The whole file. No token at all is allowed: it is how all are taken back."""

    tokens: Annotated[tuple[TokenLine, ...], Field(max_length=1000)]

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        names = [line.name for line in self.tokens]
        if len(set(names)) < len(names):
            raise ValueError("names of tokens must be unique: the audit tells callers apart by them")
        return self


class TokenFile:
    """`Access` by the file at `path`. Raises ConfigurationError when it cannot be used at the start.

    A file that becomes unusable later is complained of in the log, and what was read before stays in force.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._state = _state(path)
        self._take_in(_read(path))
        self._look_at = clock() + _LOOK_EACH_S

    async def identify(self, token: str) -> Caller | None:
        """As in `Access`. Takes as long for every token that is not good."""
        if not token:
            return None
        self._look()
        # The token itself is kept nowhere.
        fingerprint = hashlib.sha256(token.encode()).digest()
        known = self._callers.get(fingerprint)
        if known is None:
            found = [line for line in self._lines.values() if is_of(token, line.hash)]
            if not found:
                return None
            known = self._callers[fingerprint] = Caller(found[0].name)
        return known

    async def allows(self, caller: Caller, verb: Verb, namespace: str) -> bool:
        """As in `Access`."""
        line = self._lines.get(caller.name)
        return line is not None and line.allows(verb, namespace)

    async def visible(self, caller: Caller, namespaces: Collection[str]) -> frozenset[str] | None:
        """As in `Access`."""
        line = self._lines.get(caller.name)
        if line is None:
            return frozenset()
        if line.allows(Verb.READ, ALL_NAMESPACES):
            return None
        return frozenset(namespace for namespace in namespaces if line.allows(Verb.READ, namespace))

    def _look(self) -> None:
        """Read the file again if it changed; it is looked at once a second."""
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EACH_S
        state = _state(self._path)
        if state == self._state:
            return
        self._state = state
        try:
            self._take_in(_read(self._path))
        except ConfigurationError as error:
            _log.error("the tokens as they were before stay in force", fault=str(error))
        else:
            _log.info("tokens were read again", tokens=len(self._lines))

    def _take_in(self, lines: dict[str, TokenLine]) -> None:
        self._lines = lines
        # By the fingerprints of good tokens only, of which there are no more than lines.
        self._callers: dict[bytes, Caller] = {}


def _read(path: Path) -> dict[str, TokenLine]:
    return {line.name: line for line in read_settings(path, Tokens, "'tokens'").tokens}


def _state(path: Path) -> tuple[int, ...] | None:
    """Differs whenever the file was written or replaced; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
