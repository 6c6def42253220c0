"""The forecasting process: one thread for each source, so that one which hangs delays no other."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from multiprocessing.connection import Connection

from autoscaler.controller.forecasts.feed import Feed
from autoscaler.controller.forecasts.messages import Beat, Setup, Told, Wanted
from autoscaler.controller.forecasts.model_in_use import ModelInUse
from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.signals.settings import ConnectionSettings

_Send = Callable[[Told | Beat], None]
_LOG = logging.getLogger(__name__)
_STUCK_S = 600.0
"""A source's thread that has not had a turn for so long will not have one any more."""
_AFTER_ERROR_S = 5.0


def serve(connection: Connection) -> None:
    """Forecast what is asked for over `connection` until it closes. The first message is a `Setup`."""
    setup: Setup = connection.recv()
    work = _Work(connection, setup)
    receiver = threading.Thread(target=work.receive, name="requests", daemon=True)
    receiver.start()
    while receiver.is_alive():
        work.beat()
        receiver.join(setup.beat_s)


class _Work:
    """The threads of all sources, and the way back to the operator."""

    def __init__(self, connection: Connection, setup: Setup) -> None:
        self._connection = connection
        self._setup = setup
        self._model = ModelInUse(setup.model_folder)
        self._model.look(time.monotonic())
        self._sending = threading.Lock()
        self._fast = ThreadPoolExecutor(1, thread_name_prefix="fit")
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="slow-fit")
        self._sources: list[_Source] = []
        self._by_key: dict[str, _Source] = {}

    def receive(self) -> None:
        """Hand requests on until the operator has gone."""
        try:
            while True:
                wanted: Wanted = self._connection.recv()
                self._take(wanted)
        except (EOFError, OSError):
            return

    def beat(self) -> None:
        """Say that all is well, unless it is not, and look whether there is another model."""
        self._model.look(time.monotonic())
        now_s = time.monotonic()
        if all(now_s - source.turned_s < _STUCK_S for source in list(self._sources)):
            self._send(Beat(self._model.problem))

    def _take(self, wanted: Wanted) -> None:
        for key in wanted.dropped:
            source = self._by_key.pop(key, None)
            if source is not None:
                source.inbox.put((key, 0, None))
        for key, (revision, request) in wanted.requests.items():
            source = self._source(request.source)
            before = self._by_key.get(key)
            if before is not None and before is not source:
                before.inbox.put((key, 0, None))
            self._by_key[key] = source
            source.inbox.put((key, revision, request))

    def _source(self, settings: ConnectionSettings) -> _Source:
        for source in self._sources:
            if source.settings == settings:
                return source
        made = _Source(settings, self._setup, self._fast, self._slow, self._send, self._model)
        self._sources.append(made)
        made.start()
        return made

    def _send(self, message: Told | Beat) -> None:
        try:
            with self._sending:
                self._connection.send(message)
        except OSError:
            _LOG.info("the operator has gone; forecasting ends")


class _Source(threading.Thread):
    """One source's turns. inbox: (key, revision, request), or None for a key no longer wanted."""

    def __init__(
        self,
        settings: ConnectionSettings,
        setup: Setup,
        fast: Executor,
        slow: Executor,
        send: _Send,
        model: ModelInUse,
    ) -> None:
        super().__init__(name="source", daemon=True)
        self.settings = settings
        self.inbox: queue.SimpleQueue[tuple[str, int, ForecastRequest | None]] = queue.SimpleQueue()
        self.turned_s = time.monotonic()
        self._feed = Feed(settings, setup.open_reader, setup.folder, fast, slow, send, model)

    def run(self) -> None:
        """Take turns for ever: the thread ends with its process."""
        rest_s = 0.0
        while True:
            self._take_requests(rest_s)
            try:
                rest_s = self._feed.turn(time.time())
            except Exception:  # noqa: BLE001 - a fault in one turn must not end the forecasts of a whole source
                _LOG.exception("forecasting from %s failed; it goes on", self.settings.url)
                rest_s = _AFTER_ERROR_S
            self.turned_s = time.monotonic()

    def _take_requests(self, rest_s: float) -> None:
        """All requests that wait, and those that come within `rest_s` end the rest."""
        try:
            item = self.inbox.get(timeout=rest_s) if rest_s > 0 else self.inbox.get_nowait()
            while True:
                key, revision, request = item
                if request is None:
                    self._feed.drop(key)
                else:
                    self._feed.want(key, revision, request)
                item = self.inbox.get_nowait()
        except queue.Empty:
            return
