"""What a caller may do."""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    """READ: look at the workloads of a namespace. WRITE: change them, such as by an override, or start a
    computation on their history. METRICS: read the figures of the service itself, which know no namespace.
    """

    READ = "read"
    WRITE = "write"
    METRICS = "metrics"
