"""Names as Kubernetes allows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

SUBDOMAIN_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

Subdomain = Annotated[str, Field(min_length=1, max_length=253, pattern=SUBDOMAIN_PATTERN)]
"""Name of an object: a DNS subdomain."""
