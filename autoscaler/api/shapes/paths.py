"""What stands in the path of a URL."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from autoscaler.api.times import Instant
from autoscaler.spec.names import SUBDOMAIN_PATTERN
from autoscaler.spec.signals import LABEL_PATTERN

NamespacePath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=63,
        pattern=LABEL_PATTERN,
        description="Namespace of the resource.",
        examples=["shop"],
    ),
]
NamePath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=253,
        pattern=SUBDOMAIN_PATTERN,
        description="Name of the resource.",
        examples=["checkout"],
    ),
]
# 63 bits in letters of 5 bits: the first one has but 3 of them.
IDENTIFIER_PATTERN = r"^[0-7][0-9a-hjkmnp-tv-z]{12}$"

DecisionPath = Annotated[
    str,
    Path(
        alias="id",
        pattern=IDENTIFIER_PATTERN,
        description="Identifier of the decision.",
        examples=["01j9zk4x8v2tq"],
    ),
]
OverridePath = Annotated[
    str,
    Path(
        alias="id",
        pattern=IDENTIFIER_PATTERN,
        description="Identifier of the override.",
        examples=["01j9zk4x8v2tq"],
    ),
]
MadeAtPath = Annotated[
    Instant,
    Path(
        alias="madeAt",
        description="The newest forecast made then or before is answered.",
        examples=["2026-11-27T17:55:00Z"],
    ),
]
