"""What the service and its worker process tell each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from autoscaler.api.whatif.trial import Advance, Foresights


class Question(Protocol):
    """Something to compute; has to be picklable."""

    def answer(self, foresights: Foresights, advance: Advance) -> dict[str, Any]:
        """The answer in plain JSON types. Raises Unanswerable or StoreError for the asker to read."""
        ...


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message to the worker. path: where it finds modules. memory_bytes: the most it may use."""

    path: tuple[str, ...]
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker takes questions."""


@dataclass(frozen=True, slots=True)
class Progress:
    """share: done, from 0 to 1. message: what is being done."""

    share: float
    message: str


@dataclass(frozen=True, slots=True)
class Answered:
    """body: the answer as JSON."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no answer; the message says why."""

    message: str


Told = Ready | Progress | Answered | Refused
