"""Forecasts as the operator uses them: what is wanted goes in, the newest fan of each workload comes out.

Nothing here waits for the forecasting process. If that dies or falls silent it is started again and
told everything it needs; meanwhile the fans there are grow older, which their outlook accounts for.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.forecasts.messages import Beat, Setup, Told, Wanted
from autoscaler.controller.forecasts.reader import OpenReader
from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.signals.prometheus import Prometheus

_LOG = logging.getLogger(__name__)
_BEAT_S = 5.0
_PATIENCE_S = 300.0
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 1.0, 60.0
_STEADY_S = 300.0
"""A process that lived this long is started again at once."""
_ENDS_WITHIN_S = 5.0
_ENVIRONMENT = {
    # One core is enough for linear algebra this small, and threads of it would take memory.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Each heap of its own that a thread gets keeps what was freed in it.
    "MALLOC_ARENA_MAX": "2",
    # A fit's large arrays go back to the system when it ends instead of staying with the process.
    "MALLOC_MMAP_THRESHOLD_": "524288",
    "MALLOC_TRIM_THRESHOLD_": "1048576",
}


class Forecasts:
    """Fans of all workloads, made by a process of their own. Usable from any thread.

    history_folder: where histories are kept between fits and restarts, or None. open_reader: how
    a source is opened, has to be picklable. patience_s: a process that is silent for longer is ended.
    model_folder: where a model may be that was trained here, or None.
    """

    def __init__(
        self,
        history_folder: Path | None = None,
        open_reader: OpenReader = Prometheus,
        patience_s: float = _PATIENCE_S,
        model_folder: Path | None = None,
    ) -> None:
        self._setup = Setup(open_reader, history_folder, min(_BEAT_S, patience_s / 3), model_folder)
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._wanted: dict[str, tuple[int, ForecastRequest]] = {}
        self._revision = 0
        self._changed = threading.Event()
        self._fans: dict[str, Fan] = {}
        self._failures: dict[str, str] = {}
        self._stopping = threading.Event()
        self._supervisor: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._heard_s = 0.0
        self._model_problem = ""
        self._last_answer_s = 0.0
        self._restarts = 0

    def start(self) -> None:
        """Start the process. To be called once."""
        self._supervisor = threading.Thread(target=self._supervise, name="forecasts", daemon=True)
        self._supervisor.start()

    def stop(self) -> None:
        """End the process; what was forecast stays."""
        self._stopping.set()
        self._changed.set()
        if self._process is not None:
            self._process.kill()
        if self._supervisor is not None:
            self._supervisor.join(_ENDS_WITHIN_S)

    def set_requests(self, requests: Mapping[str, ForecastRequest]) -> None:
        """What is to be forecast from now on, by key, in place of what was before.

        A fan of the same load stays until a new one comes; any other is dropped.
        """
        with self._lock:
            for key in self._wanted.keys() - requests.keys():
                del self._wanted[key]
                self._fans.pop(key, None)
                self._failures.pop(key, None)
            for key, request in requests.items():
                before = self._wanted.get(key)
                if before is not None and before[1] == request:
                    continue
                self._revision += 1
                self._wanted[key] = self._revision, request
                self._failures.pop(key, None)
                if before is None or not request.same_load(before[1]):
                    self._fans.pop(key, None)
        self._changed.set()

    def fan(self, key: str) -> Fan | None:
        """The newest fan of a workload; None before the first."""
        return self._fans.get(key)

    def failure(self, key: str) -> str:
        """Why there has been no newer fan of a workload; empty when nothing is known to be wrong."""
        return self._failures.get(key, "")

    @property
    def healthy(self) -> bool:
        """Whether the process lives and has been heard of lately."""
        process = self._process
        lives = process is not None and process.poll() is None
        return lives and time.monotonic() - self._heard_s < self._patience_s

    @property
    def restarts(self) -> int:
        """How often the process had to be started again."""
        return self._restarts

    @property
    def model_problem(self) -> str:
        """Why the model that was trained here is not in use; empty when it is, or when there is none."""
        return self._model_problem

    @property
    def last_answer_s(self) -> float:
        """When a fan last arrived, epoch seconds; 0 before the first."""
        return self._last_answer_s

    @property
    def process_id(self) -> int | None:
        """Of the forecasting process; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _supervise(self) -> None:
        backoff_s = _FIRST_BACKOFF_S
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                self._run_once()
            except OSError as error:
                _LOG.error("the forecasting process cannot be started: %s", error)
            if self._stopping.is_set():
                return
            self._restarts += 1
            backoff_s = _FIRST_BACKOFF_S if time.monotonic() - began_s > _STEADY_S else backoff_s
            _LOG.warning("the forecasting process ended; starting it again in %g s", backoff_s)
            self._stopping.wait(backoff_s)
            backoff_s = min(2 * backoff_s, _LONGEST_BACKOFF_S)

    def _run_once(self) -> None:
        """Start the process, and listen to it until it ends or has to be ended."""
        ours, theirs = socket.socketpair()
        connection = Connection(ours.detach())
        try:
            command = [sys.executable, "-m", "autoscaler.controller.forecasts.child", str(theirs.fileno())]
            environment = {**os.environ, **_ENVIRONMENT}
            self._process = process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], env=environment, stdin=subprocess.DEVNULL
            )
        except OSError:
            connection.close()
            raise
        finally:
            theirs.close()
        ended = threading.Event()
        self._heard_s = time.monotonic()
        sender = threading.Thread(
            target=self._send_wanted, args=(connection, ended), name="requests", daemon=True
        )
        sender.start()
        try:
            self._listen(connection)
        finally:
            ended.set()
            self._changed.set()
            process.kill()
            process.wait()
            sender.join()
            connection.close()

    def _listen(self, connection: Connection) -> None:
        try:
            while not self._stopping.is_set():
                left_s = self._heard_s + self._patience_s - time.monotonic()
                if left_s <= 0:
                    _LOG.warning("the forecasting process has been silent for %g s", self._patience_s)
                    return
                if connection.poll(min(left_s, 1.0)):
                    self._take(connection.recv())
        except (EOFError, OSError):
            return

    def _take(self, message: Told | Beat) -> None:
        if isinstance(message, Beat):
            self._heard_s = time.monotonic()
            self._model_problem = message.model_problem
            return
        with self._lock:
            for key, (revision, fan) in message.fans.items():
                if self._current(key, revision):
                    self._fans[key] = fan
                    self._failures.pop(key, None)
                    self._last_answer_s = time.time()
            for key, (revision, reason) in message.failures.items():
                if self._current(key, revision):
                    self._failures[key] = reason

    def _current(self, key: str, revision: int) -> bool:
        wanted = self._wanted.get(key)
        return wanted is not None and wanted[0] == revision

    def _send_wanted(self, connection: Connection, ended: threading.Event) -> None:
        """Tell a new process all that is wanted, and from then on what changes. May wait; ends with it."""
        sent: dict[str, tuple[int, ForecastRequest]] = {}
        try:
            connection.send(sys.path)
            connection.send(self._setup)
            while not ended.is_set():
                self._changed.clear()
                with self._lock:
                    wanted = dict(self._wanted)
                news = {key: item for key, item in wanted.items() if sent.get(key) != item}
                dropped = tuple(sent.keys() - wanted.keys())
                if news or dropped:
                    connection.send(Wanted(news, dropped))
                sent = wanted
                if not ended.is_set():
                    self._changed.wait()
        except OSError:
            # The process has gone; whoever listens to it sees that too and starts it again.
            return
