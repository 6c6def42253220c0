"""`autoscaler replay`: a stored decision, decided again by this release from the same inputs."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from autoscaler import __version__
from autoscaler.cli.exits import FOUND_PROBLEMS, OK
from autoscaler.planning.explain import explain
from autoscaler.planning.record import Replay, replayed
from autoscaler.signals.errors import InputError
from autoscaler.spec.units import format_time
from autoscaler.store.engine import database_file
from autoscaler.store.errors import StoreError
from autoscaler.store.rows import FoundDecision, WholeDecision
from autoscaler.store.store import Store


def replay(decision: str, store_url: str) -> int:
    """Print the decision and whether it comes out the same; the exit code says that too.

    Raises InputError for a store or a decision that cannot be read.
    """
    found = _found(decision, store_url)
    try:
        again = replayed(found.payload)
    except ValueError as error:
        raise InputError(f"decision {decision}: {error}") from error
    _print(found.summary, again)
    return OK if again.same else FOUND_PROBLEMS


def _found(decision: str, store_url: str) -> WholeDecision:
    try:
        store = Store.open(store_url)
    except ValueError as error:
        raise InputError(f"--store: {error}") from error
    file = database_file(store.engine)
    if file is not None and not file.exists():
        # SQLite would make an empty one.
        raise InputError(f"--store: there is no file {file}")
    try:
        found = store.decision(decision)
    except ValueError as error:
        raise InputError(f"{error}; it has 13 letters and digits, as lists of decisions show it") from error
    except StoreError as error:
        raise InputError(f"--store: {error}") from error
    finally:
        store.close()
    if found is None:
        raise InputError(f"there is no decision {decision} in this store, or not any more")
    return found


def _print(found: FoundDecision, again: Replay) -> None:
    """Never wrapped, for scripts."""
    out = Console(soft_wrap=True, highlight=False)
    made = f"{found.workload} at {format_time(round(found.at_s, 3))}: {found.before} -> {found.after}"
    out.print(Text(f"{made} ({found.outcome})" if found.outcome else made))
    out.print(Text(found.sentence))
    if again.same:
        out.print(Text.assemble(f"Decided again by {__version__}: ", ("the same", "green")))
        return
    named = ", ".join(again.differences)
    out.print(Text.assemble(f"Decided again by {__version__}: ", (f"differs in {named}", "red")))
    out.print(Text(explain(again.recomputed)))
