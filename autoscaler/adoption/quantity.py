"""Amounts as other manifests write them, in the form that our own resource reads."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from autoscaler.spec.units import format_quantity, parse_quantity

_TOO_MUCH = 10**15


def amount(text: str) -> int | str | None:
    """A positive quantity as a manifest of ours writes it; None if it is none, or not positive.

    Reads Kubernetes quantities and decimal exponents ("1e3").
    """
    text = text.strip()
    try:
        value = Decimal(str(parse_quantity(text)))
        written: str | None = text
    except ValueError:
        written = None
        try:
            value = Decimal(text)
        except InvalidOperation:
            return None
    if not value.is_finite() or not 0 < value < _TOO_MUCH:
        return None
    if value == value.to_integral_value():
        return int(value)
    if written is not None:
        return written
    plain = format_quantity(float(value))
    return plain if float(plain) > 0 else None
