"""What can be wrong with the store, in words for the person who runs it."""

from __future__ import annotations

from sqlalchemy import exc


class StoreError(Exception):
    """The store cannot be used: unreachable, locked, full, read-only, corrupt. Trying later may help."""


class SchemaError(StoreError):
    """The tables are not those of this release, and it will not touch them."""


class NewerSchemaError(SchemaError):
    """A newer release has upgraded the tables."""


class RowError(Exception):
    """The store works but refuses these rows: trying again will not help."""


_ROW_FAULTS = (exc.DataError, exc.IntegrityError)


def described(error: BaseException) -> str:
    """The cause in one line, without the statement and its parameters (which may be long or private)."""
    cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return lines[0] if lines else type(cause).__name__


def translated(error: Exception) -> StoreError | RowError:
    """Ours for what a driver raised: `RowError` if the rows are to blame, else `StoreError`."""
    if isinstance(error, StoreError | RowError):
        return error
    if isinstance(error, _ROW_FAULTS) and not error.connection_invalidated:
        return RowError(described(error))
    if isinstance(error, exc.DBAPIError | exc.TimeoutError | OSError):
        return StoreError(described(error))
    # What the driver refused before it asked the database: a number too large, a text that is no UTF-8.
    if isinstance(error, ValueError | TypeError | OverflowError | exc.StatementError):
        return RowError(described(error))
    return StoreError(f"{type(error).__name__}: {described(error)}")
