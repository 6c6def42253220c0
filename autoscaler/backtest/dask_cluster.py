"""Pieces of work on a Dask cluster that is there already (the `dask` extra).

What several pieces share is sent once. A piece whose worker is lost is done again by another; the
outcome is the same as on this machine, since every piece is a pure function of what it is given.
Workers run what they are sent: connect to a scheduler of your own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from distributed import Client, Future, as_completed

from autoscaler import __version__
from autoscaler.backtest.workforce import Advance, Answer, Piece, Workforce
from autoscaler.signals.errors import InputError

_CONNECT_S = 10.0
_WORKERS_S = 60.0
"""A cluster that scales from nothing needs a moment for its first worker."""
_RETRIES = 2


@contextmanager
def dask_cluster(address: str, advance: Advance) -> Iterator[Workforce]:
    """Workers of the scheduler at `address`, such as tcp://10.0.0.7:8786. Raises InputError."""
    try:
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"--dask {address}: no scheduler answers there ({error}); check the address"
        ) from error
    try:
        _check_workers(client, address)
        yield _Cluster(client, advance)
    finally:
        client.close()


def _check_workers(client: Client, address: str) -> None:
    """Refuse workers that would compute something else."""
    try:
        client.wait_for_workers(1, timeout=_WORKERS_S)
    except TimeoutError as error:
        raise InputError(f"--dask {address}: the scheduler has no worker; start some") from error
    for worker, version in client.run(_installed_version, on_error="return").items():
        if version != __version__:
            found = "none" if isinstance(version, Exception) else version
            raise InputError(
                f"--dask {address}: worker {worker} has predictive-autoscaler {found} and this machine "
                f"{__version__}; install the same on all"
            )


def _installed_version() -> str:
    from autoscaler import __version__

    return __version__


class _Cluster:
    def __init__(self, client: Client, advance: Advance) -> None:
        self._client = client
        self._advance = advance

    def do(self, pieces: Sequence[Piece[Answer]]) -> list[Answer]:
        sent = self._send_shared(pieces)
        futures: list[Future[Answer]] = [
            self._client.submit(
                piece.function,
                *[sent.get(id(argument), argument) for argument in piece.arguments],
                pure=False,
                retries=_RETRIES,
            )
            for piece in pieces
        ]
        labels = {future.key: piece.label for future, piece in zip(futures, pieces, strict=True)}
        try:
            answers = {}
            for future in as_completed(futures, loop=self._client.loop):
                answers[future.key] = future.result()
                self._advance(labels[future.key])
            return [answers[future.key] for future in futures]
        finally:
            self._client.cancel(futures)

    def _send_shared(self, pieces: Sequence[Piece[Answer]]) -> dict[int, Any]:
        """Arguments that several pieces have, as they are known on the cluster, by identity."""
        uses = Counter(id(argument) for piece in pieces for argument in piece.arguments)
        shared = {
            id(argument): argument
            for piece in pieces
            for argument in piece.arguments
            if uses[id(argument)] > 1 and not isinstance(argument, (int, float, str, type(None)))
        }
        # As a task and not as scattered data, which would be gone with the worker that holds it.
        return {key: self._client.submit(_itself, value, pure=False) for key, value in shared.items()}


def _itself(value: Answer) -> Answer:
    return value
